"""What a table's finished trials have no value of, and which command gives it to them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from genbench.report.frame import Line, Thing
from genbench.report.gate import Gate
from genbench.report.model import Column
from genbench.scoring.columns import LIKELIHOODS, OF_TRIALS
from genbench.scoring.protocols import ways
from genbench.spec import Suite

MOST_NAMED = 10
"""So many trials that lack something are named."""

ByTrainer = dict[Thing, list[Line]]


def gaps(
    of: ByTrainer, trainers: Mapping[Thing, str], gate: Gate, columns: Sequence[Column], plan: Suite | None
) -> Iterator[str]:
    """One sentence for all trials that lack the same for the same reason.

    `of` are the trials' lines, `columns` those that the table has. A column that was added, say to samples from
    elsewhere, is lacked by nobody where no trial has it.
    """
    added = {line.metric for lines in of.values() for line in lines if line.added}
    table = [column for column in columns if not column.added or column.name in added]
    lacking: dict[str, list[str]] = {}
    for trainer, lines in of.items():
        trials: dict[int, list[Line]] = {line.seed: [] for line in lines if line.state != "failed"}
        for line in lines:
            if line.seed in trials:
                trials[line.seed].append(line)
        modelled = {line.metric for line in lines if line.identity and line.identity.metric in OF_TRIALS}
        wanted = [column for column in table if column.identity.metric not in OF_TRIALS or column.name in modelled]
        for seed, own in trials.items():
            for said in _lacks(own, wanted, gate, plan):
                lacking.setdefault(said, []).append(f"{trainers[trainer]}, seed {seed}")
    for said, which in lacking.items():
        more = [f"and {len(which) - MOST_NAMED} more"] if which[MOST_NAMED:] else []
        yield f"Finished and without {said}: {'; '.join([*which[:MOST_NAMED], *more])}."


def without_likelihood(of: ByTrainer, trainers: Mapping[Thing, str]) -> list[str]:
    """The names of trainers that finished a trial and whose scores say nothing of held-out data."""
    return [
        trainers[trainer]
        for trainer, lines in of.items()
        if any(line.metric and line.state != "failed" for line in lines)
        and not any(line.identity and line.identity.metric in LIKELIHOODS for line in lines)
    ]


def _lacks(own: Sequence[Line], wanted: Sequence[Column], gate: Gate, plan: Suite | None) -> Iterator[str]:
    """What a trial lacks of the wanted columns, with the reason or the command, one text a command."""
    protocol = gate.protocol.name
    stored = cache(lambda: own[0].trial.samples if own[0].trial is not None else 0)  # of a file, which is opened
    scored = {line.metric: line for line in own if line.protocol == protocol and line.metric}
    skipped: dict[str, list[str]] = {}
    missing = {column.name: column for column in wanted}
    for name, line in scored.items():
        lacked = line.state == "skipped" and line.band is not None
        if lacked and line.identity is not None and line.identity.n <= stored():
            skipped.setdefault(str(line.reason), []).append(name)
        if gate.admits(line) and not (lacked and name not in skipped.get(str(line.reason), ())):
            missing.pop(name, None)
    yield from (f"{', '.join(names)} ({reason})" for reason, names in skipped.items())
    if scored and not missing:
        return
    samples = stored()
    by_samples = [c for c in missing.values() if c.identity.metric not in OF_TRIALS]
    made = [c for c in by_samples if c.identity.n <= samples]
    for columns in ([c for c in made if not c.added], [c for c in made if c.added]):
        if columns:
            names = ", ".join(column.name for column in columns)
            what = names if scored or len(made) < len(missing) or columns[0].added else f"scores under {protocol}"
            yield f"{what}, which {_rescored(protocol, columns, plan)} gives them"
    lost = [c for c in missing.values() if c not in made]
    few = [c for c in lost if c in by_samples]
    least = min(map(gate.protocol.wanted, gate.protocol.columns))
    if not scored and not missing and samples >= least:
        yield f"scores under {protocol}, which {_rescored(protocol, (), plan)} gives them"
    elif not scored and not missing:
        yield f"scores under {protocol}{_too_few(least, gate, plan)}"
    if few and plan is not None and protocol not in plan.protocols:
        yield f"{', '.join(c.name for c in few)}{_too_few(max(c.identity.n for c in few), gate, plan)}"
        lost = [c for c in lost if c not in few]
    if lost:
        yield f"{', '.join(column.name for column in lost)}, which only training again gives them (--rerun all)"


def _rescored(protocol: str, columns: Sequence[Column], plan: Suite | None) -> str:
    """The command that scores stored samples by these columns of a protocol."""
    added = [word for column in columns if column.added for word in ("--metric", column.name)]
    first = plan is None or plan.protocols[0] == protocol
    return shlex.join(["genbench", "rescore", *([] if added and first else ["--protocol", protocol]), *added])


def _too_few(n: int, gate: Gate, plan: Suite | None) -> str:
    """Why stored samples are too few for a protocol that wants `n`, and what draws enough."""
    name = gate.protocol.name
    drawn = max((way.n for way in ways(plan.protocols)), default=0) if plan is not None else 0
    if n <= drawn:
        return (
            f", for which they keep too few samples: train again, and keep {n} or more (--rerun all --keep-samples "
            f"{n}), then {_rescored(name, (), plan)}"
        )
    return f", which takes {n} samples: only a suite with {name} among its protocols draws so many"
