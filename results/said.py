"""What records say of a dataset, in the words of the documents, so that their prose can't drift from the tables."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence

from tables import content

from genbench.report import published
from genbench.report.model import Row, Table
from genbench.stats.intervals import Interval, median
from genbench.stats.means import contrast_by_seed

UNBROKEN = re.compile(r"(?<=\d) (?=\d{3}\b)|(?<=[≤≥=]) | (?=[≤≥=])")
"""Spaces at which no line ends: within a number, and about a sign between two."""


class Said:
    """A suite's table of one dataset under one of its protocols, by default the first.

    Trainers are named by their labels. ValueError is raised where a row has nothing to say, or where some of its runs
    have no value, so that a median of the rest would flatter it.
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
        cell = self.row(label).cell(column)
        if not cell.values or cell.lost:
            raise ValueError(f"{label} has no {column} on {self.table.dataset}, or not in every seed")
        return cell.values

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

    def printed(self, method: str, column: str) -> str:
        """What a paper prints of a method."""
        found = published.of(self.table.dataset, self.table.protocol.name, [column])
        return short(next(each.value for each in found if each.method == method))

    def having(self, label: str, column: str, value: float) -> int:
        """In how many seeds a row has that value."""
        return self.values(label, column).count(value)

    def p(self, column: str, one: str, other: str) -> float:
        """The corrected p of two trainers' difference."""
        return self.table.findings[column][frozenset((one, other))].p

    def most_p(self, column: str, pairs: Iterable[tuple[str, str]]) -> str:
        """`p ≤ .038`: what the p of none of the pairs exceeds."""
        return f"p ≤ {short(_cut(max(self.p(column, *pair) for pair in pairs), math.ceil))}"

    def least_p(self, column: str, pairs: Iterable[tuple[str, str]]) -> str:
        """`p ≥ .91`: what the p of none of the pairs falls below."""
        return f"p ≥ {short(_cut(min(self.p(column, *pair) for pair in pairs), math.floor))}"

    def gained(self, column: str, before: Sequence[str], after: Sequence[str], than: Said | None = None) -> Interval:
        """By how much the trainers `after` have more than those `before`, the mean over the seeds that all share.

        Those `before` may be of another suite.
        """
        sides = ((self, after), (than or self, before))
        cells = [[of.row(label).cell(column).by_seed for label in side] for of, side in sides]
        seeds = sorted(set.intersection(*(set(of) for side in cells for of in side)))
        unit = next(each for each in self.table.columns if each.name == column).step
        plus, minus = ([[of[seed] for seed in seeds] for of in side] for side in cells)
        return contrast_by_seed(plus, minus, unit)

    def gain(self, column: str, before: Sequence[str], after: Sequence[str]) -> str:
        """The same in a table: `−5.5 [−8.1, −2.9]`."""
        return spelled(self.gained(column, before, after), signed)


def spelled(interval: Interval, number: Callable[[float], str]) -> str:
    """An interval in words; raises ValueError for one without ends."""
    if interval.low is None or interval.high is None:
        raise ValueError(f"no interval of {interval.value}")
    return f"{number(interval.value)} [{number(interval.low)}, {number(interval.high)}]"


def short(value: float) -> str:
    """A number in prose: two decimals, or two digits of what is small, and no zero before the point."""
    text = f"{value:.2f}" if abs(value) >= 0.095 or value == 0 else f"{value:.2g}"
    plain = text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    return (plain.replace("0.", ".", 1) if abs(value) < 1 else plain).replace("-", "−") or "0"


def signed(value: float) -> str:
    """The same to one decimal, with its sign."""
    return f"{value:+.1f}".replace("-", "−").replace("+0.", "+.").replace("−0.", "−.")


def unsigned(value: float) -> str:
    """The same where a sentence says which has more."""
    return signed(value).removeprefix("+").removesuffix(".0") or "0"


def most(values: Iterable[Sequence[float]]) -> str:
    """The greatest of all."""
    return short(max(max(each) for each in values))


def filled(text: str) -> str:
    """Paragraphs and lists in lines of their own length, whatever the numbers in them are; pictures and tables stay."""
    return "\n\n".join(map(_filled, text.strip().split("\n\n")))


def _cut(p: float, rounded: Callable[[float], int]) -> float:
    """A p to two digits, never on the wrong side of what it bounds."""
    scale = 10 ** (1 - math.floor(math.log10(p)))
    return rounded(round(p * scale, 6)) / scale


def _filled(block: str) -> str:
    if block.startswith(("![", "|")):
        return block
    items = block.split("\n- ") if block.startswith("- ") else [block]
    indent = "  " if block.startswith("- ") else ""
    whole = (UNBROKEN.sub("~", " ".join(item.split())) for item in (items[0], *(f"- {item}" for item in items[1:])))
    lines = (textwrap.fill(item, 120, subsequent_indent=indent, break_on_hyphens=False) for item in whole)
    return "\n".join(lines).replace("~", " ")
