"""What a trial's checkpoints say together: when all modes were first captured, and from when on they stayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genbench.datasets.base import Dataset
from genbench.records.record import Identity, Score
from genbench.registry import metrics
from genbench.scoring.protocols import Protocol

MODES = "modes"
"""The column that counts captured modes, or classes."""


RARELY = 0.05
"""Where the truth's own checkpoints lack a mode more often than this, nobody's are asked for all."""


def coverage_along(curve: Sequence[Mapping[str, Any]], dataset: Dataset, protocol: Protocol) -> list[Score]:
    """The scores `first_coverage` and `sustained_coverage`; none where checkpoints count no modes.

    Nor are there any where a checkpoint has too few samples for so many modes, so that the truth itself has gaps.

    Args:
        curve: a row for each checkpoint, in their order, with `steps` and what the protocol scores there.
        dataset: whose classes are the modes to be captured.
        protocol: under which the checkpoints were scored.
    """
    count = len(dataset.classes)
    counted = MODES in protocol.curve and any(MODES in row for row in curve)
    if not (count and counted) or chance_of_gaps(count, protocol.along().n) > RARELY:
        return []
    full = [row.get(MODES) == count for row in curve]
    lasting = next((i for i in range(len(full)) if all(full[i:])), None)
    first = full.index(True) if any(full) else None
    along, looked = protocol.along(), f"at {len(curve)} checkpoints"

    def score(name: str, place: int | None, lacking: str) -> Score:
        entry = metrics[name]
        return Score(
            name=name,
            identity=Identity(
                metric=name,
                version=entry.version,
                parameters={"checkpoints": len(curve)},
                protocol=protocol.name,
                protocol_version=protocol.version,
                protocol_source=protocol.source,
                n=along.n,
                split=looked,
                dtype="int64",
            ),
            value=None if place is None else float(curve[place]["steps"]),
            unit=entry.unit,
            higher_is_better=entry.higher_is_better,
            state="undefined" if place is None else "ok",
            reason=lacking if place is None else None,
            added=True,
        )

    return [
        score("first_coverage", first, f"no checkpoint has all {count} modes"),
        score("sustained_coverage", lasting, f"the last checkpoint hasn't all {count} modes"),
    ]


def chance_of_gaps(modes: int, n: int) -> float:
    """At most how likely it is that some of so many equal modes have none of `n` samples of the truth."""
    return min(1.0, modes * (1 - 1 / modes) ** n)
