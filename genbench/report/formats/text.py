"""What people read in a table, whichever format shows it: headings, rounded cells, legends and notes."""

from __future__ import annotations

import math
from typing import NamedTuple

from genbench.report.model import Cell, Column, Row, Table

ARROWS = {True: "↑", False: "↓", None: ""}

LEGEND = (
    "Median over seeds [an interval that holds it in 15 of 16 experiments or more; of counts, and of three or four "
    "seeds, the least and the most]; (all): every seed scored the same, as far as shown. A run that failed, or left "
    "the metric nothing to measure (none), is worse than any score. ↑ more is better, ↓ less is better; a column "
    "without an arrow is best at the oracle's value, and shows those that have a value. Null band: 95 % of the truth's "
    "own scores at the same n. Letters: two trainers that share none in a column can be told apart (exchange of ranks, "
    "guarded against unequal spread, corrected for all pairs of trainers and all datasets, 5 %)."
)

PUBLISHED = (
    "Rows with a source are published: numbers as their papers print them, of other code, networks and budgets. They "
    "take part in no test and have no letters; SE is a standard error, SD a standard deviation over the paper's runs."
)
UNITS = {"trainer": "seeds", "control": "draws", "published": "runs"}
SPREADS = {"standard error": "SE", "standard deviation": "SD"}


class CellText(NamedTuple):
    """What stands in a cell: its number, and what else there is to say of it."""

    number: str
    rest: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The number, and the rest where there is any."""
        return tuple(filter(None, self))

    def __str__(self) -> str:
        return " ".join(self.parts)

    def and_then(self, more: str) -> CellText:
        """The same with more to say."""
        return CellText(self.number, " ".join(filter(None, (self.rest, more))))


def title(table: Table) -> str:
    """A table's heading."""
    suite = f" (suite {table.suite})" if table.suite else ""
    return f"{table.dataset}, {budget(table)}, protocol {table.protocol.name}{suite}"


def budget(table: Table) -> str:
    """A table's budget, `steps=3000`."""
    return "budget unknown" if table.budget is None else str(table.budget)


def headings(table: Table) -> list[str]:
    """The columns' names with an arrow to what is better."""
    return [f"{column.name}{ARROWS[column.higher_is_better]}" for column in table.columns]


def texts(table: Table, row: Row) -> list[CellText]:
    """A row's cells."""
    return [_text(row, column, row.cells.get(column.name)) for column in table.columns]


def seeds(row: Row) -> str:
    """How many seeds or draws stand behind a row, or that it is of samples from elsewhere."""
    if row.kind == "external":
        return row.kind
    if row.kind == "null band" or (row.kind == "published" and not row.finished):
        return ""
    counted = str(row.finished) if row.finished == row.planned else f"{row.finished}/{row.planned}"
    return f"{counted} {UNITS[row.kind]}"


def standing(row: Row) -> str:
    """What stands beside a row's label: its seeds, and of a published one where it is from."""
    return ", ".join(filter(None, (seeds(row), row.source)))


def notes(table: Table) -> list[str]:
    """What stands below a table: its failures and what one should know of it."""
    published = [PUBLISHED] if any(row.kind == "published" for row in table.rows) else []
    failures = dict.fromkeys(failure for row in table.rows for failure in row.failures)
    return [*map(str, failures), *table.notes, *published]


def number(value: float) -> str:
    """Three significant digits, or all before the point where there are more, without an exponent below a million."""
    return f"{value:.0f}" if abs(value) < 1e6 and (value == int(value) or abs(value) >= 1000) else f"{value:.3g}"


def _text(row: Row, column: Column, cell: Cell | None) -> CellText:
    if cell is not None and cell.published is not None:
        value, spread, kind = cell.published
        return CellText(number(value), "" if spread is None or kind is None else f"±{spread:.2g} {SPREADS[kind]}")
    if cell is not None and cell.band is not None:
        low, high = cell.band
        return CellText(number(low), "" if low == high else f"to {number(high)}")
    if cell is None or not cell.values:
        lost = row.cell(column.name)
        return CellText(lost.lacking if lost.lost else "–")
    text = _of_runs(cell, column).and_then(cell.letters)
    # Where no value is worse than another, those that were lost have no place in the median.
    runs = len(cell.values) + cell.lost if column.higher_is_better is None else 0
    runs = max(row.finished, runs)
    return text if len(cell.values) == runs else text.and_then(f"({len(cell.values)}/{runs})")


def _of_runs(cell: Cell, column: Column) -> CellText:
    """What the runs of a cell came to: two as they are, more by their median and what it may be."""

    def said(value: float) -> str:
        return cell.lacking if math.isinf(value) else number(value)

    assert cell.interval is not None
    least, most = min(cell.values), max(cell.values)
    lost = {True: -math.inf, False: math.inf, None: None}[column.higher_is_better] if cell.lost else None
    n = len(cell.values) + (cell.lost if lost is not None else 0)
    if lost is None and number(least) == number(most):
        return CellText(number(least), "" if n == 1 else "(all)")
    if n == 2:
        one, other = (*cell.values, *([] if lost is None else [lost]))
        return CellText(said(one), f"and {said(other)}")
    value, low, high = cell.interval
    if column.whole or low is None or high is None:
        low, high = min(least, lost if lost is not None else least), max(most, lost if lost is not None else most)
    return CellText(said(value), f"[{said(low)}, {said(high)}]")
