"""The table model: what is known of one dataset under one protocol. Renderers only format it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from genbench.protocols import Protocol
from genbench.record import Identity
from genbench.stats import Interval

RowKind = Literal["trainer", "external", "control", "null band", "published"]
SpreadKind = Literal["standard error", "standard deviation"]


@dataclass(frozen=True)
class Column:
    """One metric under one identity."""

    name: str
    unit: str
    higher_is_better: bool | None
    identity: Identity


class Published(NamedTuple):
    """A number that a paper prints, with the spread over its runs, of whatever kind it is, if it prints one."""

    value: float
    spread: float | None = None
    spread_kind: SpreadKind | None = None


@dataclass(frozen=True)
class Cell:
    """A row's values of one metric, one a seed, with their mean and interval; of the null band, its two ends.

    A published number has neither values nor an interval: `published` is all that is known of it.

    Trainers whose cells share one of the `letters` can't be told apart by their column; untested ones have none.
    """

    values: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    interval: Interval | None = None
    band: tuple[float, float] | None = None
    letters: str = ""
    published: Published | None = None

    @property
    def by_seed(self) -> dict[int, float]:
        """The values by their seeds."""
        return dict(zip(self.seeds, self.values, strict=True))


@dataclass(frozen=True)
class Row:
    """A trainer, samples from elsewhere, a control, the null band or a published method.

    `finished` of `planned` seeds have scores; of a published method they are the paper's runs, zero where it doesn't
    say, and `source` is the paper.
    """

    kind: RowKind
    label: str
    cells: Mapping[str, Cell]
    finished: int = 0
    planned: int = 0
    failures: tuple[str, ...] = ()
    source: str | None = None


@dataclass(frozen=True)
class Table:
    """All rows of one dataset, budget and protocol: trainers, samples from elsewhere, controls, null band, literature.

    The `suite` is empty where there is none.
    """

    suite: str
    dataset: str
    budget: str
    protocol: Protocol
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def control(self, label: str, column: str) -> float | None:
        """The mean of a control in the column of that name, None where it has none."""
        cells = (row.cells.get(column) for row in self.rows if row.kind == "control" and row.label == label)
        return next((cell.interval.value for cell in cells if cell is not None and cell.interval is not None), None)

    def band(self, column: str) -> tuple[float, float] | None:
        """The ends of the null band in the column of that name."""
        cells = (row.cells.get(column) for row in self.rows if row.kind == "null band")
        return next((cell.band for cell in cells if cell is not None), None)

    def headline(self) -> Table:
        """The table with the protocol's main columns alone, in its order."""
        by_name = {column.name: column for column in self.columns}
        columns = tuple(by_name[name] for name in self.protocol.headline if name in by_name)
        shown = {column.name for column in columns}
        # A published row of no number says nothing; one of ours says what failed or is missing.
        rows = tuple(row for row in self.rows if row.kind != "published" or shown & row.cells.keys())
        return replace(self, columns=columns, rows=rows)
