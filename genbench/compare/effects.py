"""How far two sets of scores are apart: the difference of their means with its interval, and its size."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genbench.stats import (
    CONFIDENCE,
    Interval,
    deviation,
    mean_interval,
    minimal_detectable_effect,
    paired_detectable_effect,
)

ROUNDING = 1e-12
"""A deviation below this share of the scores is that of rounding."""


def paired_difference(before: Sequence[float], after: Sequence[float]) -> Interval:
    """The mean of `after - before` pair by pair, and Student's interval of it."""
    return mean_interval([second - first for first, second in zip(before, after, strict=True)])


def difference(before: Sequence[float], after: Sequence[float]) -> Interval:
    """The mean of `after` less that of `before`, and Welch's interval, which takes no equal variances for granted.

    Its degrees of freedom are Satterthwaite's (Welch, 1947). One score of either gives no interval.
    """
    value = mean_interval(after).value - mean_interval(before).value
    if min(len(before), len(after)) < 2:
        return Interval(value, None, None)
    from scipy.special import stdtrit

    shares = [_variance(of) / len(of) for of in (before, after)]
    squared = sum(shares)
    if squared == 0:
        return Interval(value, value, value)
    freedom = squared**2 / sum(share**2 / (len(of) - 1) for share, of in zip(shares, (before, after), strict=True))
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * math.sqrt(squared)
    return Interval(value, value - half, value + half)


def pooled_deviation(before: Sequence[float], after: Sequence[float]) -> float | None:
    """The standard deviation over seeds that two sides share, by degrees of freedom; None for one score of either."""
    if min(len(before), len(after)) < 2:
        return None
    squares = sum((len(of) - 1) * _variance(of) for of in (before, after))
    return math.sqrt(squares / (len(before) + len(after) - 2))


def cohens_d(before: Sequence[float], after: Sequence[float]) -> float | None:
    """The difference of the means in pooled standard deviations (Cohen, 1988).

    None where the scores don't vary, or where one side has a single one.
    """
    spread = pooled_deviation(before, after)
    largest = max(map(abs, (*before, *after)), default=0.0)
    if spread is None or spread <= ROUNDING * largest:
        return None
    return (mean_interval(after).value - mean_interval(before).value) / spread


def detectable(before: Sequence[float], after: Sequence[float], paired: bool) -> float | None:
    """The difference that as many seeds find in four of five experiments, by a single t test at the 5 % level.

    Of pairs, its deviation is that of their differences (Cohen, 1988); else the pooled one, with the smaller side's
    seeds. None for one score of either.
    """
    if paired:
        spread = deviation([second - first for first, second in zip(before, after, strict=True)])
        return None if spread is None else paired_detectable_effect(spread, len(before))
    spread = pooled_deviation(before, after)
    return None if spread is None else minimal_detectable_effect(spread, min(len(before), len(after)))


def _variance(values: Sequence[float]) -> float:
    """Of two values at least."""
    spread = deviation(values)
    assert spread is not None
    return spread**2
