"""What people read in a table, whichever format shows it: headings, rounded cells, legends and notes."""

from __future__ import annotations

from genbench.report.model import Cell, Row, Table

ROUNDING = 1e-9
ARROWS = {True: "↑", False: "↓", None: ""}
LEGEND = (
    "Mean over seeds ± half of its 95 % interval (Student's t). ↑ more is better, ↓ less is better; a column without "
    "an arrow is best at the oracle's value. Null band: 95 % of the truth's own scores at the same n. Letters: two "
    "trainers that share none in a column differ significantly (permutation test, Holm's correction, 5 %)."
)

PUBLISHED = (
    "Rows with a source are published: numbers as their papers print them, of other code, networks and budgets. They "
    "take part in no test and have no letters; SE is a standard error, SD a standard deviation over the paper's runs."
)
UNITS = {"trainer": "seeds", "control": "draws", "published": "runs"}
SPREADS = {"standard error": "SE", "standard deviation": "SD"}


def title(table: Table) -> str:
    """A table's heading."""
    suite = f" (suite {table.suite})" if table.suite else ""
    return f"{table.dataset}, {table.budget}, protocol {table.protocol.name}{suite}"


def headings(table: Table) -> list[str]:
    """The columns' names with an arrow to what is better."""
    return [f"{column.name}{ARROWS[column.higher_is_better]}" for column in table.columns]


def texts(table: Table, row: Row) -> list[str]:
    """A row's cells: the number, a space, and what else there is to say of it."""
    return [_text(row, row.cells.get(column.name)) for column in table.columns]


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
    return [*(failure for row in table.rows for failure in row.failures), *table.notes, *published]


def number(value: float) -> str:
    """Three significant digits, or all before the point where there are more, without an exponent below a million."""
    return f"{value:.0f}" if abs(value) < 1e6 and (value == int(value) or abs(value) >= 1000) else f"{value:.3g}"


def _text(row: Row, cell: Cell | None) -> str:
    if cell is not None and cell.published is not None:
        value, spread, kind = cell.published
        return number(value) if spread is None or kind is None else f"{number(value)} ±{spread:.2g} {SPREADS[kind]}"
    if cell is None or not (cell.values or cell.band):
        return "–"
    if cell.band is not None:
        low, high = cell.band
        return number(low) if low == high else f"{number(low)} –{number(high)}"
    assert cell.interval is not None
    half = cell.interval.half_width
    if half is not None and half < ROUNDING * abs(cell.interval.value):
        half = 0.0  # the same samples in another order
    text = number(cell.interval.value) if half is None else f"{number(cell.interval.value)} ±{half:.2g}"
    text = f"{text} {cell.letters}" if cell.letters else text
    return text if len(cell.values) == row.finished else f"{text} ({len(cell.values)}/{row.finished})"
