"""The long frame: a line for every score of a suite's results, with all that says what it is a score of.

Whatever genbench shows is derived from it: records → `frame` → `table.tables` → `verdict.judged` → formats, page,
figures, `compare`. A line holds data; the names and the numbers that people read are made from it, last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from genbench.records.record import ControlScores, External, Identity, Record, Score, Scores
from genbench.records.store import Found, Store
from genbench.registry import metrics
from genbench.scoring.shipped import all_bands
from genbench.spec import Budget, Component, Suite, canonical_json

RowKind = Literal["trainer", "external", "control", "null band", "published"]
State = Literal["ok", "skipped", "undefined", "failed", "unscored"]

EXACT = "highest"
"""The precision of records that don't say theirs."""

Facts = tuple[str, ...]
"""What decides the bits of what carries a label, each in words."""


@dataclass(frozen=True)
class Thing:
    """A dataset, or what made samples, as it was in some trials: several may share a label, and differ in a fact.

    `facts` are what it is, `arithmetic` how a trainer's numbers were held and multiplied.
    """

    label: str
    facts: Facts = ()
    arithmetic: Facts = ()
    component: Component | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, component: Component) -> Thing:
        """A dataset."""
        return cls(component.label, facts(component.identity), component=component)

    @classmethod
    def behind(cls, record: Record) -> Thing:
        """What decides a trial's bits beside its dataset, seed and budget."""
        trial, engine, flags = record.trial, record.provenance.get("engine", {}), record.provenance.get("flags", {})
        made = (f"engine {trial.engine}", "no EMA" if trial.ema is None else f"EMA {trial.ema}")
        precision = "bf16" if engine.get("autocast") else flags.get("matmul_precision", EXACT)
        computed = arithmetic(precision, bool(engine.get("channels_last")), bool(flags.get("portable")))
        return cls(trial.trainer.label, (*facts(trial.trainer.identity), *made), computed, trial.trainer)

    @property
    def said(self) -> Facts:
        """All that tells it from others of its label."""
        return (*self.facts, *self.arithmetic)


class Line(NamedTuple):
    """A metric's value on one draw of samples. A draw without scores has one line, which says why, without a metric.

    `trainer` is what made the samples: a trainer, a control, or whoever gave them; `seed` counts a control's draws.
    `budget` is None where there is none, or nobody knows it. `ema` is the decay where the weights are averaged ones.
    `band` holds 95 % of the truth's own values; `added` says that the metric is none of the protocol's own. Where a
    trial is behind a line, all else that it left is in `trial`.
    """

    suite: str
    dataset: Thing
    budget: Budget | None
    kind: RowKind
    trainer: Thing
    seed: int
    trial: Found | None
    state: State
    reason: str | None = None
    ema: float | None = None
    protocol: str | None = None
    metric: str | None = None
    identity: Identity | None = None
    unit: str = ""
    higher_is_better: bool | None = None
    value: float | None = None
    band: tuple[float, float] | None = None
    added: bool = False


Draw = tuple[str, Thing, Budget | None, RowKind, Thing, int, Found | None]
"""What all lines of one draw share: their first fields, up to `trial`."""


class Frame(NamedTuple):
    """A suite's lines, and the plan that says which are missing.

    `along` are those of the oracle's draws as curves are scored, whose identities are none of a table's.
    """

    suite: str
    plan: Suite | None
    lines: tuple[Line, ...]
    along: tuple[Line, ...] = ()


def frame(store: Store, suite: str) -> Frame:
    """All that a results folder holds of a suite: its trials, finished or not, and what stands beside them.

    Beside them stand the controls of their datasets, and the samples from elsewhere of whatever has such a label.
    """
    trained = tuple(_trained(suite, [*store.trials(suite)]))
    datasets: dict[str, list[Thing]] = {}
    for dataset in dict.fromkeys(line.dataset for line in trained):
        datasets.setdefault(dataset.label, []).append(dataset)
    fixed: list[Line] = []
    along: list[Line] = []
    for controls in store.controls(suite):
        for dataset in _measured_on(controls, datasets.get(controls.dataset, ())):
            fixed += control_lines(suite, dataset, controls)
            along += _drawn(suite, dataset, {"oracle": controls.along.get("oracle", ())})
    for entry in store.externals():
        if entry.dataset.label in datasets:
            fixed += external_lines(suite, entry)
    return Frame(suite, store.plan(suite), (*fixed, *trained), tuple(along))


def control_lines(suite: str, dataset: Thing, controls: ControlScores) -> Iterator[Line]:
    """A dataset's null bands and controls; bands that ship today stand in the place of those of the same identity."""
    of = all_bands().get(canonical_json(dataset.component.identity), ()) if dataset.component else ()
    shipped = {(band.identity.protocol, band.name): band for band in of}
    bands = []
    for band in controls.bands:
        newest = shipped.get((band.identity.protocol, band.name))
        bands.append(newest if newest is not None and newest.identity == band.identity else band)
    yield from _scored((suite, dataset, None, "null band", Thing("null band"), 0, None), bands)
    yield from _drawn(suite, dataset, controls.draws)


def external_lines(suite: str, entry: External) -> Iterator[Line]:
    """The scores of samples from elsewhere."""
    return _scored((suite, Thing.of(entry.dataset), None, "external", Thing(entry.name), 0, None), entry.scores)


def arithmetic(precision: str, channels_last: bool, portable: bool) -> Facts:
    """How numbers are held and multiplied, in words."""
    layout = f"channels {'last' if channels_last else 'first'}"
    return f"precision {precision}", layout, "portable arithmetic" if portable else "the device's arithmetic"


def facts(identity: Mapping[str, Any]) -> Facts:
    """A component's identity: name, version, parameters, files and source; of hashes, the beginning."""
    parameters = (f"{name}={value}" for name, value in sorted(identity["parameters"].items()))
    files = (f"{name} {sha256[:8]}…" for name, sha256 in sorted(identity["files"].items()))
    source = (
        f"{of.replace('sha256', 'source')} {told[:8]}…" if of.endswith("sha256") else f"{of} {told}"
        for of, told in identity.get("source", {}).items()
    )
    return (identity["name"], f"version {identity['version']}", *parameters, *files, *source)


def _measured_on(controls: ControlScores, datasets: Sequence[Thing]) -> list[Thing]:
    """The dataset that controls were measured on; older ones don't say, and are of the only one of their label."""
    if controls.truth is None:
        return [*datasets] if len(datasets) == 1 else []
    return [dataset for dataset in datasets if dataset.facts == facts(controls.truth)]


def _trained(suite: str, trials: Sequence[Found]) -> Iterator[Line]:
    in_steps = any((trial.record.cost.evaluations or 0) > 1 for trial in trials)
    places: dict[tuple[Thing, Budget], dict[Thing, list[Found]]] = {}
    for trial in trials:
        of = trial.record.trial
        rows = places.setdefault((Thing.of(of.dataset), of.budget), {})
        rows.setdefault(Thing.behind(trial.record), []).append(trial)
    for (dataset, budget), rows in places.items():
        for trainer, own in _settled(rows).items():
            for trial in own:
                record = trial.record
                draw: Draw = (suite, dataset, budget, "trainer", trainer, record.trial.seed, trial)
                if record.status != "done":
                    yield Line(*draw, "failed", f"{record.status}: {record.reason}")
                elif trial.scores is None:
                    yield Line(*draw, "unscored")
                else:
                    yield from _scored(draw, trial.scores.scores)
                    if in_steps:
                        yield from _evaluations(draw, record, trial.scores)


def _evaluations(draw: Draw, record: Record, scores: Scores) -> Iterator[Line]:
    """What a sample costs, a line beside the scores of each protocol and average."""
    of = (score.identity for score in scores.scores if not score.added)
    beside = ((each.protocol, each.protocol_version, tuple(each.protocol_source.items()), each.ema) for each in of)
    return _scored(draw, [_cost_of_a_sample(record.cost.evaluations, *each) for each in dict.fromkeys(beside)])


@lru_cache
def _cost_of_a_sample(
    count: int | None, protocol: str, version: int, source: tuple[tuple[str, str], ...], ema: float | None
) -> Score:
    metric = metrics["evaluations"]
    identity = Identity(
        metric=metric.name,
        version=metric.version,
        parameters={},
        protocol=protocol,
        protocol_version=version,
        protocol_source=dict(source),
        n=1,
        split="each sample",
        dtype="int64",
        ema=ema,
    )
    return Score(
        name=metric.name,
        identity=identity,
        value=count,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        state="skipped" if count is None else "ok",
        reason="nobody counted them" if count is None else None,
        added=True,
    )


def _settled(rows: Mapping[Thing, list[Found]]) -> dict[Thing, list[Found]]:
    """Trials, those that failed before they could say how they compute among the only ones that may be like them."""
    settled = {thing: [*trials] for thing, trials in rows.items()}
    for thing in [thing for thing, trials in rows.items() if all(map(_is_silent, trials))]:
        others = [each for each in settled if (each.label, each.facts) == (thing.label, thing.facts) and each != thing]
        if len(others) == 1:
            settled[others[0]] += settled.pop(thing)
    return settled


def _is_silent(trial: Found) -> bool:
    origin = trial.record.provenance
    return trial.record.status != "done" and not (origin.get("engine") or origin.get("flags"))


def _drawn(suite: str, dataset: Thing, draws: Mapping[str, Sequence[Sequence[Score]]]) -> Iterator[Line]:
    for label, of in draws.items():
        control = Thing(label)
        for seed, scores in enumerate(of):
            yield from _scored((suite, dataset, None, "control", control, seed, None), scores)


def _scored(draw: Draw, scores: Sequence[Score]) -> Iterator[Line]:
    """The lines of a draw's scores."""
    if not scores:
        yield Line(*draw, "ok")
    for score in scores:
        identity, low, high = score.identity, score.null_low, score.null_high
        yield Line(
            *draw,
            score.state,
            score.reason,
            identity.ema,
            identity.protocol,
            score.name,
            identity,
            score.unit,
            score.higher_is_better,
            score.value,
            None if low is None or high is None else (low, high),
            score.added,
        )
