"""How far two methods are apart, and what so many runs could find."""

from __future__ import annotations

import itertools
import math
from functools import cache
from statistics import NormalDist

from genbench.stats import LEVEL, POWER, Values
from genbench.stats.differences import LARGE_PAIR
from genbench.stats.intervals import Interval, median


def deviation(values: Values) -> float | None:
    """The standard deviation with n − 1 degrees of freedom; None for fewer than two values."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def pooled_deviation(before: Values, after: Values) -> float | None:
    """The standard deviation over seeds that two sides share, by degrees of freedom; None for one score of either."""
    if min(len(before), len(after)) < 2:
        return None
    squares = sum((len(of) - 1) * (deviation(of) or 0.0) ** 2 for of in (before, after))
    return math.sqrt(squares / (len(before) + len(after) - 2))


def minimal_detectable_effect(spread: float, seeds: int) -> float | None:
    """The difference of two means that `seeds` runs of each find in four of five experiments, at the 5 % level.

    `spread` is the standard deviation over seeds, that of both. From the power of Student's two-sample t test
    (Cohen, 1988), the noncentral t distribution's upper tail; of normal scores Wilcoxon's test needs 1/0.955 as many
    runs. None for fewer than two seeds.
    """
    return None if seeds < 2 else _detectable_shift(2 * seeds - 2) * spread * math.sqrt(2 / seeds)


def shift(before: Values, after: Values) -> Interval:
    """How far `after` lies from `before`: the median of all differences of a run of each, with its 95 % interval.

    Hodges and Lehmann, 1963, Annals of Mathematical Statistics 34, 598-611. The interval is what Wilcoxon's test
    leaves at the 5 % level; where no outcome of that test could reach it there is none. Runs that failed are infinite,
    and two of them are no distance apart.
    """
    differences = sorted(0.0 if first == second else second - first for first in before for second in after)
    beyond = _beyond(len(before), len(after))
    value = median(differences)
    return Interval(value, differences[beyond - 1], differences[-beyond]) if beyond else Interval(value, None, None)


@cache
def _beyond(n: int, m: int) -> int:
    """How many of Mann and Whitney's U, counted from 0, have at most 2.5 % together.

    Their frequencies are the coefficients of Π (1 − qᵐ⁺ⁱ)/(1 − qⁱ) over i = 1…n. Of many runs U is normal.
    """
    if min(n, m) >= LARGE_PAIR:
        return int(n * m / 2 - NormalDist().inv_cdf(1 - LEVEL / 2) * math.sqrt(n * m * (n + m + 1) / 12))
    ways = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for u in range(n * m, m + i - 1, -1):
            ways[u] -= ways[u - m - i]
        for u in range(i, n * m + 1):
            ways[u] += ways[u - i]
    total = math.comb(n + m, n)
    return sum(below / total <= LEVEL / 2 for below in itertools.accumulate(ways))


def _detectable_shift(freedom: int) -> float:
    """The noncentrality at which a two-sided t test with these degrees of freedom has its power."""
    from scipy.optimize import brentq
    from scipy.special import nctdtr, stdtrit

    critical = float(stdtrit(freedom, 1 - LEVEL / 2))

    def beyond(shift: float) -> float:
        return 1 - float(nctdtr(freedom, shift, critical)) - POWER

    most = critical
    while beyond(most) < 0:
        most *= 2
    return float(brentq(beyond, 0, most))
