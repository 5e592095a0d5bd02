"""What stands below a table: published numbers against ours, and which change moves which number, as rows of words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from genbench.report.crossed import FactorEffect, effects
from genbench.report.formats.text import SPREADS, budget, headings, number
from genbench.report.literature import Held, held, shares
from genbench.report.model import Table
from genbench.stats.intervals import Interval


class Block(NamedTuple):
    """A small table of words, each row's first cell its heading, with notes below."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


AGAINST = ("published", "metric", "there", "ours", "trainer", "ours − theirs", "the truth", "agrees?")
MEANS = (
    "Means over runs [95 % intervals, Student's t with Welch's degrees of freedom]. They may agree where the interval "
    "of the difference holds 0. A number that is printed without its spread is taken to vary as ours does, or for "
    "exact where its runs aren't told either, or where it is a count of all there is. The truth: what the oracle "
    "control scores at the same n, the floor of a distance."
)
GAINS = (
    "What a column gains by the change, the mean over all levels of the other factors [95 % interval, Student's t, by "
    "seed where all share theirs]; each number of its own, so one of twenty such intervals misses."
)


def blocks(table: Table) -> Iterator[Block]:
    """What is to be said below a table, nothing of most."""
    if against := held(table):
        yield Block(
            f"{table.dataset}, {budget(table)}: published and ours",
            AGAINST,
            tuple(map(_against, against)),
            (MEANS, *shares(against)),
        )
    if found := effects(table):
        shown = [column for column in table.columns if any(column.name in effect.gains for effect in found)]
        names = dict(zip((column.name for column in table.columns), headings(table), strict=True))
        yield Block(
            f"{table.dataset}, {budget(table)}, protocol {table.protocol.name}: which change moves the number",
            ("change", *(names[column.name] for column in shown)),
            tuple(_effect(effect, [column.name for column in shown]) for effect in found),
            (GAINS,),
        )


def _against(of: Held) -> tuple[str, ...]:
    printed = of.printed
    spread = "" if printed.spread is None else f" ±{printed.spread:.2g} {SPREADS[printed.spread_kind]}"
    return (
        f"{printed.method}, {printed.source}",
        printed.metric,
        f"{number(printed.value)}{spread}",
        f"no value in {of.lost} of {of.runs + of.lost} runs" if of.ours is None else _interval(of.ours),
        of.trainer,
        "–" if of.away is None else _interval(of.away, signed=True),
        "–" if of.floor is None else number(of.floor),
        of.agrees,
    )


def _effect(effect: FactorEffect, columns: Sequence[str]) -> tuple[str, ...]:
    gains = (effect.gains.get(name) for name in columns)
    return (str(effect), *("–" if gain is None else _interval(gain, signed=True) for gain in gains))


def _interval(of: Interval, signed: bool = False) -> str:
    shown = _signed if signed else number
    if of.low is None or of.high is None:
        return shown(of.value)
    return f"{shown(of.value)} [{shown(of.low)}, {shown(of.high)}]"


def _signed(value: float) -> str:
    """A number with its sign, a minus as long as a plus."""
    return f"{'+' if value > 0 else ''}{number(value)}".replace("-", "−")
