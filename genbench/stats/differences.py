"""Whether runs of several methods differ: their ranks are exchanged, and unequal spread is allowed for.

Runs are arrays of numbers of which less is better, infinite where the run failed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from genbench.stats import Floats, Values, stream

DRAWS = 2_000
"""So many ways to deal the runs of three or more methods are drawn, the runs as they are among them."""

LARGE_PAIR, LARGE_BLOCK = 50, 15
"""From so many runs of each of two methods on, or of each of more, the statistic's distribution is its limit."""

ROUNDING = 1e-12
"""Scores closer than this share of themselves are equal."""

LEAST_VARIANCE = 1e-200
"""Of groups that don't vary, so that their weights are large and not infinite."""


def difference_p(groups: Sequence[Floats]) -> float:
    """The p of the hypothesis that no two of several methods differ.

    The exchange of ranks is exact where methods are equal, however their scores are distributed and however many runs
    fail. But of five runs that all lie on one side of a method that hardly varies it makes more than it should, so
    another test must agree, whichever is sooner convinced. Welch's allows for unequal spread, is shaken by a single
    score far out, and doesn't agree where two means differ the other way than ranks; Hoeffding's holds whatever the
    distributions, but wants six runs or more.
    """
    ordered = _ordered(groups)
    sizes, ranks = tuple(map(len, ordered)), midranks(np.concatenate(ordered))
    exchanged, allowed = _exchanged(ranks, sizes), welch_p(groups) if _agree(ordered, ranks) else 1.0
    if allowed <= exchanged:
        return exchanged
    odds = _bound(_share(ranks, *sizes), min(sizes)) if len(groups) == 2 else odds_p(groups)
    return max(exchanged, min(allowed, odds))


def exchange_p(groups: Sequence[Floats]) -> float:
    """The p of Kruskal and Wallis's statistic, of two groups Wilcoxon's, over exchanges of runs between the methods.

    Σ Rᵢ²/nᵢ over the methods' sums of ranks (Kruskal and Wallis, 1952, JASA 47, 583-621). Equals share the mean of
    their ranks, and failures are equal and last; the exchanges have the same ties. Of two groups all exchanges are
    counted, so p is exact; of more, DRAWS are drawn; of many runs χ² is the statistic's limit. Neither the methods'
    order nor their runs' matters.
    """
    ordered = _ordered(groups)
    return _exchanged(midranks(np.concatenate(ordered)), tuple(map(len, ordered)))


def _ordered(groups: Sequence[Floats]) -> list[Floats]:
    """The groups in an order that depends on their runs alone, and each one's runs in theirs."""
    return sorted((np.sort(group) for group in groups), key=lambda group: (len(group), group.tolist()))


def _exchanged(ranks: Floats, sizes: tuple[int, ...]) -> float:
    """The p of groups of so many runs each, whose ranks are given one after the other."""
    if min(sizes) >= (LARGE_PAIR if len(sizes) == 2 else LARGE_BLOCK):
        return _limit(ranks, sizes)
    return _exact(ranks, sizes[0]) if len(sizes) == 2 else _drawn(ranks, sizes)


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


def odds_p(groups: Sequence[Floats]) -> float:
    """A bound on the p of even odds, that a run of each method is as likely to beat another's as to be beaten.

    Holds for any distributions: of n runs against more, a share θ of wins or one further from ½ has at most the
    probability 2·exp(−n·KL(θ ‖ ½)), 2·2⁻ⁿ where all win, since the share is a mean of means of n independent pairs
    (Hoeffding, 1963, JASA 58, 13-30, theorem 1 and §5a). Of several methods, the least of a pair's by the number of
    pairs.
    """
    two = itertools.combinations(groups, 2)
    pairs = [_bound(larger_share(one, other), min(len(one), len(other))) for one, other in two]
    return min(1.0, len(pairs) * min(pairs))


def least_p(ours: int, theirs: int) -> float:
    """The least p that two methods with so many runs each can have: of all ways to deal them, the two extreme ones."""
    return 1.0 if min(ours, theirs) < 2 else 2 / math.comb(ours + theirs, ours)


def midranks(values: Floats) -> Floats:
    """The ranks of `(n,)` values, 1 for the least; values that are equal but for rounding share the mean of theirs."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    with np.errstate(invalid="ignore"):  # two failures are no distance apart, which NaN is not above either
        fresh = np.diff(ordered) > ROUNDING * np.maximum(np.abs(ordered[1:]), np.abs(ordered[:-1]))
    fresh |= np.isfinite(ordered[:-1]) != np.isfinite(ordered[1:])
    group = np.concatenate([[0], np.cumsum(fresh)])
    last = np.cumsum(np.bincount(group))
    ranks = np.empty(len(values))
    ranks[order] = (last - (np.bincount(group) - 1) / 2)[group]
    return ranks


def larger_share(ours: Values | Floats, theirs: Values | Floats) -> float:
    """Of all pairs of a run of each, the share in which ours is the larger; what is equal but for rounding is half."""
    return _share(midranks(np.concatenate([ours, theirs])), len(ours), len(theirs))


def _share(ranks: Floats, n: int, m: int) -> float:
    """Of pairs of the first n and the other m of some runs, by their ranks, the share in which the first is larger."""
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def _exact(ranks: Floats, first: int) -> float:
    """Of all ways to choose so many runs, the share whose sum of ranks is as far from its mean as that of the first."""
    doubled = np.rint(2 * ranks).astype(int)
    observed, mean = doubled[:first].sum(), first * (len(ranks) + 1)
    most = int(np.sort(doubled)[-first:].sum())
    ways = np.zeros((first + 1, most + 1))  # of each number of runs, by the sum of their doubled ranks
    ways[0, 0] = 1
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, : most + 1 - rank]
    as_far = np.abs(np.arange(most + 1) - mean) >= abs(observed - mean)
    return float(ways[first, as_far].sum() / ways[first].sum())


def _drawn(ranks: Floats, sizes: tuple[int, ...]) -> float:
    """Of some ways to deal all runs, the share whose statistic is as large as that of the runs as they are."""
    starts = np.cumsum((0, *sizes[:-1]))
    sums = np.add.reduceat(ranks[_exchanges(sizes)], starts, axis=1)
    statistics = (sums**2 / np.array(sizes)).sum(1)
    return float((statistics >= statistics[0] * (1 - ROUNDING)).mean())


def _limit(ranks: Floats, sizes: tuple[int, ...]) -> float:
    from scipy.special import chdtrc

    n, starts = len(ranks), np.cumsum((0, *sizes[:-1]))
    spread = float(ranks.var(ddof=1))
    if spread == 0:
        return 1.0
    means = np.add.reduceat(ranks, starts) / np.array(sizes)
    statistic = (np.array(sizes) * (means - (n + 1) / 2) ** 2).sum() / spread
    return float(chdtrc(len(sizes) - 1, statistic))


@lru_cache(maxsize=256)
def _exchanges(sizes: tuple[int, ...]) -> NDArray[np.intp]:
    """Which runs each method may have, a row an exchange, the runs as they are first."""
    drawn = stream("exchanges").permuted(np.tile(np.arange(sum(sizes)), (DRAWS, 1)), axis=1)
    drawn[0] = np.arange(sum(sizes))
    return drawn


def _agree(groups: Sequence[Floats], ranks: Floats) -> bool:
    """Whether the means of two groups don't differ the other way than their ranks."""
    if len(groups) > 2:
        return True
    one, other = _without_failures(groups)
    return bool((one.mean() - other.mean()) * (_share(ranks, len(one), len(other)) - 0.5) >= 0)


def _bound(share: float, n: int) -> float:
    """Hoeffding's of a share of wins among so many independent pairs."""
    from scipy.special import rel_entr

    return min(1.0, 2 * math.exp(-n * float(rel_entr(share, 0.5) + rel_entr(1 - share, 0.5))))


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
