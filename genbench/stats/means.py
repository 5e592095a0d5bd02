"""Means over runs, for what is printed as means: how far ours lie from a paper's, and from each other.

Student's t stands behind every interval here, with Welch's degrees of freedom (Welch, 1947, Biometrika 34, 28-35).
Medians and ranks judge genbench's own trainers; a paper that prints a mean can only be met with a mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from genbench.stats import CONFIDENCE, Values
from genbench.stats.effects import deviation
from genbench.stats.intervals import Interval


class Mean(NamedTuple):
    """A mean with its standard error, which is None where nobody knows it, and the runs behind it, 0 if unknown."""

    value: float
    error: float | None
    runs: int

    @classmethod
    def of(cls, values: Values, unit: float = 0.0) -> Mean:
        """The mean of some runs; raises ValueError for none.

        Runs that are all the same, which a count's often are, don't show that others couldn't differ: of a metric that
        moves by `unit` one run more is taken to lie a unit away, so that the error isn't 0.
        """
        if not values:
            raise ValueError("the mean of no runs")
        mean = math.fsum(values) / len(values)
        spread = deviation(values)
        if unit and not spread:
            spread = unit / math.sqrt(len(values) + 1)
        return cls(mean, None if spread is None else spread / math.sqrt(len(values)), len(values))

    def interval(self, bounds: tuple[float | None, float | None] = (None, None)) -> Interval:
        """The mean with its 95 % interval, cut at the metric's bounds; without one where the error isn't known."""
        if self.error is None or self.runs < 2:
            return Interval(self.value, None, None)
        half = self.error * _quantile(self.runs - 1)
        least, most = bounds
        low = self.value - half if least is None else max(least, self.value - half)
        high = self.value + half if most is None else min(most, self.value + half)
        return Interval(self.value, low, high)


def difference(ours: Mean, theirs: Mean) -> Interval:
    """How far the mean `ours` lies above `theirs`, with its 95 % interval.

    Of a mean printed without its error the runs are taken to vary as ours do, which is known from ours alone; if their
    number isn't known, it is taken for exact, and the interval is too narrow. There is none where our own error isn't
    known.
    """
    value = ours.value - theirs.value
    if ours.error is None or ours.runs < 2:
        return Interval(value, None, None)
    if theirs.error is None:
        borrowed = math.sqrt(ours.runs / theirs.runs) if theirs.runs else 0.0
        half = ours.error * math.hypot(1, borrowed) * _quantile(ours.runs - 1)
    else:
        half = welch((ours.error, ours.runs), (theirs.error, theirs.runs))
    return Interval(value, value - half, value + half)


def contrast(plus: Sequence[Values], minus: Sequence[Values], unit: float = 0.0) -> Interval:
    """The mean of the means of some groups of runs less that of some others, with its 95 % interval.

    The groups are independent. Each counts alike and varies as it does; `unit` is as in `Mean.of`. There is no interval
    where no group varies or one has a single run. Raises ValueError for a group of no runs.
    """
    groups = [(Mean.of(values, unit), sign / len(side)) for side, sign in ((plus, 1), (minus, -1)) for values in side]
    value = math.fsum(weight * mean.value for mean, weight in groups)
    half = welch(*((abs(weight) * (mean.error or 0.0), mean.runs) for mean, weight in groups))
    if not half or any(mean.error is None for mean, _ in groups):
        return Interval(value, None, None)
    return Interval(value, value - half, value + half)


def contrast_by_seed(plus: Sequence[Values], minus: Sequence[Values], unit: float = 0.0) -> Interval:
    """The same of groups whose runs share their seeds, in the same order: the mean of what each seed says.

    Runs of one seed start from the same networks and see the same data, so that they go up and down together. Raises
    ValueError for a group of no runs, or of fewer than others have.
    """
    sides = [[math.fsum(runs) / len(side) for runs in zip(*side, strict=True)] for side in (plus, minus)]
    each = [more - less for more, less in zip(*sides, strict=True)]
    return Mean.of(each, unit / min(len(plus), len(minus))).interval()


def welch(*parts: tuple[float, int]) -> float:
    """Half a 95 % interval of a sum of means, each given by its standard error and its runs; 0 where none varies."""
    squares = [error**2 for error, _ in parts]
    if not sum(squares):
        return 0.0
    below = sum(square**2 / (runs - 1) for square, (_, runs) in zip(squares, parts, strict=True) if runs > 1)
    freedom = sum(squares) ** 2 / below if below else math.inf
    return math.sqrt(sum(squares)) * _quantile(freedom)


def _quantile(freedom: float) -> float:
    """Student's t at the upper end of a 95 % interval."""
    from scipy.special import ndtri, stdtrit

    above = (1 + CONFIDENCE) / 2
    return float(ndtri(above) if math.isinf(freedom) else stdtrit(freedom, above))
