"""Published numbers held against ours: by how much the same method's mean differs, and whether that can be chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from genbench.report import published
from genbench.report.model import Column, Row, Table
from genbench.report.published import Printed
from genbench.report.verdict import ORACLE
from genbench.spec import Budget
from genbench.stats.intervals import Interval
from genbench.stats.means import Mean, difference

Agreement = Literal["may agree", "ours more", "ours less", "can't be told"]


@dataclass(frozen=True)
class Held:
    """A paper's number beside the mean of our trainer of that method: do they agree?

    `ours` has an interval of our mean, `away` is how far it lies above the paper's, with the interval that decides;
    `floor` is what the truth itself scores at that n, None where it wasn't measured. `lost` runs have no value, and
    then nothing can be told. `budget` is ours; the paper's is in `printed`.
    """

    printed: Printed
    trainer: str
    ours: Interval | None
    away: Interval | None
    runs: int
    lost: int
    floor: float | None
    budget: Budget | None

    @property
    def agrees(self) -> Agreement:
        """Whether chance alone, at the 5 % level, could have made the two differ so."""
        if self.away is None or self.away.low is None or self.away.high is None:
            return "can't be told"
        if self.away.low > 0:
            return "ours more"
        return "ours less" if self.away.high < 0 else "may agree"

    @property
    def share(self) -> float | None:
        """Our budget as a share of the paper's; None where either isn't known, or they count in different units."""
        theirs = self.printed.budget
        if theirs is None or self.budget is None or theirs.kind != self.budget.kind:
            return None
        return self.budget.amount / theirs.amount


def held(table: Table) -> tuple[Held, ...]:
    """Every published number of a method that the table has a trainer of, in the order of published.csv."""
    columns = {column.name: column for column in table.columns}
    rows = {row.trainer.label: row for row in table.trainers if row.ema is None}
    return tuple(
        _held(number, rows[number.trainer], columns[number.metric], table)
        for number in published.of(table.truth.label, table.protocol.name, columns)
        if number.trainer in rows
    )


def _held(number: Printed, row: Row, column: Column, table: Table) -> Held:
    cell = row.cell(column.name)
    ours = away = None
    if cell.values and not cell.lost:
        least, most = column.bounds[0], all_there_is(table, column)
        theirs = number.mean
        if theirs.error is None and most is not None and number.value >= most:
            theirs = theirs._replace(error=0.0)
        mean = Mean.of(cell.values, unit=column.step)
        ours, away = mean.interval((least, column.bounds[1] if most is None else most)), difference(mean, theirs)
    floor = table.control(ORACLE, column.name)
    return Held(number, row.label, ours, away, len(cell.values), cell.lost, floor, table.budget)


def all_there_is(table: Table, column: Column) -> float | None:
    """What a count can't exceed, which the truth has in every draw; None of what is no such count."""
    if not column.whole or not column.higher_is_better:
        return None
    cells = [row.cell(column.name) for row in table.rows if row.kind == "control" and row.label == ORACLE]
    drawn = {value for cell in cells for value in cell.values}
    return drawn.pop() if len(drawn) == 1 else None


def shares(of: Sequence[Held]) -> Iterator[str]:
    """What is to be said of budgets: which part of its paper's training each trainer had, a sentence each."""
    said: dict[str, None] = {}
    for each in of:
        paper = each.printed.source
        if each.printed.budget is None:
            said[f"{paper} doesn't state how long {each.printed.method} was trained; ours had {each.budget}."] = None
        elif each.share is not None and not math.isclose(each.share, 1):
            said[
                f"{each.trainer} was trained {each.share:.3g} times as long as in {paper}: this is no reproduction."
            ] = None
    yield from said
