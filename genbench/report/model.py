"""The table model: what is known of one dataset under one protocol. Renderers only format it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from genbench.protocols import Protocol
from genbench.record import Identity
from genbench.stats import Interval

RowKind = Literal["trainer", "control", "null band"]


@dataclass(frozen=True)
class Column:
    """One metric under one identity."""

    name: str
    unit: str
    higher_is_better: bool | None
    identity: Identity


@dataclass(frozen=True)
class Cell:
    """A row's values of one metric, one a seed, with their mean and interval; of the null band, its two ends.

    Trainers whose cells share one of the `letters` can't be told apart by their column; untested ones have none.
    """

    values: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    interval: Interval | None = None
    band: tuple[float, float] | None = None
    letters: str = ""

    @property
    def by_seed(self) -> dict[int, float]:
        """The values by their seeds."""
        return dict(zip(self.seeds, self.values, strict=True))


@dataclass(frozen=True)
class Row:
    """A trainer, a control or the null band; `finished` of `planned` seeds have scores."""

    kind: RowKind
    label: str
    cells: Mapping[str, Cell]
    finished: int = 0
    planned: int = 0
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """All rows of one dataset, budget and protocol, trainers first."""

    suite: str
    dataset: str
    budget: str
    protocol: Protocol
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def headline(self) -> Table:
        """The table with the protocol's main columns alone, in its order."""
        by_name = {column.name: column for column in self.columns}
        return replace(self, columns=tuple(by_name[name] for name in self.protocol.headline if name in by_name))
