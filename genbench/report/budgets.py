"""Trainers after equal steps, updates, samples or seconds; and how soon each reaches a target.

A learning rate that falls over a budget makes every moment before its end half-way: a trainer with more updates a
step would be read while its rate is still high. So trainers are ranked at an equal amount of a unit where their budget
counts it, by their final scores; or, at constant rates, where their curves pass it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from genbench.records.record import Record
from genbench.references import Reference
from genbench.registry import metrics
from genbench.report.frame import Line
from genbench.report.model import Row, Table
from genbench.report.verdict import deciding
from genbench.scoring.protocols import Protocol
from genbench.stats.intervals import median
from genbench.stats.ranks import ranks

UNITS = ("steps", "updates", "samples", "seconds")
"""What a meter counts; a curve has a column of each."""

ALONG = ("steps", "updates", "samples")
"""What trainers of constant rates are compared after by their curves."""

SAME_DEVICE = ("device", "cores")
"""What of a record's provenance must be one for seconds to be compared."""


@dataclass(frozen=True)
class Standing:
    """A trainer after an amount: one value a run, None for a lost one, their median, and their mean rank among all.

    Lost runs are worst in median and ranks; the median is None where it is one of them.
    """

    trainer: str
    values: tuple[float | None, ...]
    median: float | None
    rank: float


@dataclass(frozen=True)
class Equal:
    """All trainers after the same `amount` of a unit, the best rank first, by a metric on `n` samples.

    `final` says whether these are the ends of their budgets, or moments of runs at a constant rate.
    """

    unit: str
    amount: float
    metric: str
    n: int
    final: bool
    standings: tuple[Standing, ...]


@dataclass(frozen=True)
class Reached:
    """How soon a trainer's seeds came to a target: generator steps by seed, None for never."""

    trainer: str
    steps: Mapping[int, float | None]

    @property
    def median(self) -> float:
        """Steps, infinitely many where half of the seeds never came there."""
        return median([math.inf if steps is None else steps for steps in self.steps.values()])


def at_end(table: Table) -> Equal | None:
    """The trainers of a table at the end of their budget, by its deciding column, in the unit that the budget counts.

    None without such a column, and for seconds of several devices.
    """
    budget, column = table.budget, deciding(table)
    if budget is None or column is None or (budget.kind == "seconds" and _devices(_records(table)) > 1):
        return None
    values = {row.label: _values(row, column.name) for row in table.trainers}
    higher = bool(column.higher_is_better)
    return _equal(budget.kind, budget.amount, column.name, column.identity.n, True, values, higher)


def along(table: Table, curves: pd.DataFrame) -> list[Equal]:
    """The trainers of a table at equal amounts of what its budget doesn't count, read off curves at constant rates.

    `curves` has a row a checkpoint, with `trainer`, `seed`, the
    units and the metric, between whose values a straight line is drawn over the unit's logarithm; the amount is the
    most that every finished trial reached. None are found where some trainer's rate isn't constant.
    """
    metric = on_curves(table.protocol, curves)
    if metric is None or table.budget is None or not constant_rates(_records(table)):
        return []
    known = curves[curves[metric].notna()]
    higher, n = bool(higher_is_better(table.protocol, metric)), table.protocol.along().n
    compared = []
    for unit in (unit for unit in ALONG if unit != table.budget.kind):
        passed = known[known[unit] > 0]
        amount = float(passed.groupby(["trainer", "seed"])[unit].max().min())
        values: dict[str, list[float | None]] = {
            trainer: [None for trial in of if trial.record.status != "done"] for trainer, of in table.trials.items()
        }
        for trainer, _, marks in _each(passed):
            by_unit = marks.sort_values(unit)
            place, value = (by_unit[name].to_numpy(float) for name in (unit, metric))
            values[trainer].append(float(np.interp(math.log(amount), np.log(place), value)))
        compared.append(_equal(unit, amount, metric, n, False, values, higher))
    return compared


def constant_rates(records: Iterable[Record]) -> bool:
    """Whether all trainers say that their learning rate stays what it is."""
    return all(record.trial.trainer.parameters.get("schedule") == "constant" for record in records)


def on_curves(protocol: Protocol, curves: pd.DataFrame) -> str | None:
    """The metric by which curves are compared: the protocol's deciding one where they have it, or the next best."""
    wanted = (*protocol.deciding, *reversed(protocol.curve))
    return next((name for name in wanted if name in curves and curves[name].notna().any()), None)


def higher_is_better(protocol: Protocol, name: str) -> bool | None:
    """The direction of a protocol's column."""
    reference = Reference.parse(protocol.columns[name])
    return metrics[reference.name].higher_is_better


def reachable(oracle: Iterable[Line], protocol: Protocol, metric: str) -> float | None:
    """What the truth itself always reaches in a column at the n of curves: the least of the oracle's draws."""
    n = protocol.along().n
    of = (line for line in oracle if line.metric == metric and line.identity is not None and line.identity.n == n)
    return min((line.value for line in of if line.value is not None), default=None)


def time_to(table: Table, curves: pd.DataFrame, metric: str, target: float) -> list[Reached]:
    """How many generator steps each trainer's seeds took until the metric was first at the target or above."""
    steps: dict[str, dict[int, float | None]] = {
        trainer: {trial.record.trial.seed: None for trial in of} for trainer, of in table.trials.items() if of
    }
    for trainer, seed, marks in _each(curves[curves[metric] >= target]):
        steps[trainer][seed] = float(marks["steps"].min())
    return sorted((Reached(trainer, of) for trainer, of in steps.items()), key=lambda reached: reached.median)


def _equal(
    unit: str,
    amount: float,
    metric: str,
    n: int,
    final: bool,
    values: Mapping[str, Sequence[float | None]],
    higher: bool,
) -> Equal:
    """The trainers by the mean rank of their runs among all, in which a lost run is behind all others."""
    places = iter(ranks([value for of in values.values() for value in of], higher))
    standings = [
        Standing(trainer, tuple(of), _middle(of, higher), float(np.mean([next(places) for _ in of])))
        for trainer, of in values.items()
        if of
    ]
    return Equal(unit, amount, metric, n, final, tuple(sorted(standings, key=lambda standing: standing.rank)))


def _middle(values: Sequence[float | None], higher: bool) -> float | None:
    worst = -math.inf if higher else math.inf
    middle = median([worst if value is None else value for value in values])
    return middle if math.isfinite(middle) else None


def _values(row: Row, name: str) -> list[float | None]:
    cell = row.cell(name)
    return [*cell.values, *[None] * cell.lost]


def _records(table: Table) -> list[Record]:
    return [trial.record for of in table.trials.values() for trial in of]


def _devices(records: Sequence[Record]) -> int:
    origins = [record.provenance for record in records]
    return len({tuple(origin.get(key) for key in SAME_DEVICE) for origin in origins if SAME_DEVICE[0] in origin})


def _each(curves: pd.DataFrame) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """Each trial's rows."""
    for trainer, of_trainer in curves.groupby("trainer"):
        for seed, rows in of_trainer.groupby("seed"):
            yield str(trainer), int(str(seed)), rows
