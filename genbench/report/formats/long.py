"""The long table: one line a row and metric, the same for whatever reads it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypedDict

from genbench.report.formats.text import budget
from genbench.report.model import Cell, Column, Row, Table


class Summary(TypedDict):
    """A row's values of one metric; a row without any has one line without a metric."""

    suite: str
    dataset: str
    budget: str
    protocol: str
    kind: str
    row: str
    finished: int
    planned: int
    metric: str | None
    unit: str | None
    higher_is_better: bool | None
    n: int | None
    median: float | None
    low: float | None
    high: float | None
    letters: str
    lost: int
    mean: float | None
    spread: float | None
    spread_kind: str | None
    source: str | None
    values: tuple[float, ...]
    seeds: tuple[int, ...]


def lines(tables: Sequence[Table]) -> Iterator[Summary]:
    """Every cell of the tables; of null bands, `low` and `high` are the ends, and only published rows have spreads.

    `median`, `low` and `high` are of all runs, in which those that were lost are worst; `mean` is of the others. Fewer
    than five runs have no interval.
    """
    for table, row, column, cell in _cells(tables):
        low, high = ends(cell)
        yield Summary(
            suite=table.suite,
            dataset=table.dataset,
            budget=budget(table),
            protocol=table.protocol.name,
            kind=row.kind,
            row=row.label,
            finished=row.finished,
            planned=row.planned,
            metric=column.name if column else None,
            unit=column.unit if column else None,
            higher_is_better=column.higher_is_better if column else None,
            n=column.identity.n if column else None,
            median=middle(cell),
            low=low,
            high=high,
            letters=cell.letters,
            lost=cell.lost,
            mean=cell.mean,
            spread=cell.published.spread if cell.published else None,
            spread_kind=cell.published.spread_kind if cell.published else None,
            source=row.source,
            values=cell.values,
            seeds=cell.seeds,
        )


def middle(cell: Cell) -> float | None:
    """The median of a cell's runs, or the number that is published; None of the null band, and where most were lost."""
    if cell.published is not None:
        return cell.published.value
    return finite(cell.interval.value) if cell.interval else None


def ends(cell: Cell) -> tuple[float | None, float | None]:
    """The ends of a cell's interval or band; None where it has none, and where a lost run is the end."""
    if cell.band is not None:
        return cell.band
    return (finite(cell.interval.low), finite(cell.interval.high)) if cell.interval else (None, None)


def finite(value: float | None) -> float | None:
    """None for what is infinite, a failure, which formats have no number for."""
    return None if value is None or math.isinf(value) else value


def _cells(tables: Sequence[Table]) -> Iterator[tuple[Table, Row, Column | None, Cell]]:
    """Every cell with its column; for a row without any, an empty one that has no column."""
    for table in tables:
        for row in table.rows:
            held = [column for column in table.columns if column.name in row.cells]
            yield from ((table, row, column, row.cells[column.name]) for column in held)
            if not held:
                yield table, row, None, Cell()
