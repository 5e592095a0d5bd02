"""Statistics over seeds and datasets: intervals, tests of differences, ranks. What draws has a stream of its own.

Scores of one method are a sequence, one a seed; scores on several datasets are a sequence of those, and their datasets
are strata: none is drawn for another. A run that failed has no score; where ranks are formed it is worse than any.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genbench import seeding

CONFIDENCE = 0.95
LEVEL = 1 - CONFIDENCE
FEWEST_SEEDS = 4
"""With fewer, no test of two methods can reach the level: of the 20 ways to deal 3 + 3 scores, two are the extremes."""

FEWEST_PAIRS = 6
"""With fewer pairs no paired test can reach the level: five signs fall 32 ways."""

MOST_EXACT = 20_000
"""Up to so many ways to exchange scores are all tried; of more, so many are drawn."""

RESAMPLES = 10_000
POWER = 0.8

Values = Sequence[float]
Strata = Sequence[Values]
Floats = NDArray[np.float64]
Statistic = Callable[[Sequence[Floats]], Floats]
"""Takes one array a stratum, `(…, its values)`, and returns the statistic `(…)`."""


class Interval(NamedTuple):
    """An estimate with its 95 % confidence interval; the bounds are None where fewer than two values give none."""

    value: float
    low: float | None
    high: float | None

    @property
    def half_width(self) -> float | None:
        """Half of the interval's width, where it is symmetric."""
        return None if self.high is None else self.high - self.value


def mean_interval(values: Values) -> Interval:
    """The mean and Student's t interval: mean ± t(0.975, n − 1)·s/√n, s with n − 1 degrees of freedom.

    Raises ValueError for no values.
    """
    n = len(values)
    if not n:
        raise ValueError("the mean of no values")
    mean = math.fsum(values) / n
    if n == 1:
        return Interval(mean, None, None)
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * (deviation(values) or 0.0) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half)


def interquartile_mean(strata: Sequence[Floats]) -> Floats:
    """The mean of the middle half of all values together (arXiv:2108.13264); a quarter, rounded down, goes at each end.

    `strata` are arrays `(…, n)`; the result is `(…)`.
    """
    together = np.sort(np.concatenate(strata, axis=-1), axis=-1)
    cut = together.shape[-1] // 4
    return np.asarray(together[..., cut : together.shape[-1] - cut].mean(-1))


def bootstrap_interval(strata: Strata, statistic: Statistic = interquartile_mean) -> Interval:
    """The statistic and its stratified bootstrap interval: each stratum is drawn anew from its own values.

    Of one stratum the interval is bias-corrected and accelerated (BCa: Efron, 1987); of several it is between
    percentiles (arXiv:2108.13264), as it is where all values are equal and BCa isn't defined.
    """
    arrays = [np.asarray(values, float) for values in strata]
    value = float(statistic(arrays))
    if max(map(len, arrays)) < 2:
        return Interval(value, None, None)
    rng = _rng("bootstrap")
    drawn = statistic([values[rng.integers(len(values), size=(RESAMPLES, len(values)))] for values in arrays])
    ends = np.array([LEVEL / 2, 1 - LEVEL / 2])
    if len(arrays) == 1:
        ends = _accelerated(arrays[0], value, drawn, statistic, ends)
    low, high = np.quantile(drawn, ends)
    return Interval(value, float(low), float(high))


def _accelerated(values: Floats, value: float, drawn: Floats, statistic: Statistic, ends: Floats) -> Floats:
    """The quantiles that BCa takes instead of `ends`; `ends` themselves where the statistic never varies."""
    from scipy.special import ndtr, ndtri

    below = ((drawn < value).mean() + (drawn <= value).mean()) / 2
    left_out = np.array([float(statistic([np.delete(values, i)])) for i in range(len(values))])
    pull = left_out.mean() - left_out
    spread = float((pull**2).sum())
    if not 0 < below < 1 or spread == 0:
        return ends
    bias, acceleration = ndtri(below), float((pull**3).sum()) / (6 * spread**1.5)
    shifted = bias + ndtri(ends)
    return np.asarray(ndtr(bias + shifted / (1 - acceleration * shifted)))


def probability_of_improvement(ours: Strata, theirs: Strata, higher_is_better: bool = True) -> float:
    """How likely a run of ours beats one of theirs on a dataset, equal scores counting half; the mean over datasets.

    Mann and Whitney's U over the number of pairs (arXiv:2108.13264, eq. 1).
    """
    pairs = zip(ours, theirs, strict=True)
    return float(np.mean([_wins(one, other, higher_is_better).mean() for one, other in pairs]))


def improvement_interval(ours: Strata, theirs: Strata, higher_is_better: bool = True) -> Interval:
    """`probability_of_improvement` with its stratified bootstrap interval between percentiles."""
    value, rng = probability_of_improvement(ours, theirs, higher_is_better), _rng("improvement")
    if min(map(len, [*ours, *theirs])) < 2:
        return Interval(value, None, None)
    drawn = np.zeros(RESAMPLES)
    for one, other in zip(ours, theirs, strict=True):
        wins = _wins(one, other, higher_is_better)
        rows = _counts(rng, len(one)) / len(one)
        columns = _counts(rng, len(other)) / len(other)
        drawn += np.einsum("ri,ij,rj->r", rows, wins, columns) / len(ours)
    low, high = np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2])
    return Interval(value, float(low), float(high))


def _wins(ours: Values, theirs: Values, higher_is_better: bool) -> Floats:
    """Which of ours, a row each, beat which of theirs: 1 for a win, a half for equals."""
    apart = np.asarray(ours, float)[:, None] - np.asarray(theirs, float)[None]
    return np.asarray((apart > 0 if higher_is_better else apart < 0) + 0.5 * (apart == 0))


class Test(NamedTuple):
    """How a test of two methods came out: the two-sided p, the least that it could have been, and whether by pairs."""

    p: float
    least: float
    paired: bool


def permutation_test(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Test | None:
    """Whether the means of two methods' scores, by seed, differ: how often exchanging scores takes them as far apart.

    Where they share enough seeds, scores of the same seed are exchanged (Fisher's sign flips of the differences),
    else any. All exchanges are tried, or else some drawn, with the scores as they are among them. None for
    fewer than four seeds of either.
    """
    shared = sorted(ours.keys() & theirs.keys())
    if len(shared) >= FEWEST_PAIRS:
        return _sign_flips(np.array([ours[seed] - theirs[seed] for seed in shared]))
    if min(len(ours), len(theirs)) < FEWEST_SEEDS:
        return None
    return _exchanges(np.array([*ours.values(), *theirs.values()], float), len(ours))


def _sign_flips(differences: Floats) -> Test:
    signs = _signs(len(differences))
    return Test(_as_extreme(signs @ differences), 2 / len(signs), True)


def _exchanges(together: Floats, n: int) -> Test:
    """Of all scores the first `n` are ours."""
    total, size = together.sum(), len(together)
    chosen = _choices(size, n)
    ours = together[chosen].sum(1)
    return Test(_as_extreme(ours / n - (total - ours) / (size - n)), 2 / len(chosen), False)


@lru_cache(maxsize=16)
def _signs(n: int) -> Floats:
    """The signs that n differences may have, a row each, as they are first: all, or so many drawn."""
    if 2**n <= MOST_EXACT:
        return np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    signs = _rng("sign flips").choice((1.0, -1.0), (MOST_EXACT, n))
    signs[0] = 1
    return signs


@lru_cache(maxsize=16)
def _choices(size: int, n: int) -> NDArray[np.intp]:
    """Which n of so many scores may be ours, a row each, the first n first: all ways, or so many drawn."""
    if math.comb(size, n) <= MOST_EXACT:
        return np.array(list(itertools.combinations(range(size), n)))
    rng = _rng("exchanges")
    drawn = rng.permuted(np.tile(np.arange(size), (MOST_EXACT, 1)), axis=1)[:, :n]
    drawn[0] = np.arange(n)
    return drawn


def _as_extreme(differences: Floats) -> float:
    """The share of differences at least as far from nothing as the first, rounding aside."""
    far = np.abs(differences)
    return float((far >= far[0] * (1 - 1e-9)).mean())


def holm(ps: Sequence[float]) -> list[float]:
    """p values, each corrected for the others (Holm, 1979): significant at a level if the corrected one is below it."""
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    corrected, least = [0.0] * len(ps), 0.0
    for place, i in enumerate(order):
        least = max(least, min(1.0, (len(ps) - place) * ps[i]))
        corrected[i] = least
    return corrected


def letters(labels: Sequence[str], differ: Callable[[str, str], bool]) -> dict[str, str]:
    """A compact display of which pairs differ: two labels share a letter exactly if they don't (Piepho, 2004).

    Labels come in order; the first has an `a`.
    """
    groups: list[set[str]] = [set(labels)]
    for one, other in itertools.combinations(labels, 2):
        if differ(one, other):
            split = [group for group in groups if {one, other} <= group]
            groups = [group for group in groups if group not in split]
            for group in (part for whole in split for part in (whole - {other}, whole - {one})):
                if not any(group <= kept for kept in groups):
                    groups = [kept for kept in groups if not kept <= group] + [group]
    groups.sort(key=lambda group: [label not in group for label in labels])
    return {label: "".join(chr(97 + i) for i, group in enumerate(groups) if label in group) for label in labels}


def ranks(scores: Sequence[float | None], higher_is_better: bool) -> list[float]:
    """Each score's rank, 1 for the best; equals share the mean of theirs, and None, a failure, is behind all others."""
    keys = [math.inf if score is None else -score if higher_is_better else score for score in scores]
    return [sum(key < own for key in keys) + (sum(key == own for key in keys) + 1) / 2 for own in keys]


def performance_profile(scores: Sequence[float | None], thresholds: Values, higher_is_better: bool) -> list[float]:
    """For each threshold, the share of runs whose score is at least as good (arXiv:2108.13264); failures never are."""
    sign = 1 if higher_is_better else -1
    return [sum(s is not None and sign * s >= sign * limit for s in scores) / len(scores) for limit in thresholds]


def deviation(values: Values) -> float | None:
    """The standard deviation with n − 1 degrees of freedom; None for fewer than two values."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def minimal_detectable_effect(spread: float, seeds: int) -> float | None:
    """The difference of two means that `seeds` runs of each find in four of five experiments, at the 5 % level.

    `spread` is the standard deviation over seeds, that of both. From the power of Student's two-sample t test
    (Cohen, 1988), the noncentral t distribution's upper tail. None for fewer than two seeds.
    """
    return None if seeds < 2 else _detectable_shift(2 * seeds - 2) * spread * math.sqrt(2 / seeds)


def paired_detectable_effect(spread: float, pairs: int) -> float | None:
    """The mean difference that so many pairs find as often, where `spread` is the deviation of their differences."""
    return None if pairs < 2 else _detectable_shift(pairs - 1) * spread / math.sqrt(pairs)


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


def _counts(rng: np.random.Generator, n: int) -> Floats:
    """How often each of `n` values is drawn, `(resamples, n)`."""
    return np.asarray(rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES), float)


def _rng(role: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seeding.derive(0, f"statistics, {role}")))
