"""What changed from the first side to the second: every cell that both have, tested, and what margins it breaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from genbench.compare.margins import Margin
from genbench.compare.sides import FIRST, SECOND, Match
from genbench.report.model import Cell, Column, Finding, Row
from genbench.report.verdict import Runs, badness, family, findings
from genbench.stats import LEVEL
from genbench.stats.closure import seeds_needed
from genbench.stats.effects import minimal_detectable_effect, pooled_deviation, shift
from genbench.stats.intervals import Interval

Verdict = Literal["worse", "better", "unclear", "untested"]


@dataclass(frozen=True)
class Change:
    """One metric of one trainer on one dataset, on both sides.

    `finding` is what the verdict says of it, by the same tests as in reports; None where it could not be tested.
    `worsening` is how much worse the second side is, in the metric's unit: the median of all differences of a run of
    each, with its interval. `detectable` is the difference of means that Student's t test finds with as many seeds in
    four of five experiments, were there no other comparison; `needed` how many seeds of each it takes at the least to
    tell the two apart where nothing else differs.
    """

    pair: Match
    column: Column
    before: Cell
    after: Cell
    needed: int
    worsening: Interval | None = None
    finding: Finding | None = None
    detectable: float | None = None

    @property
    def name(self) -> str:
        """What changed, in words."""
        return f"{self.column.name} of {self.pair.trainer} on {self.pair.dataset}"

    @property
    def better(self) -> float | None:
        """How likely a run of the second side beats one of the first."""
        return None if self.finding is None else 1 - self.finding.odds

    @property
    def untestable(self) -> Literal["runs", "oracle", "seeds"] | None:
        """What a test lacked, if there was none: runs of either side, an oracle to say what is better, or seeds."""
        if self.finding is not None:
            return None
        if not all(cell.values or cell.lost for cell in (self.before, self.after)):
            return "runs"
        return "oracle" if self.worsening is None else "seeds"

    @property
    def unscored(self) -> int:
        """How many finished runs of the second side have no score here, beyond those of the first that have none."""
        ours, theirs = ((row, row.cell(self.column.name)) for row in (self.pair.before, self.pair.after))
        return max(0, _unscored(*theirs) - _unscored(*ours))

    @property
    def powerless(self) -> bool:
        """Whether nothing was told, nor would have been, whatever this comparison alone had shown."""
        return self.finding is None or (self.finding.lone > LEVEL and not self.finding.differ)

    @property
    def verdict(self) -> Verdict:
        """What the test lets one say."""
        if self.finding is None:
            return "untested"
        if not self.finding.differ:
            return "unclear"
        return "worse" if self.finding.odds > 0.5 else "better"


class Breach(NamedTuple):
    """A change that is told and beyond what its margin allows; both amounts are in the metric's unit."""

    change: Change
    margin: Margin
    worsening: float
    allowed: float


def changes(pairs: Sequence[Match], metrics: Sequence[str] = (), sign: int | None = None) -> list[Change]:
    """Every cell that either side of a pair has, with its verdict.

    `metrics` are all that count, in their order; without any, the main ones of each protocol. Of two trainers in one
    folder the verdict is that of its report; of two folders, claims are corrected for all pairs, column by column, as
    a report's are. `sign` says which way is worse where a metric has no better way of its own.
    """
    places = [(pair, column) for pair in pairs for column in pair.columns(metrics or pair.table.main)]
    families: dict[str | None, list[int]] = {}
    for i, (pair, column) in enumerate(places):
        families.setdefault(family(pair.table, column), []).append(i)
    by_place: dict[int, Change] = {}
    for of in families.values():
        sides = [_sides(*places[i], sign) for i in of]
        enough = seeds_needed(2, len(of))
        judged = all(_is_judged(*places[i], sign) for i in of)
        if judged:
            said = [_judged(*places[i]) for i in of]
        else:
            tested = findings([(places[i][1], runs) for i, runs in zip(of, sides, strict=True)])
            said = [each.get(frozenset((FIRST, SECOND))) for each in tested]
        for i, runs, finding in zip(of, sides, said, strict=True):
            pair, column = places[i]
            needed = (pair.table.seeds_needed if judged else None) or enough
            by_place[i] = _change(pair, column, runs, finding, needed)
    return [by_place[i] for i in range(len(places))]


def breaches(pairs: Sequence[Match], compared: Sequence[Change], margins: Sequence[Margin]) -> list[Breach]:
    """The changes that are told to be worse, and by more than a margin on their metric allows, if it allows anything.

    Where most runs are as before and some collapsed, the median of all differences is zero.
    """
    broken = []
    for margin in margins:
        for change in gated(pairs, compared, margin):
            middle = change.before.interval.value if change.before.interval else 0.0
            allowed = margin.allowed(middle) if math.isfinite(middle) else 0.0
            if change.verdict != "worse" or change.worsening is None:
                continue
            if not allowed or change.worsening.value > allowed:
                broken.append(Breach(change, margin, change.worsening.value, allowed))
    return broken


def gated(pairs: Sequence[Match], compared: Sequence[Change], margin: Margin) -> list[Change]:
    """The changes that a margin is about; where only its sign says which way is worse, tested that way."""
    of = [change for change in compared if change.column.name == margin.metric]
    if margin.sign is None or all(change.column.higher_is_better is not None for change in of):
        return of
    return changes(pairs, [margin.metric], margin.sign)


def _unscored(row: Row, cell: Cell) -> int:
    done = sum(why is None for why in row.ended.values())
    return done - len(cell.values) - cell.undefined


def _change(pair: Match, column: Column, of: Runs, finding: Finding | None, needed: int) -> Change:
    before, after = (row.cell(column.name) for row in (pair.before, pair.after))
    plain = Change(pair, column, before, after, needed)
    if not (of.get(FIRST) and of.get(SECOND)):
        return plain
    spread = pooled_deviation(before.values, after.values)
    n = min(len(before.values), len(after.values))
    return replace(
        plain,
        worsening=shift(of[FIRST], of[SECOND]),
        finding=finding,
        detectable=None if spread is None else minimal_detectable_effect(spread, n),
    )


def _is_judged(pair: Match, column: Column, sign: int | None) -> bool:
    """Whether a report has judged the two rows already: as they stand in one table, by the metric's own better way."""
    return pair.same_table and (sign is None or column.higher_is_better is not None)


def _judged(pair: Match, column: Column) -> Finding | None:
    """What the table in which both rows stand says of them, the first side's named first."""
    finding = pair.table.findings.get(column.name, {}).get(frozenset((pair.before.label, pair.after.label)))
    return finding.turned if finding is not None and finding.one != pair.before.label else finding


def _sides(pair: Match, column: Column, sign: int | None) -> Runs:
    """How bad the runs of the two sides are."""
    rows = (replace(pair.before, label=FIRST), replace(pair.after, label=SECOND))
    return badness(rows, column, pair.truth(column), sign)
