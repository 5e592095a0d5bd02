"""What records say of a dataset, in the words of the documents, so that no number of their prose is typed by hand."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from tables import content

from genbench.report.model import Row, Table
from genbench.stats.intervals import Interval, median
from genbench.stats.means import contrast_by_seed

UNBROKEN = re.compile(r"(?<=\d) (?=\d{3}\b)|(?<=[≤≥=]) | (?=[≤≥=])")
"""Spaces at which no line ends: within a number, and about a sign between two."""


class Said:
    """A suite's table of one dataset under one of its protocols, by default the first.

    Trainers are named by their labels. Every number comes as text; ValueError where there is none.
    """

    def __init__(self, suite: str, dataset: str, protocol: str | None = None) -> None:
        of = content(suite)
        tables = of.main if protocol is None else of.under(protocol)
        self.table: Table = next(table for table in tables if table.dataset == dataset)

    def row(self, label: str) -> Row:
        """A row by its label."""
        return next(row for row in self.table.rows if row.label == label)

    def values(self, label: str, column: str) -> tuple[float, ...]:
        """A row's values, a seed each."""
        if not (values := self.row(label).cell(column).values):
            raise ValueError(f"{label} has no {column} on {self.table.dataset}")
        return values

    def middle(self, label: str, column: str) -> str:
        """The median of a row's seeds."""
        return short(median(self.values(label, column)))

    def mean(self, label: str, column: str) -> str:
        """The mean of a row's seeds, as papers print it."""
        values = self.values(label, column)
        return short(round(sum(values) / len(values), 1 if column == "modes" else 3))

    def spread(self, label: str, column: str) -> str:
        """The median, and the least and the most where they differ."""
        values = self.values(label, column)
        middle, least, greatest = self.middle(label, column), short(min(values)), short(max(values))
        return f"{middle} ({least} to {greatest})" if least != greatest else middle

    def having(self, label: str, column: str, value: float) -> int:
        """In how many seeds a row has that value."""
        return self.values(label, column).count(value)

    def p(self, column: str, one: str, other: str) -> float:
        """The corrected p of two trainers' difference."""
        return self.table.findings[column][frozenset((one, other))].p

    def most_p(self, column: str, pairs: Iterable[tuple[str, str]]) -> str:
        """`p ≤ .038`: what the p of none of the pairs exceeds."""
        return f"p ≤ {short(max(self.p(column, *pair) for pair in pairs))}"

    def least_p(self, column: str, pairs: Iterable[tuple[str, str]]) -> str:
        """`p ≥ .91`: what the p of none of the pairs falls below."""
        return f"p ≥ {short(min(self.p(column, *pair) for pair in pairs))}"

    def gained(self, column: str, before: Sequence[str], after: Sequence[str]) -> Interval:
        """By how much the trainers `after` have more than those `before`, the mean over seeds that all share."""
        cells = [[self.row(label).cell(column).by_seed for label in side] for side in (after, before)]
        seeds = sorted(set.intersection(*(set(of) for side in cells for of in side)))
        unit = next(each for each in self.table.columns if each.name == column).step
        plus, minus = ([[of[seed] for seed in seeds] for of in side] for side in cells)
        return contrast_by_seed(plus, minus, unit)

    def more(self, column: str, those: Sequence[str], than: Sequence[str]) -> str:
        """By how much `those` have more `than` others, in a sentence that says so: `5.5 [2.9, 8.1]`."""
        return self.gain(column, than, those).replace("+", "")

    def gain(self, column: str, before: Sequence[str], after: Sequence[str]) -> str:
        """The same in words: `−5.5 [−8.1, −2.9]`."""
        found = self.gained(column, before, after)
        if found.low is None or found.high is None:
            raise ValueError(f"{column} has no interval on {self.table.dataset}")
        return f"{signed(found.value)} [{signed(found.low)}, {signed(found.high)}]"


def short(value: float) -> str:
    """A number in prose: two digits, none before the point where that would be a zero."""
    if value == int(value) and abs(value) < 1_000:
        return f"{value:.0f}"
    text = f"{value:.2f}" if abs(value) >= 0.095 else f"{value:.2g}"
    return text.rstrip("0").rstrip(".").replace("0.", ".", 1) if abs(value) < 1 else text.rstrip("0").rstrip(".")


def signed(value: float) -> str:
    """The same to one decimal, with its sign."""
    return f"{value:+.1f}".replace("-", "−").replace("+0.", "+.").replace("−0.", "−.")


def most(values: Iterable[Sequence[float]]) -> str:
    """The greatest of all."""
    return short(max(max(each) for each in values))


def filled(text: str) -> str:
    """Paragraphs and lists in lines of their own length, whatever the numbers in them are; pictures stay a line."""
    return "\n\n".join(map(_filled, text.strip().split("\n\n")))


def _filled(block: str) -> str:
    if block.startswith("!["):
        return block
    items = block.split("\n- ") if block.startswith("- ") else [block]
    indent = "  " if block.startswith("- ") else ""
    whole = (UNBROKEN.sub("~", " ".join(item.split())) for item in (items[0], *(f"- {item}" for item in items[1:])))
    lines = (textwrap.fill(item, 120, subsequent_indent=indent, break_on_hyphens=False) for item in whole)
    return "\n".join(lines).replace("~", " ")
