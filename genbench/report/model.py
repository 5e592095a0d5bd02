"""The table model: what is known of one dataset under one protocol. Renderers only format it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from genbench.records.record import Identity
from genbench.records.store import Found
from genbench.report.frame import RowKind, Thing
from genbench.scoring.protocols import Protocol
from genbench.spec import Budget
from genbench.stats import LEVEL
from genbench.stats.intervals import Interval, median, median_interval

NOTHING = Thing("")
SpreadKind = Literal["standard error", "standard deviation"]


@dataclass(frozen=True)
class Column:
    """One metric under one identity; its values lie within `bounds`, where it has any, and may be `whole` numbers.

    It may be `added` to the protocol's own.
    """

    name: str
    unit: str
    higher_is_better: bool | None
    identity: Identity
    bounds: tuple[float | None, float | None] = (None, None)
    whole: bool = False
    added: bool = False

    @property
    def step(self) -> float:
        """By how much its values differ at the least; 0 where there is no such least."""
        return 1.0 if self.whole else 0.0

    @property
    def extractor(self) -> str | None:
        """The feature extractor that it is seen through, with its version; an identity says its hash as well."""
        return self.identity.extractor.partition(" ")[0] if self.identity.extractor else None


class Published(NamedTuple):
    """A number that a paper prints, with the spread over its runs, of whatever kind it is, if it prints one."""

    value: float
    spread: float | None = None
    spread_kind: SpreadKind | None = None


@dataclass(frozen=True)
class Cell:
    """A row's values of one metric, one a seed, with their median and its interval; of the null band, its two ends.

    `lost` runs have no value because of what they made: they failed, or, `undefined` ones, left the metric nothing to
    measure. In the median they are worse than any value, where the metric has a direction.

    A published number has neither values nor an interval: `published` is all that is known of it.

    Trainers whose cells share one of the `letters` can't be told apart by their column; untested ones have none.
    """

    values: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    lost: int = 0
    undefined: int = 0
    interval: Interval | None = None
    band: tuple[float, float] | None = None
    letters: str = ""
    published: Published | None = None

    @classmethod
    def of(
        cls, by_seed: Mapping[int, float], higher_is_better: bool | None, failed: int = 0, undefined: int = 0
    ) -> Cell:
        """The cell of values by seed, where so many more runs failed or left nothing to measure."""
        values = tuple(by_seed.values())
        worst = {True: (-math.inf,), False: (math.inf,), None: ()}[higher_is_better]
        lost = failed + undefined
        runs = (*values, *worst * lost)
        return cls(values, tuple(by_seed), lost, undefined, median_interval(runs) if runs else None)

    @property
    def lacking(self) -> str:
        """What stands for a run that was lost: `none` where no run of the cell failed."""
        return "none" if self.lost == self.undefined else "failed"

    @property
    def by_seed(self) -> dict[int, float]:
        """The values by their seeds."""
        return dict(zip(self.seeds, self.values, strict=True))

    @property
    def mean(self) -> float | None:
        """The mean of the values, what was lost left out."""
        return math.fsum(self.values) / len(self.values) if self.values else None


@dataclass(frozen=True)
class Finding:
    """What a column says of two trainers: the p of their difference, corrected, and how likely `one` beats `other`.

    `lone` is the least p that they could have had if nothing else in their family differs.
    """

    one: str
    other: str
    p: float
    odds: float
    lone: float

    @property
    def differ(self) -> bool:
        """Whether the two can be told apart at the 5 % level."""
        return self.p <= LEVEL

    @property
    def turned(self) -> Finding:
        """The same of the two in the other order."""
        return Finding(self.other, self.one, self.p, 1 - self.odds, self.lone)

    def beats(self, label: str) -> bool:
        """Whether the trainer of that label is the better one of two that can be told apart."""
        return self.differ and (self.odds > 0.5) == (label == self.one)


class Failure(NamedTuple):
    """A trial that left nothing, and why."""

    trainer: str
    dataset: str
    seed: int
    reason: str

    def __str__(self) -> str:
        return f"{self.trainer} on {self.dataset}, seed {self.seed}: {self.reason}"


@dataclass(frozen=True)
class Row:
    """A trainer, samples from elsewhere, a control, the null band or a published method.

    `finished` of `planned` seeds have scores, `seeds` being those of the plan; of a published method they are the
    paper's runs, zero where it doesn't say, and `source` is the paper. Of each seed that ran, `ended` says why it
    failed, None where it didn't. `trainer` is what all its runs are made by, whose label several rows may share, `ema`
    the decay where it is of averaged weights; such a row has no `trials`, which are those of the row of its trainer.
    """

    kind: RowKind
    label: str
    cells: Mapping[str, Cell]
    finished: int = 0
    planned: int = 0
    failures: tuple[Failure, ...] = ()
    source: str | None = None
    ended: Mapping[int, str | None] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    trainer: Thing = NOTHING
    ema: float | None = None
    trials: tuple[Found, ...] = ()

    def cell(self, column: str) -> Cell:
        """The cell in the column of that name, empty where there is none; where every run failed, all of it is lost."""
        return self.cells.get(column, Cell(lost=0 if self.finished else len(self.failures)))


@dataclass(frozen=True)
class Table:
    """All rows of one dataset, budget and protocol: trainers, samples from elsewhere, controls, null band, literature.

    The `suite` is empty and the `budget` None where there is none. `dataset` is the name of what `truth` is.
    """

    suite: str
    dataset: str
    budget: Budget | None
    protocol: Protocol
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    findings: Mapping[str, Mapping[frozenset[str], Finding]] = field(default_factory=dict)
    """By column, what is to be said of each pair of trainers that was tested."""

    gaps: tuple[str, ...] = ()
    """Which values finished trials lack, or have and couldn't share a column; in words that are notes as well."""

    truth: Thing = NOTHING
    seeds_needed: int | None = None
    """How many seeds of each trainer could tell two apart although nobody else differs; None if nothing is judged."""

    @property
    def trainers(self) -> list[Row]:
        """The rows of trainers."""
        return [row for row in self.rows if row.kind == "trainer"]

    @property
    def trials(self) -> dict[str, tuple[Found, ...]]:
        """The trials behind the table by the labels of their rows, finished or not."""
        return {row.label: row.trials for row in self.trainers if row.ema is None}

    @property
    def finished(self) -> dict[str, list[Found]]:
        """The finished trials behind the table, of those trainers that have any."""
        done = {label: [of for of in trials if of.record.status == "done"] for label, trials in self.trials.items()}
        return {label: trials for label, trials in done.items() if trials}

    def control(self, label: str, column: str) -> float | None:
        """The median of a control in the column of that name, None where it has none."""
        cells = (row.cells.get(column) for row in self.rows if row.kind == "control" and row.label == label)
        return next((median(cell.values) for cell in cells if cell is not None and cell.values), None)

    def band(self, column: str) -> tuple[float, float] | None:
        """The ends of the null band in the column of that name."""
        cells = (row.cells.get(column) for row in self.rows if row.kind == "null band")
        return next((cell.band for cell in cells if cell is not None), None)

    @property
    def main(self) -> tuple[str, ...]:
        """The names of the main columns: the protocol's, and after them those that were added to it."""
        added = (column.name for column in self.columns if column.added)
        return (*self.protocol.headline, *added)

    def headline(self) -> Table:
        """The table with its main columns alone, in their order."""
        by_name = {column.name: column for column in self.columns}
        columns = tuple(by_name[name] for name in self.main if name in by_name)
        shown = {column.name for column in columns}
        # A published row of no number says nothing; one of ours says what failed or is missing.
        rows = tuple(row for row in self.rows if row.kind != "published" or shown & row.cells.keys())
        return replace(self, columns=columns, rows=rows)
