"""From a results folder to tables: which trials and controls are rows, and which of their scores may share a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from genbench.records.record import ControlScores, External, Identity, Score
from genbench.records.store import Found, Store
from genbench.registry import metrics
from genbench.report import published
from genbench.report.model import Cell, Column, Row, Table
from genbench.report.places import Rows, facts, is_planned, making, placed
from genbench.report.verdict import judged
from genbench.scoring.protocols import Protocol
from genbench.scoring.shipped import all_bands
from genbench.spec import Component, Suite, canonical_json

AVERAGED = ", EMA "
"""Stands between a trainer's label and the decay, in the label of the row of its averaged weights."""

LEFT_OUT = "Some values are left out"
NO_TESTS = "External rows are scores of samples from elsewhere: their budget is unknown, and no test compares them."


def tables(store: Store, suite: str, protocol: Protocol) -> list[Table]:
    """The tables of a suite's results, one a dataset and budget, in the plan's order."""
    plan = store.plan(suite)
    controls = {found.dataset: found for found in store.controls(suite)}
    externals: dict[str, list[External]] = {}
    for entry in store.externals():
        externals.setdefault(entry.dataset.label, []).append(entry)
    listed = []
    for (dataset, budget), rows in placed(store.trials(suite), plan).items():
        of = _dataset(rows)
        table = Table(suite, dataset, budget, protocol, truth=facts(of.identity), label=of.label)
        listed.append(_filled(table, of, rows, controls.get(of.label), plan, externals.get(of.label, ())))
    return judged(listed)


def are_of(controls: ControlScores, table: Table) -> bool:
    """Whether controls were measured on a table's dataset; older ones don't say, and are if it is the only one."""
    return table.dataset == controls.dataset if controls.truth is None else table.truth == facts(controls.truth)


def external_table(entry: External, protocol: Protocol, controls: ControlScores) -> Table:
    """The table of samples from elsewhere alone, among their dataset's controls; its notes say why cells are empty."""
    gate = Gate(protocol)
    fixed = _fixed(controls, gate)
    rows = (*_externals([entry], gate), *fixed)
    columns = _held(gate, rows)
    held = {column.name for column in columns}
    reasons: dict[str, list[str]] = {}
    for score in entry.scores:
        if score.value is None and (score.name in held or not held):
            reasons.setdefault(str(score.reason), []).append(score.name)
    notes = (f"No {', '.join(names)}: {reason}." for reason, names in reasons.items())
    return Table(
        "", entry.dataset.label, f"budget {entry.budget}", protocol, columns=columns, rows=rows, notes=tuple(notes)
    )


def external_tables(store: Store, protocols: Mapping[str, Protocol]) -> list[Table]:
    """The tables of all samples from elsewhere, one an entry and protocol among these, with the null band alone."""
    found = []
    for entry in store.externals():
        bands = ControlScores(dataset=entry.dataset.label, key="", draws={}, bands=entry.scores)
        names = dict.fromkeys(score.identity.protocol for score in entry.scores)
        found += [external_table(entry, protocols[name], bands) for name in names if name in protocols]
    return found


def _filled(
    table: Table,
    dataset: Component,
    placed: Rows,
    controls: ControlScores | None,
    plan: Suite | None,
    externals: Sequence[External],
) -> Table:
    """The table with its rows and columns, and notes on what isn't in them."""
    gate = Gate(table.protocol)
    notes = []
    if controls is None or not are_of(controls, table):
        notes.append("This dataset's controls are missing; genbench run measures them.")
        controls = None
    fixed = _fixed(_with_shipped_bands(controls, dataset), gate) if controls else []
    if plan and not is_planned(plan, dataset.label, table.budget):
        plan = None
    trained = [row for name, found in placed.items() for row in _trainer_rows(name, table.dataset, found, plan, gate)]
    others = [entry.name for entry in externals if entry.dataset.identity != dataset.identity]
    foreign = list(_externals([entry for entry in externals if entry.name not in others], gate))
    if foreign:
        notes.append(NO_TESTS)
    if others:
        notes.append(f"Scored on other data under the same label, so left out: {', '.join(others)}.")
    rows = (*trained, *foreign, *fixed)
    if gate.refused:
        names = ", ".join(sorted(gate.refused))
        notes.append(f"{LEFT_OUT}, being of another version, source or n than their column: {names}.")
    origins = [trial.record.provenance for of in placed.values() for trial in of]
    devices = sorted({str(origin["device"]) for origin in origins if "device" in origin})
    if len(devices) > 1:
        notes.append(
            f"Trained on several devices, whose bits differ and whose seconds aren't compared: {', '.join(devices)}."
        )
    columns = _held(gate, rows)
    literature = published.rows(dataset.label, table.protocol.name, [column.name for column in columns])
    return replace(table, columns=columns, rows=(*rows, *literature), notes=tuple(notes))


def _dataset(rows: Rows) -> Component:
    """The dataset of a table's trials, all of which share it."""
    return next(found.record.trial.dataset for of in rows.values() for found in of)


def _with_shipped_bands(controls: ControlScores, dataset: Component) -> ControlScores:
    """The controls with the bands that ship today in the place of stored ones of the same identity."""
    of = all_bands().get(canonical_json(dataset.identity), ())
    shipped = {(band.identity.protocol, band.name): band for band in of}

    def newest(band: Score) -> Score:
        found = shipped.get((band.identity.protocol, band.name))
        return found if found is not None and found.identity == band.identity else band

    return controls.model_copy(update={"bands": tuple(map(newest, controls.bands))})


def _fixed(controls: ControlScores, gate: Gate) -> list[Row]:
    """The rows of the controls, and the null band."""
    bands = {b.name: (b.null_low, b.null_high) for b in gate.admit(controls.bands)}
    rows = [
        Row("control", label, _cells(gate, enumerate(map(gate.admit, draws))), len(draws), len(draws))
        for label, draws in controls.draws.items()
    ]
    ends = {name: Cell(band=(low, high)) for name, (low, high) in bands.items() if low is not None and high is not None}
    return [*rows, Row("null band", "null band", ends)]


def _externals(entries: Iterable[External], gate: Gate) -> Iterator[Row]:
    """The rows of samples from elsewhere that were scored under the gate's protocol."""
    for entry in entries:
        if any(score.identity.protocol == gate.protocol.name for score in entry.scores):
            yield Row("external", entry.name, _cells(gate, [(0, gate.admit(entry.scores))]), 1, 1)


def _held(gate: Gate, rows: Iterable[Row]) -> tuple[Column, ...]:
    """The columns in which some row has a value."""
    held = {name for row in rows for name, cell in row.cells.items() if cell.values or cell.band}
    return tuple(gate.columns[name] for name in gate.columns if name in held)


class Gate:
    """Lets scores of one protocol into a table, and of each name only those with the first one's identity."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.columns: dict[str, Column] = {}
        self.refused: set[str] = set()

    def admit(self, scores: Iterable[Score]) -> list[Score]:
        """The scores that belong into the table."""
        admitted = []
        for score in scores:
            if score.identity.protocol != self.protocol.name:
                continue
            # Averaged weights are judged alike: what they differ in is what a row is of.
            identity = score.identity.model_copy(update={"ema": None})
            if score.name not in self.columns:
                self.columns[score.name] = _column(score, identity)
            if self.columns[score.name].identity == identity:
                admitted.append(score)
            else:
                self.refused.add(score.name)
        return admitted


def _column(score: Score, identity: Identity) -> Column:
    """A column, with what its metric says of its values; of a metric that isn't registered, that is nothing."""
    known = Column(score.name, score.unit, score.higher_is_better, identity, added=score.added)
    if identity.metric not in metrics:
        return known
    return replace(known, bounds=metrics[identity.metric].bounds, whole=metrics[identity.metric].whole)


def _trainer_rows(label: str, dataset: str, trials: Sequence[Found], plan: Suite | None, gate: Gate) -> Iterator[Row]:
    """The row of a trainer as it was trained, and one for each average of its generator's weights."""
    scored = [
        (found.record.trial.seed, found.scores.scores)
        for found in trials
        if found.record.status == "done" and found.scores is not None
    ]
    records = [found.record for found in trials]
    ended = {of.trial.seed: None if of.status == "done" else f"{of.status}: {of.reason}" for of in records}
    failures = [f"{label} on {dataset}, seed {seed}: {why}" for seed, why in ended.items() if why is not None]
    trainer = trials[0].record.trial.trainer.label if trials else label
    seeds = tuple(plan.seeds) if plan and trainer in plan.trainers else ()
    averages = {score.identity.ema for _, scores in scored for score in scores} | {None}
    for ema in sorted(averages, key=lambda ema: ema or 0):
        own = [(seed, [score for score in scores if score.identity.ema == ema]) for seed, scores in scored]
        draws = [(seed, gate.admit(scores)) for seed, scores in own if scores or ema is None]
        yield Row(
            "trainer",
            label if ema is None else f"{label}{AVERAGED}{ema}",
            _cells(gate, draws, len(failures)),
            len(draws),
            len({*seeds, *ended}),
            tuple(failures),
            ended=ended,
            seeds=seeds,
            making=next((making(each) for each in sorted(records, key=lambda each: each.status != "done")), ()),
            ema=ema,
            trainer=trainer,
        )


def _cells(gate: Gate, draws: Iterable[tuple[int, Sequence[Score]]], failed: int = 0) -> dict[str, Cell]:
    """The cells of scores by seed, where so many more seeds failed."""
    found: dict[str, dict[int, float]] = {}
    undefined: Counter[str] = Counter()
    for seed, scores in draws:
        for score in scores:
            if score.value is not None:
                found.setdefault(score.name, {})[seed] = score.value
            elif score.state == "undefined":
                found.setdefault(score.name, {})
                undefined[score.name] += 1
    return {
        name: Cell.of(by_seed, gate.columns[name].higher_is_better, failed + undefined[name])
        for name, by_seed in found.items()
    }
