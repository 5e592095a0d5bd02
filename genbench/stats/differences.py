"""Whether runs of several methods differ: their ranks are exchanged, and unequal spread is allowed for.

The hypothesis is that a run of one method is as likely to beat a run of another as to be beaten. Runs are arrays of
numbers of which less is better, infinite where the run failed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from genbench.stats import Floats, stream

MOST_EXACT = 20_000
"""Up to so many ways to deal the runs of two methods are all tried."""

DRAWS = 5_000
"""Else so many are drawn, the runs as they are among them."""

LARGE = 25
"""From so many runs of each method on, the distribution of the statistic is taken from its limit."""

ROUNDING = 1e-12
"""Scores closer than this share of the largest are equal."""

LEAST_VARIANCE = 1e-200
"""Of groups that don't vary, so that their weights are large and not infinite."""


def difference_p(groups: Sequence[Floats]) -> float:
    """The p of the hypothesis that no two of several methods differ: the larger of two tests' p.

    The exchange of ranks is exact where methods are equal, however their scores are distributed and however many runs
    fail; but of five runs that all lie on one side of a method that hardly varies it makes more than it should, and so
    Welch's test, which allows for unequal spread, must agree. Either may be wrong where the other is right; the
    larger p is wrong where both are.
    """
    return max(exchange_p(groups), welch_p(groups))


def exchange_p(groups: Sequence[Floats]) -> float:
    """The p of Kruskal and Wallis's statistic, of two groups Wilcoxon's, over exchanges of runs between the methods.

    Σ Rᵢ²/nᵢ over the methods' sums of ranks (Kruskal and Wallis, 1952, JASA 47, 583-621). Equals share the mean of
    their ranks, and failures are equal and last; the exchanges have the same ties, so p is exact. Of two groups all
    exchanges are tried up to MOST_EXACT, else DRAWS are drawn; of LARGE groups χ² is the statistic's limit.
    """
    sizes = tuple(map(len, groups))
    ranks = midranks(np.concatenate(groups))
    if min(sizes) >= LARGE:
        return _limit(ranks, sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    sums = np.add.reduceat(ranks[_exchanges(sizes)], starts, axis=1)
    found = (sums**2 / np.array(sizes)).sum(1)
    return float((found >= found[0] * (1 - ROUNDING)).mean())


def welch_p(groups: Sequence[Floats]) -> float:
    """The p of Welch's test of equal means of groups with unequal spread; of two groups, that of Welch's t.

    Welch, 1951, Biometrika 38, 330-336. A failure counts as one whole range of scores behind the worst. 1 where a
    group has a single run, whose spread nobody knows.
    """
    if min(map(len, groups)) < 2:
        return 1.0
    from scipy.special import fdtrc

    finite = _without_failures(groups)
    sizes = np.array([len(group) for group in finite], float)
    means = np.array([group.mean() for group in finite])
    largest = max(float(np.abs(group).max()) for group in finite)
    least = max((ROUNDING * largest) ** 2, LEAST_VARIANCE)
    weights = sizes / np.maximum([group.var(ddof=1) for group in finite], least)
    shares, methods = weights / weights.sum(), len(groups)
    apart = (weights * (means - (shares * means).sum()) ** 2).sum() / (methods - 1)
    lost = ((1 - shares) ** 2 / (sizes - 1)).sum() / (methods**2 - 1)
    return float(fdtrc(methods - 1, 1 / (3 * lost), apart / (1 + 2 * (methods - 2) * lost)))


def least_p(ours: int, theirs: int) -> float:
    """The least p that two methods with so many runs each can have: of all ways to deal them, the two extreme ones."""
    return 1.0 if min(ours, theirs) < 2 else 2 / math.comb(ours + theirs, ours)


def midranks(values: Floats) -> Floats:
    """The ranks of `(n,)` values, 1 for the least; values that are equal but for rounding share the mean of theirs."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    finite = np.abs(values[np.isfinite(values)])
    with np.errstate(invalid="ignore"):  # two failures are no distance apart, which NaN is not above either
        fresh = np.diff(ordered) > ROUNDING * finite.max(initial=0.0)
    group = np.concatenate([[0], np.cumsum(fresh)])
    last = np.cumsum(np.bincount(group))
    ranks = np.empty(len(values))
    ranks[order] = (last - (np.bincount(group) - 1) / 2)[group]
    return ranks


def _limit(ranks: Floats, sizes: tuple[int, ...]) -> float:
    from scipy.special import chdtrc

    n, starts = len(ranks), np.concatenate([[0], np.cumsum(sizes)[:-1]])
    spread = float(ranks.var(ddof=1))
    if spread == 0:
        return 1.0
    means = np.add.reduceat(ranks, starts) / np.array(sizes)
    found = (np.array(sizes) * (means - (n + 1) / 2) ** 2).sum() / spread
    return float(chdtrc(len(sizes) - 1, found))


@lru_cache(maxsize=64)
def _exchanges(sizes: tuple[int, ...]) -> NDArray[np.intp]:
    """Which runs each method may have, a row an exchange, the runs as they are first."""
    n = sum(sizes)
    if len(sizes) == 2 and math.comb(n, sizes[0]) <= MOST_EXACT:
        ours = np.array(list(itertools.combinations(range(n), sizes[0])))
        left = np.ones((len(ours), n), bool)
        np.put_along_axis(left, ours, False, axis=1)
        return np.concatenate([ours, np.nonzero(left)[1].reshape(len(ours), -1)], axis=1)
    drawn = stream("exchanges").permuted(np.tile(np.arange(n), (DRAWS, 1)), axis=1)
    drawn[0] = np.arange(n)
    return drawn


def _without_failures(groups: Sequence[Floats]) -> list[Floats]:
    """The groups with failures as far behind the worst score as that is behind the best."""
    together = np.concatenate(groups)
    failed = ~np.isfinite(together)
    if not failed.any():
        return list(groups)
    scores = together[~failed]
    best, worst = (float(scores.min()), float(scores.max())) if len(scores) else (0.0, 0.0)
    last = worst + ((worst - best) or abs(worst) or 1.0)
    return [np.where(np.isfinite(group), group, last) for group in groups]
