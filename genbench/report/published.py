"""The literature's numbers, shown beside ours wherever dataset and protocol are the same, and never computed with.

`published.csv` has a line a number, in the units of our columns (HQ as a fraction). `protocol` is the one of ours that
scores alike: the same samples, the same rule. Stacked MNIST's is stacked-mnist1, whose `modes_any` and `reverse_kl` are
those of VEEGAN and PacGAN, through a classifier of its own as each paper has one. What is published of
stacked-mnist-fixed under meg2019 stands there too, since people look for it among the others.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Collection, Iterator
from importlib.resources import files
from typing import Literal

from pydantic import Field, field_validator

from genbench.report.model import Cell, Published, Row
from genbench.spec import Budget, Frozen
from genbench.stats.means import Mean

FILE = "published.csv"


class Printed(Frozen):
    """A number as a paper prints it; `runs` are those of the paper, and a spread of no kind is none.

    `source` says where it quotes another's number. `stated` is the way of scoring that the paper states, `budget` how
    long it, or its code, trains. `trainer` is ours of that method with the paper's recipe, where there is one.
    """

    method: str = Field(min_length=1)
    dataset: str
    protocol: str
    metric: str
    value: float = Field(allow_inf_nan=False)
    spread: float | None = Field(ge=0)
    spread_kind: Literal["standard error", "standard deviation", "none"]
    runs: int | None = Field(ge=1)
    source: str = Field(pattern=r"^arXiv:\d{4}\.\d{5}(, table \d+)?(, quoted)?$")
    stated: str = Field(min_length=1)
    trainer: str | None
    budget: Budget | None

    @field_validator("budget", mode="before")
    @classmethod
    def _written_out(cls, given: str | None) -> Budget | None:
        return None if given is None else Budget.parse(given)

    @property
    def mean(self) -> Mean:
        """The number as a mean over the paper's runs; without its error where a deviation's runs aren't told."""
        runs, error = self.runs or 0, self.spread
        if error is not None and self.spread_kind == "standard deviation":
            error = error / math.sqrt(runs) if runs else None
        return Mean(self.value, error, runs)


@functools.cache
def printed() -> tuple[Printed, ...]:
    """Every published number that comes with genbench."""
    text = files("genbench.report").joinpath(FILE).read_text(encoding="utf-8")
    lines = ({name: value or None for name, value in line.items()} for line in csv.DictReader(text.splitlines()))
    return tuple(Printed.model_validate(line) for line in lines)


def of(dataset: str, protocol: str, columns: Collection[str]) -> Iterator[Printed]:
    """The published numbers of a dataset under a protocol, of those columns alone."""
    place = dataset, protocol
    return (each for each in printed() if (each.dataset, each.protocol) == place and each.metric in columns)


def rows(dataset: str, protocol: str, columns: Collection[str]) -> tuple[Row, ...]:
    """The published rows for a table: a method and source each, with the numbers that these columns have room for."""
    methods: dict[tuple[str, str], list[Printed]] = {}
    for number in of(dataset, protocol, columns):
        methods.setdefault((number.method, number.source), []).append(number)
    return tuple(_row(method, source, numbers) for (method, source), numbers in methods.items())


def _row(method: str, source: str, numbers: list[Printed]) -> Row:
    cells = {
        number.metric: Cell(
            published=Published(
                number.value, number.spread, None if number.spread_kind == "none" else number.spread_kind
            )
        )
        for number in numbers
    }
    runs = numbers[0].runs or 0
    return Row("published", method, cells, runs, runs, source=source)


def ways(dataset: str, protocol: str, columns: Collection[str]) -> str:
    """How the sources of a table's published rows say that they score, as a sentence; empty without any."""
    stated: dict[str, dict[str, None]] = {}
    for number in of(dataset, protocol, columns):
        stated.setdefault(number.stated, {})[number.source] = None
    return "; ".join(f"{way} ({'; '.join(sources)})" for way, sources in stated.items())
