"""From the long frame to tables: which lines are a row, and which of their values may share a column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from genbench.records.record import ControlScores, External
from genbench.records.store import Store
from genbench.report import published
from genbench.report.frame import Frame, Line, Thing, control_lines, external_lines
from genbench.report.gaps import ByTrainer, gaps, without_likelihood
from genbench.report.gate import Gate
from genbench.report.model import Cell, Failure, Row, Table
from genbench.report.names import in_order, names
from genbench.report.verdict import judged
from genbench.scoring.columns import LIKELIHOODS
from genbench.scoring.protocols import Protocol
from genbench.spec import Budget, Suite

NO_CONTROLS = "This dataset's controls are missing; genbench run measures them."
NO_TESTS = "External rows are scores of samples from elsewhere: their budget is unknown, and no test compares them."


def tables(frame: Frame, protocol: Protocol) -> list[Table]:
    """The tables of a suite's results, one a dataset and budget, in the plan's order."""
    plan = frame.plan
    trained: dict[tuple[Thing, Budget], ByTrainer] = {}
    beside: dict[str, list[Line]] = {}
    for (dataset, budget, trainer), lines in groupby(frame.lines, attrgetter("dataset", "budget", "trainer")):
        if budget is None:
            beside.setdefault(dataset.label, []).extend(lines)
        else:
            trained.setdefault((dataset, budget), {}).setdefault(trainer, []).extend(lines)
    trainers = names((trainer for of in trained.values() for trainer in of), plan.trainers if plan else ())
    datasets = names((dataset for dataset, _ in trained), plan.datasets if plan else ())
    budgets = budgets_in_order((budget for _, budget in trained), plan)
    listed = []
    for dataset, budget in ((dataset, budget) for dataset in datasets for budget in budgets):
        if (dataset, budget) in trained:
            table = Table(frame.suite, datasets[dataset], budget, protocol, truth=dataset)
            planned = plan if plan and dataset.label in plan.datasets and budget in plan.budgets else None
            listed.append(
                _filled(table, trained[dataset, budget], trainers, planned, beside.get(dataset.label, ()), plan)
            )
    return judged(listed)


def budgets_in_order(budgets: Iterable[Budget], plan: Suite | None) -> list[Budget]:
    """Each budget once: the plan's as they stand there, then the others by their units and amounts."""
    order = plan.budgets if plan else ()

    def place(budget: Budget) -> tuple[int, str, float]:
        return order.index(budget) if budget in order else len(order), budget.kind, budget.amount

    return sorted(set(budgets), key=place)


def external_table(entry: External, protocol: Protocol, controls: ControlScores) -> Table:
    """The table of samples from elsewhere alone, among their dataset's controls; its notes say why cells are empty."""
    gate = Gate(protocol)
    foreign = list(_externals(external_lines("", entry), gate))
    rows = (*foreign, *_fixed([*control_lines("", Thing(entry.dataset.label), controls)], gate))
    columns = gate.held(rows)
    held = {column.name for column in columns}
    empty = [score for score in entry.scores if score.value is None and (score.name in held or not held)]
    notes = _without((score.name, str(score.reason)) for score in empty)
    return Table("", entry.dataset.label, None, protocol, columns, rows, tuple(notes))


def external_tables(store: Store, protocols: Mapping[str, Protocol]) -> list[Table]:
    """The tables of all samples from elsewhere, one an entry and protocol among these, with the null band alone."""
    listed = []
    for entry in store.externals():
        bands = ControlScores(dataset=entry.dataset.label, key="", draws={}, bands=entry.scores)
        of = dict.fromkeys(score.identity.protocol for score in entry.scores)
        listed += [external_table(entry, protocols[name], bands) for name in of if name in protocols]
    return listed


def _filled(
    table: Table,
    of: ByTrainer,
    trainers: Mapping[Thing, str],
    plan: Suite | None,
    beside: Sequence[Line],
    suite: Suite | None,
) -> Table:
    """The table with its rows and columns, and notes on what isn't in them; `plan` is the `suite` if it is of that."""
    gate = Gate(table.protocol, (line for lines in of.values() for line in lines))
    notes = []
    own = [line for line in beside if line.dataset == table.truth]
    # What was trained comes first: a column is of the identity that its trials have, whatever the controls are of.
    trained = [
        row
        for name, trainer in _places(of, trainers, plan.trainers if plan else ())
        for row in _trained(name, trainer, table.dataset, of.get(trainer, ()), plan, gate)
    ]
    foreign = list(_externals((line for line in own if line.kind == "external"), gate))
    fixed = _fixed([line for line in own if line.kind != "external"], gate)
    rows = (*trained, *foreign, *fixed)
    if not fixed:
        notes.append(NO_CONTROLS)
    if foreign:
        notes.append(NO_TESTS)
    if others := dict.fromkeys(
        line.trainer.label for line in beside if line.kind == "external" and line.dataset != table.truth
    ):
        notes.append(f"Scored on other data under the same label, so left out: {', '.join(others)}.")
    columns = gate.held(rows)
    lacking = [*gaps(of, trainers, gate, columns, suite), *_refused(gate)]
    notes += lacking
    if any(column.identity.metric in LIKELIHOODS for column in columns) and (
        silent := without_likelihood(of, trainers)
    ):
        notes.append(f"Without a likelihood: {', '.join(silent)}.")
    origins = [trial.record.provenance for row in trained for trial in row.trials]
    devices = sorted({str(origin["device"]) for origin in origins if "device" in origin})
    if len(devices) > 1:
        notes.append(
            f"Trained on several devices, whose bits differ and whose seconds aren't compared: {', '.join(devices)}."
        )
    judges = sorted(
        {str(trial.scores.device) for row in trained for trial in row.trials if trial.scores and trial.scores.device}
    )
    if len(judges) > 1 and judges != devices:
        notes.append(f"Scored on several devices, whose values agree but for rounding: {', '.join(judges)}.")
    held = {column.name for column in columns}
    nowhere = [line for lines in of.values() for line in lines if line.state == "undefined" and gate.admits(line)]
    notes += _without((str(line.metric), str(line.reason)) for line in nowhere if line.metric not in held)
    of_papers = table.truth.label, table.protocol.name, [column.name for column in columns]
    literature = published.rows(*of_papers)
    if literature:
        notes.append(f"How published rows were scored: {published.ways(*of_papers)}.")
    return replace(table, columns=columns, rows=(*rows, *literature), notes=tuple(notes), gaps=tuple(lacking))


def _refused(gate: Gate) -> Iterator[str]:
    """What rows beside the trainers have values of that fit no column, and which command measures them anew."""
    of: dict[str, tuple[list[str], dict[str, None]]] = {}
    for (kind, label), metrics in gate.refused.items():
        if kind != "trainer":
            labels, names = of.setdefault("genbench score" if kind == "external" else "genbench run", ([], {}))
            labels.append(label)
            names.update(dict.fromkeys(metrics))
    for command, (labels, names) in of.items():
        yield (
            f"Left out of {', '.join(sorted(labels))}, being of another version, source or n than their column: "
            f"{', '.join(names)}; {command} measures them anew."
        )


def _without(reasons: Iterable[tuple[str, str]]) -> list[str]:
    """Why metrics, each given with a reason, have no value, one sentence a reason."""
    listed: dict[str, dict[str, None]] = {}
    for name, reason in reasons:
        listed.setdefault(reason, {})[name] = None
    return [f"No {', '.join(of)}: {reason}." for reason, of in listed.items()]


def _places(of: ByTrainer, trainers: Mapping[Thing, str], planned: Sequence[str]) -> Iterator[tuple[str, Thing]]:
    """The trainers of a table with their names; what is planned has its place even where nothing is there of it."""
    for label in in_order([*planned, *(trainer.label for trainer in trainers)], planned):
        there = [trainer for trainer in trainers if trainer.label == label and trainer in of]
        yield from ((trainers[trainer], trainer) for trainer in there)
        if not there and label in planned:
            yield label, Thing(label)


def _trained(
    name: str, trainer: Thing, dataset: str, lines: Sequence[Line], plan: Suite | None, gate: Gate
) -> Iterator[Row]:
    """The row of a trainer as it was trained, and one for each average of its generator's weights."""
    ended = {line.seed: line.reason if line.state == "failed" else None for line in lines}
    failures = tuple(Failure(name, dataset, seed, why) for seed, why in ended.items() if why is not None)
    seeds = tuple(plan.seeds) if plan and trainer.label in plan.trainers else ()
    trials = {line.seed: line.trial for line in lines if line.trial is not None}
    for ema in sorted({line.ema for line in lines} | {None}, key=lambda ema: ema or 0):
        own = [line for line in lines if line.ema == ema]
        scored = {line.seed for line in (lines if ema is None else own) if line.state not in ("failed", "unscored")}
        yield Row(
            "trainer",
            name if ema is None else f"{name}, EMA {ema}",
            gate.cells(own, len(failures)),
            len(scored),
            len({*seeds, *ended}),
            failures,
            ended=ended,
            seeds=seeds,
            trainer=trainer,
            ema=ema,
            trials=tuple(trials.values()) if ema is None else (),
        )


def _fixed(lines: Sequence[Line], gate: Gate) -> list[Row]:
    """The rows of the controls, and the null band; none where nothing was measured.

    Beside what has the identity of its column, what else is stored of it is passed over.
    """
    lines = list(_fitting(lines, gate))
    bands = [line for line in lines if line.kind == "null band"]
    ends = {str(line.metric): Cell(band=line.band) for line in bands if gate.admits(line) and line.band}
    rows = []
    for control, own in _by_trainer(line for line in lines if line.kind == "control").items():
        draws = len({line.seed for line in own})
        rows.append(Row("control", control.label, gate.cells(own), draws, draws))
    return [*rows, Row("null band", "null band", ends)] if lines else []


def _fitting(lines: Sequence[Line], gate: Gate) -> Iterator[Line]:
    """The lines of columns that there are, of each draw's values those that fit where any do."""
    wanted = {*gate.columns, *gate.protocol.columns}
    places: dict[tuple[Thing, int, str | None, str | None], list[Line]] = {}
    for line in lines:
        places.setdefault((line.trainer, line.seed, line.protocol, line.metric), []).append(line)
    for (_, _, _, metric), of in places.items():
        if metric is None or metric in wanted or of[0].added:
            fit = [line for line in of if metric in gate.columns and gate.columns[metric].identity == line.identity]
            yield from fit or of[:1]


def _externals(lines: Iterable[Line], gate: Gate) -> Iterator[Row]:
    """The rows of samples from elsewhere that were scored under the gate's protocol."""
    for name, own in _by_trainer(lines).items():
        if any(line.protocol == gate.protocol.name for line in own):
            yield Row("external", name.label, gate.cells(own), 1, 1)


def _by_trainer(lines: Iterable[Line]) -> ByTrainer:
    rows: ByTrainer = {}
    for line in lines:
        rows.setdefault(line.trainer, []).append(line)
    return rows
