"""Who beats whom: odds, ranks and profiles, in which a failure is behind all else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from genbench.stats import CONFIDENCE, Floats, Strata, Values
from genbench.stats.differences import ROUNDING, larger_share
from genbench.stats.intervals import Interval

NEAR = 1e-9
"""So close to an estimate, the ends of its interval aren't looked for."""


def odds(ours: Values, theirs: Values) -> float:
    """How likely one of our runs beats one of theirs, less being better and equals counting half.

    Mann and Whitney's U over the number of pairs; Vargha and Delaney's A (2000).
    """
    return larger_share(theirs, ours)


def odds_of_all(runs: Sequence[Values]) -> Floats:
    """`odds` of each of several methods' runs against each other's, (methods, methods), ½ against its own.

    Quicker than one by one where there are many methods.
    """
    ordered = [np.sort(np.asarray(of, float)) for of in runs]
    together = np.concatenate(ordered)
    near = ROUNDING * np.abs(together, where=np.isfinite(together), out=np.zeros_like(together))
    sizes = np.array([len(of) for of in ordered])
    starts = np.cumsum(sizes) - sizes
    shares = np.empty((len(ordered), len(ordered)))
    for j, theirs in enumerate(ordered):
        # Twice as many as are smaller than each run, the equal ones counted once.
        smaller = np.searchsorted(theirs, together - near, "left") + np.searchsorted(theirs, together + near, "right")
        pairs = sizes * len(theirs)
        shares[:, j] = (pairs - np.add.reduceat(smaller, starts) / 2) / pairs
    return shares


def probability_of_improvement(ours: Strata, theirs: Strata) -> float:
    """How likely a run of ours scores more than one of theirs on a dataset, equals counting half; the datasets' mean.

    arXiv:2108.13264, eq. 1. A failure is a score of minus infinity.
    """
    return float(np.mean([larger_share(one, other) for one, other in zip(ours, theirs, strict=True)]))


def improvement_interval(ours: Strata, theirs: Strata) -> Interval:
    """`probability_of_improvement` with its 95 % score interval, which is never without width.

    Newcombe, 2006, Statistics in Medicine 25, 559-573, method 5: the values θ from which the estimate is no further
    than 1.96 of its standard errors if θ is true; those of several datasets are independent. None for single runs.
    """
    value = probability_of_improvement(ours, theirs)
    sizes = [(len(one), len(other)) for one, other in zip(ours, theirs, strict=True)]
    if min(map(min, sizes)) < 2:
        return Interval(value, None, None)
    from scipy.optimize import brentq

    def beyond(theta: float) -> float:
        return (value - theta) ** 2 - NormalDist().inv_cdf((1 + CONFIDENCE) / 2) ** 2 * _variance(theta, sizes)

    low = float(brentq(beyond, 0, value - NEAR)) if value > NEAR else 0.0
    high = float(brentq(beyond, value + NEAR, 1)) if value < 1 - NEAR else 1.0
    return Interval(value, low, high)


def _variance(theta: float, sizes: Sequence[tuple[int, int]]) -> float:
    """Of the mean of Mann and Whitney's shares on datasets with so many runs, were each θ and runs exponential."""
    shared = (1 - theta) / (2 - theta) + theta / (1 + theta)
    return sum(theta * (1 - theta) * (1 + ((n + m) / 2 - 1) * shared) / (n * m) for n, m in sizes) / len(sizes) ** 2


def ranks(scores: Sequence[float | None], higher_is_better: bool) -> list[float]:
    """Each score's rank, 1 for the best; equals share the mean of theirs, and None, a failure, is behind all others."""
    keys = [math.inf if score is None else -score if higher_is_better else score for score in scores]
    return [sum(key < own for key in keys) + (sum(key == own for key in keys) + 1) / 2 for own in keys]


def performance_profile(scores: Sequence[float | None], thresholds: Values, higher_is_better: bool) -> list[float]:
    """For each threshold, the share of runs whose score is at least as good (arXiv:2108.13264); failures never are."""
    sign = 1 if higher_is_better else -1
    return [sum(s is not None and sign * s >= sign * limit for s in scores) / len(scores) for limit in thresholds]
