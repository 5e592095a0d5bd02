"""What a table lets one say: which trainers its columns tell apart, and a sentence about each dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from genbench.report.model import Cell, Column, Row, Table
from genbench.stats import FEWEST_SEEDS, LEVEL, Test, holm, letters, permutation_test

ORACLE = "oracle"


@dataclass(frozen=True)
class Comparison:
    """Two trainers in one column: the test, and its p corrected for the column's other pairs."""

    one: str
    other: str
    test: Test
    p: float

    @property
    def differ(self) -> bool:
        """Whether the two differ at the 5 % level."""
        return self.p <= LEVEL


def judged(table: Table) -> Table:
    """The table with letters at the trainers' cells, and a note where seeds are too few for any."""
    marks = {column.name: _letters(table, column) for column in table.columns}
    rows = tuple(
        replace(
            row,
            cells={
                name: replace(cell, letters=marks.get(name, {}).get(row.label, "")) if row.kind == "trainer" else cell
                for name, cell in row.cells.items()
            },
        )
        for row in table.rows
    )
    notes = table.notes
    trainers = _trainers(table)
    if table.columns and len(trainers) > 1 and not any(marks.values()):
        notes = (
            *notes,
            f"No differences are marked: with fewer than {FEWEST_SEEDS} seeds of a trainer, no test could find any.",
        )
    return replace(table, rows=rows, notes=notes)


def comparisons(table: Table, column: Column) -> list[Comparison]:
    """Every pair of trainers that have seeds enough in the column, tested and corrected by Holm's method."""
    pairs, tests = [], []
    for one, other in combinations(_trainers(table), 2):
        ours, theirs = (row.cells.get(column.name, Cell()).by_seed for row in (one, other))
        if (test := permutation_test(ours, theirs)) is not None:
            pairs.append((one.label, other.label))
            tests.append(test)
    corrected = holm([test.p for test in tests])
    return [Comparison(*pair, test, p) for pair, test, p in zip(pairs, tests, corrected, strict=True)]


def best_first(table: Table, column: Column) -> list[Row]:
    """The trainers that have values in a column, best mean first; without a direction, the closest to the oracle."""
    rows = [row for row in _trainers(table) if row.cells.get(column.name, Cell()).interval]
    return sorted(rows, key=_badness(table, column))


def not_told_from_best(table: Table, column: Column) -> frozenset[str]:
    """The trainers that the letters of a column don't tell from the best of those that have any; it is among them."""
    marked = {row.label: row.cells[column.name].letters for row in best_first(table, column)}
    best = next(filter(None, marked.values()), "")
    return frozenset(label for label, own in marked.items() if set(own) & set(best))


def deciding(table: Table) -> Column | None:
    """The column that the verdict goes by; None where the table has none of those."""
    return next((c for name in table.protocol.deciding for c in table.columns if c.name == name), None)


def sentence(table: Table) -> str:
    """The verdict of a table: who is best by the protocol's deciding column, and whether that can be told.

    Of samples from elsewhere, among which no trainer is, whether they can be told from the truth.
    """
    column = deciding(table)
    rows = best_first(table, column) if column else []
    if column is None or not rows:
        return f"{table.dataset}: {_of_externals(table, column) or 'nothing to judge yet.'}"
    best, *others = rows
    said = f"{table.dataset}: {best.label} has the best {column.name}, {_figure(best.cells[column.name])}"
    if not others:
        return f"{said}; there is no other trainer to compare with."
    tested = {frozenset((c.one, c.other)): c for c in comparisons(table, column)}
    against = {row.label: tested.get(frozenset((best.label, row.label))) for row in others}
    beaten = [label for label, c in against.items() if c is not None and c.differ]
    alike = [label for label, c in against.items() if c is not None and not c.differ]
    untested = [label for label, c in against.items() if c is None]
    parts = []
    if beaten:
        p = max(c.p for label in beaten if (c := against[label]) is not None)
        parts.append(f"better than {_listed(beaten)} (p {_at_most(p)})")
    if alike:
        p = min(c.p for label in alike if (c := against[label]) is not None)
        parts.append(f"not to be told from {_listed(alike)} (p ≥ {p:.2g})")
    if untested:
        parts.append(f"not tested against {_listed(untested)}: fewer than {FEWEST_SEEDS} seeds")
    return f"{said}: {'; '.join(parts)}.{_failures(table)}"


def _of_externals(table: Table, column: Column | None) -> str:
    """What a deciding column says of each row of samples from elsewhere, held against the null band."""
    if column is None:
        return ""
    band = table.band(column.name)
    parts = []
    for row in table.rows:
        interval = row.cells.get(column.name, Cell()).interval
        if row.kind == "external" and interval is not None:
            within = band is not None and band[0] <= interval.value <= band[1]
            ends = (
                f", {'inside' if within else 'outside'} the null band ({band[0]:.3g} to {band[1]:.3g})" if band else ""
            )
            parts.append(f"{row.label} has {column.name} {interval.value:.3g}{ends}")
    return f"{'; '.join(parts)}." if parts else ""


def _letters(table: Table, column: Column) -> Mapping[str, str]:
    tested = comparisons(table, column)
    pairs = {frozenset((c.one, c.other)): c.differ for c in tested}
    labels = [row.label for row in best_first(table, column) if any(row.label in pair for pair in pairs)]
    return letters(labels, lambda one, other: pairs.get(frozenset((one, other)), False)) if tested else {}


def _badness(table: Table, column: Column) -> Callable[[Row], float]:
    truth = table.control(ORACLE, column.name) or 0.0

    def badness(row: Row) -> float:
        interval = row.cells[column.name].interval
        assert interval is not None
        if column.higher_is_better is None:
            return abs(interval.value - truth)
        return -interval.value if column.higher_is_better else interval.value

    return badness


def _trainers(table: Table) -> list[Row]:
    return [row for row in table.rows if row.kind == "trainer"]


def _figure(cell: Cell) -> str:
    assert cell.interval is not None
    value, low, high = cell.interval
    return f"{value:.3g}" if low is None or high is None else f"{value:.3g} (95 % interval {low:.3g} to {high:.3g})"


def _failures(table: Table) -> str:
    failed = sum(len(row.failures) for row in table.rows)
    return f" {failed} trial{'s' if failed > 1 else ''} failed." if failed else ""


def _listed(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _at_most(p: float) -> str:
    return f"≤ {p:.2g}"
