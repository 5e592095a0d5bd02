"""How sure a number over seeds is: medians with exact intervals, and bootstrap intervals of what has no other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from genbench.stats import CONFIDENCE, Floats, Strata, Values, stream

MEDIAN_CONFIDENCE = 0.9375
"""What the range of five runs has: the least that an interval of a median is given for."""

RESAMPLES = 10_000


class Interval(NamedTuple):
    """An estimate with its confidence interval; the bounds are None where too few values give none."""

    value: float
    low: float | None
    high: float | None


def median(values: Values) -> float:
    """The middle value, or the mean of the middle two; infinite where either is. Raises ValueError for no values."""
    if not values:
        raise ValueError("the median of no values")
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if low == high else (low + high) / 2


def median_interval(values: Values) -> Interval:
    """The median and the narrowest pair of values, as far from either end, that holds it in 15 of 16 experiments.

    Of n values the d-th from either end hold the median of any distribution with the probability
    1 − 2 P(Bin(n, ½) < d), exactly if it is continuous and at least if not (Thompson, 1936, Annals of Mathematical
    Statistics 7, 122-128). So the interval respects bounds and skew, and takes failures for the worst values that they
    are. Five values are the fewest: their range has 93.75 %. Raises ValueError for no values.
    """
    ordered = sorted(values)
    place = _place(len(ordered))
    if place is None:
        return Interval(median(ordered), None, None)
    return Interval(median(ordered), ordered[place - 1], ordered[-place])


def chance_of(n: int, least: int, share: float) -> float:
    """How likely at least so many of n runs do what a `share` of all do: P(Bin(n, share) ≥ least)."""
    from scipy.special import bdtrc

    return float(bdtrc(least - 1, n, share)) if least > 0 else 1.0


@cache
def _place(n: int) -> int | None:
    """The largest d for which the d-th values from either end of n hold the median often enough."""
    below, place = 0.0, None
    for d in range(1, n // 2 + 1):
        below += math.comb(n, d - 1) / 2**n
        if 1 - 2 * below < MEDIAN_CONFIDENCE:
            break
        place = d
    return place


def interquartile_mean(strata: Sequence[Floats]) -> Floats:
    """The mean of the middle half of all values together (arXiv:2108.13264); a quarter, rounded down, goes at each end.

    `strata` are arrays `(…, n)`; the result is `(…)`.
    """
    together = np.sort(np.concatenate(strata, axis=-1), axis=-1)
    cut = together.shape[-1] // 4
    return np.asarray(together[..., cut : together.shape[-1] - cut].mean(-1))


def interquartile_mean_interval(strata: Strata) -> Interval:
    """The interquartile mean and its stratified bootstrap interval: each stratum is drawn anew from its own values.

    It lies between percentiles (arXiv:2108.13264), which are taken further out than 2.5 and 97.5: n values drawn anew
    vary less than n values do, by √((n − 1)/n), and Student's t lies further out than the normal (Hesterberg, 2015, The
    American Statistician 69, 371-386). The degrees of freedom are those of the middle half, less one a stratum (Tukey
    and McLaughlin, 1963, Sankhyā A 25, 331-352). None for strata of one value each, or that don't
    vary, which a bootstrap would call certain.
    """
    arrays = [np.asarray(values, float) for values in strata]
    value, size = float(interquartile_mean(arrays)), sum(map(len, arrays))
    if size == len(arrays) or all(np.ptp(each) == 0 for each in arrays):
        return Interval(value, None, None)
    from scipy.special import ndtr, stdtrit

    rng = stream("bootstrap")
    drawn = interquartile_mean([each[rng.integers(len(each), size=(RESAMPLES, len(each)))] for each in arrays])
    n, freedom = size / len(arrays), max(1, size - 2 * (size // 4) - len(arrays))
    outside = float(ndtr(-math.sqrt(n / (n - 1)) * stdtrit(freedom, (1 + CONFIDENCE) / 2)))
    low, high = np.quantile(drawn, [outside, 1 - outside])
    return Interval(value, float(low), float(high))
