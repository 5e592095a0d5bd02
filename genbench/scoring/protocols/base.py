"""What a protocol is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from genbench.registry import Reference


@dataclass(frozen=True)
class Protocol:
    """Which metrics score how many samples.

    `columns` maps a column's name to the reference of its metric; a metric with a parameter `n` of its own looks at
    that many of the first samples, any other at all `n`. `headline` are the columns of a printed table, where the
    dataset has them; `deciding` the one that the verdict goes by, or where a dataset hasn't got it, the next;
    `curve` those that are cheap enough for every checkpoint, on the first `curve_n` samples.
    """

    name: str
    version: int
    n: int
    source: str
    columns: Mapping[str, str]
    headline: tuple[str, ...]
    deciding: tuple[str, ...]
    curve: tuple[str, ...] = ()
    curve_n: int | None = None

    def along(self) -> Protocol:
        """The protocol as it scores at checkpoints."""
        n = self.curve_n or self.n
        return replace(self, n=n, columns={name: _of_at_most(n, self.columns[name]) for name in self.curve})


def _of_at_most(n: int, metric: str) -> str:
    """The reference of the same metric on no more than `n` samples."""
    reference = Reference.parse(metric)
    own = reference.parameters.get("n")
    return str(Reference(reference.name, {**reference.parameters, "n": min(int(own), n)})) if own else metric
