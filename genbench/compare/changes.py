"""What changed from the first side to the second: every cell that both have, tested, and what margins it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from genbench.compare.effects import cohens_d, detectable, difference, paired_difference
from genbench.compare.margins import Margin
from genbench.compare.sides import Pair
from genbench.report.model import Cell, Column
from genbench.stats import (
    LEVEL,
    Interval,
    Test,
    holm,
    mean_interval,
    permutation_test,
    probability_of_improvement,
)

Verdict = Literal["worse", "better", "differs", "unclear", "untested"]


@dataclass(frozen=True)
class Change:
    """One metric of one trainer on one dataset, on both sides.

    Where the test is of pairs, all is of the seeds that both have; `left_out` are the others. `p` is corrected for
    the other comparisons. `effect` is Cohen's d, `better` how likely a run of the second side beats one of the first,
    `detectable` the difference that as many seeds find in four of five experiments by a t test that is the only one,
    of pairs where the test is. `truth` is the oracle's mean, where the metric has no direction and that is what's best.
    """

    pair: Pair
    column: Column
    before: tuple[float, ...]
    after: tuple[float, ...]
    left_out: tuple[int, ...] = ()
    difference: Interval | None = None
    effect: float | None = None
    test: Test | None = None
    p: float | None = None
    better: float | None = None
    detectable: float | None = None
    truth: float | None = None

    @property
    def name(self) -> str:
        """What changed, in words."""
        return f"{self.column.name} of {self.pair.trainer} on {self.pair.dataset}"

    @property
    def differ(self) -> bool:
        """Whether the two sides differ at the 5 % level, the correction included."""
        return self.p is not None and self.p <= LEVEL

    def worsening(self, sign: int | None = None) -> float | None:
        """How much worse the second side's mean is, below zero where it is better; None where no way is worse.

        `sign` says which way is worse where the metric doesn't.
        """
        if self.difference is None:
            return None
        if self.column.higher_is_better is not None:
            return -self.difference.value if self.column.higher_is_better else self.difference.value
        if sign is not None:
            return sign * self.difference.value
        if self.truth is None:
            return None
        first, second = (abs(mean_interval(of).value - self.truth) for of in (self.before, self.after))
        return second - first

    @property
    def verdict(self) -> Verdict:
        """What the test lets one say."""
        if self.p is None:
            return "untested"
        if not self.differ:
            return "unclear"
        worsening = self.worsening()
        if not worsening:
            return "differs"
        return "worse" if worsening > 0 else "better"


class Breach(NamedTuple):
    """A change that is significant and beyond what its margin allows; both amounts are in the metric's unit."""

    change: Change
    margin: Margin
    worsening: float
    allowed: float


def changes(pairs: Iterable[Pair], metrics: Sequence[str] = ()) -> list[Change]:
    """Every cell that either side of a pair has, with p values corrected by Holm's method over all that were tested.

    `metrics` are all that count, in their order; without any, the main ones of each protocol.
    """
    found = [
        _change(pair, column) for pair in pairs for column in pair.columns(metrics or pair.table.protocol.headline)
    ]
    tested = [i for i, change in enumerate(found) if change.test is not None]
    corrected = holm([test.p for change in found if (test := change.test) is not None])
    for i, p in zip(tested, corrected, strict=True):
        found[i] = replace(found[i], p=p)
    return found


def breaches(found: Iterable[Change], margins: Sequence[Margin]) -> list[Breach]:
    """The changes that differ significantly and whose means worsened by more than a margin on their metric allows."""
    broken = []
    for change in found:
        for margin in (margin for margin in margins if margin.metric == change.column.name and change.differ):
            worsening = change.worsening(margin.sign)
            allowed = margin.allowed(mean_interval(change.before).value)
            if worsening is not None and worsening > allowed:
                broken.append(Breach(change, margin, worsening, allowed))
    return broken


def least_p(found: Iterable[Change]) -> float | None:
    """The smallest p that could have come out of all tests together, corrected; None where nothing was tested."""
    tests = [change.test for change in found if change.test is not None]
    return min(1.0, len(tests) * min(test.least for test in tests)) if tests else None


def _change(pair: Pair, column: Column) -> Change:
    before, after = (row.cells.get(column.name, Cell()).by_seed for row in (pair.before, pair.after))
    test = permutation_test(after, before)
    left_out: tuple[int, ...] = ()
    paired = test is not None and test.paired
    if paired:
        shared = sorted(before.keys() & after.keys())
        left_out = tuple(sorted(before.keys() ^ after.keys()))
        before, after = ({seed: side[seed] for seed in shared} for side in (before, after))
    first, second = tuple(before.values()), tuple(after.values())
    truth = pair.truth(column)
    plain = Change(pair, column, first, second, left_out, truth=truth)
    if not (first and second):
        return plain
    return replace(
        plain,
        difference=paired_difference(first, second) if paired else difference(first, second),
        effect=cohens_d(first, second),
        test=test,
        better=_chance(column, first, second, truth),
        detectable=detectable(first, second, paired),
    )


def _chance(column: Column, before: Sequence[float], after: Sequence[float], truth: float | None) -> float | None:
    """How likely `after` beats `before`; without a direction, by being closer to the truth."""
    if column.higher_is_better is not None:
        return probability_of_improvement([after], [before], column.higher_is_better)
    if truth is None:
        return None
    return probability_of_improvement(
        [[abs(value - truth) for value in after]], [[abs(value - truth) for value in before]], False
    )
