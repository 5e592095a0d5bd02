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

from genbench.records.record import ControlScores, Record
from genbench.registry import Reference, metrics
from genbench.report.model import Row, Table
from genbench.report.places import Rows
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
        return median([math.inf if found is None else found for found in self.steps.values()])


def budget_of(table: Table) -> tuple[str, float]:
    """The unit and the amount of a table's budget."""
    unit, _, amount = table.budget.partition("=")
    return unit, float(amount)


def at_end(table: Table, records: Sequence[Record]) -> Equal | None:
    """The trainers of a table at the end of their budget, by its deciding column, in the unit that the budget counts.

    None without such a column, and for seconds of several devices.
    """
    unit, amount = budget_of(table)
    column = deciding(table)
    if column is None or (unit == "seconds" and _devices(records) > 1):
        return None
    found = {row.label: _values(row, column.name) for row in table.trainers}
    return _equal(unit, amount, column.name, column.identity.n, True, found, bool(column.higher_is_better))


def along(table: Table, curves: pd.DataFrame, rows: Rows) -> list[Equal]:
    """The trainers of a table at equal amounts of what its budget doesn't count, read off curves at constant rates.

    `rows` are the trials by trainer, finished or not. `curves` has a row a checkpoint, with `trainer`, `seed`, the
    units and the metric, between whose values a straight line is drawn over the unit's logarithm; the amount is the
    most that every finished trial reached. None are found where some trainer's rate isn't constant.
    """
    metric = on_curves(table.protocol, curves)
    if metric is None or not constant_rates(found.record for of in rows.values() for found in of):
        return []
    known = curves[curves[metric].notna()]
    higher, n = bool(higher_is_better(table.protocol, metric)), table.protocol.along().n
    compared = []
    for unit in (unit for unit in ALONG if unit != budget_of(table)[0]):
        passed = known[known[unit] > 0]
        amount = float(passed.groupby(["trainer", "seed"])[unit].max().min())
        found: dict[str, list[float | None]] = {
            trainer: [None for trial in of if trial.record.status != "done"] for trainer, of in rows.items()
        }
        for trainer, _, marks in _each(passed):
            by_unit = marks.sort_values(unit)
            place, value = (by_unit[name].to_numpy(float) for name in (unit, metric))
            found[trainer].append(float(np.interp(math.log(amount), np.log(place), value)))
        compared.append(_equal(unit, amount, metric, n, False, found, higher))
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


def reachable(controls: ControlScores | None, protocol: Protocol, name: str) -> float | None:
    """What the truth itself always reaches in a column at the n of curves: the least of the oracle's draws."""
    draws = controls.along.get("oracle", ()) if controls else ()
    n = protocol.along().n
    values = [
        score.value
        for draw in draws
        for score in draw
        if score.name == name and score.value is not None and score.identity.n == n
    ]
    return min(values, default=None)


def time_to(curves: pd.DataFrame, rows: Rows, metric: str, target: float) -> list[Reached]:
    """How many generator steps each trainer's seeds took until the metric was first at the target or above."""
    steps: dict[str, dict[int, float | None]] = {
        trainer: {trial.record.trial.seed: None for trial in of} for trainer, of in rows.items() if of
    }
    for trainer, seed, marks in _each(curves[curves[metric] >= target]):
        steps[trainer][seed] = float(marks["steps"].min())
    return sorted((Reached(trainer, found) for trainer, found in steps.items()), key=lambda reached: reached.median)


def _equal(
    unit: str,
    amount: float,
    metric: str,
    n: int,
    final: bool,
    found: Mapping[str, Sequence[float | None]],
    higher: bool,
) -> Equal:
    """The trainers by the mean rank of their runs among all, in which a lost run is behind all others."""
    places = iter(ranks([value for values in found.values() for value in values], higher))
    standings = [
        Standing(trainer, tuple(values), _middle(values, higher), float(np.mean([next(places) for _ in values])))
        for trainer, values in found.items()
        if values
    ]
    return Equal(unit, amount, metric, n, final, tuple(sorted(standings, key=lambda standing: standing.rank)))


def _middle(values: Sequence[float | None], higher: bool) -> float | None:
    worst = -math.inf if higher else math.inf
    middle = median([worst if value is None else value for value in values])
    return middle if math.isfinite(middle) else None


def _values(row: Row, name: str) -> list[float | None]:
    cell = row.cell(name)
    return [*cell.values, *[None] * cell.lost]


def _devices(records: Sequence[Record]) -> int:
    origins = [record.provenance for record in records]
    return len({tuple(origin.get(key) for key in SAME_DEVICE) for origin in origins if SAME_DEVICE[0] in origin})


def _each(curves: pd.DataFrame) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """Each trial's rows."""
    for trainer, of_trainer in curves.groupby("trainer"):
        for seed, rows in of_trainer.groupby("seed"):
            yield str(trainer), int(str(seed)), rows
