"""Tests of a block of equals against scipy's own, by what must hold of them, and at their level."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from genbench.stats.differences import (
    DRAWS,
    LARGE_BLOCK,
    LARGE_PAIR,
    difference_p,
    exchange_p,
    least_p,
    midranks,
    odds_p,
    welch_p,
)

SIZES = [(5, 5), (4, 6), (4, 4, 5), (5, 5, 5, 5)]


def groups(seed, sizes, shift=0.7, **of):
    rng = np.random.default_rng(seed)
    return [rng.normal(i * shift, of.get("spread", 1.0) ** i, n) for i, n in enumerate(sizes)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sizes", [(5, 5), (4, 6), (7, 7)])
def test_exchange_of_two_is_wilcoxons_exact_test(seed, sizes):
    ours, theirs = groups(seed, sizes)
    assert exchange_p([ours, theirs]) == pytest.approx(scipy_stats.mannwhitneyu(ours, theirs, method="exact").pvalue)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sizes", [(3, 5), (5, 5), (2, 7)])
def test_exchange_of_two_with_ties_and_failures_is_the_share_of_all_deals(sizes, seed):
    rng = np.random.default_rng(seed)
    of = [np.where(rng.random(n) < 0.3, math.inf, rng.integers(0, 4, n)) for n in sizes]
    ranks = scipy_stats.rankdata(np.concatenate(of))
    sums = [sum(deal) for deal in itertools.combinations(ranks, sizes[0])]
    mean, found = sizes[0] * (sum(sizes) + 1) / 2, ranks[: sizes[0]].sum()
    expected = np.mean([abs(each - mean) >= abs(found - mean) - 1e-9 for each in sums])
    assert exchange_p(of) == pytest.approx(expected)


@pytest.mark.parametrize("sizes", [(9, 9), (20, 12), (24, 24)])
def test_exchange_of_many_is_wilcoxons_exact_test(sizes):
    ours, theirs = groups(7, sizes, 0.8)
    assert exchange_p([ours, theirs]) == pytest.approx(scipy_stats.mannwhitneyu(ours, theirs, method="exact").pvalue)


@given(st.permutations(range(4)), st.integers(0, 10**6))
def test_neither_the_methods_order_nor_their_runs_matter(order, seed):
    rng = np.random.default_rng(seed)
    of = [np.round(rng.normal(i, 1, n), 1) for i, n in enumerate((5, 5, 6, 5))]
    shuffled = [rng.permutation(of[i]) for i in order]
    assert exchange_p(shuffled) == exchange_p(of)
    assert difference_p(shuffled) == pytest.approx(difference_p(of), rel=1e-9)
    assert exchange_p([of[1], of[0]]) == exchange_p([of[0], of[1]])


@pytest.mark.parametrize("sizes", [(4, 4, 5), (5, 5, 5, 5)])
def test_exchange_of_several_is_scipys_permutation_of_kruskal_and_wallis(sizes):
    of = groups(1, sizes)
    theirs = scipy_stats.permutation_test(
        of, lambda *x: scipy_stats.kruskal(*x).statistic, n_resamples=4_000, alternative="greater",
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert exchange_p(of) == pytest.approx(theirs.pvalue, abs=0.02)


@pytest.mark.parametrize(
    "sizes", [(LARGE_PAIR, LARGE_PAIR), (LARGE_BLOCK, LARGE_BLOCK + 5, LARGE_BLOCK), (LARGE_PAIR, LARGE_PAIR + 9)]
)
def test_many_runs_are_tested_by_the_limit(sizes):
    of = [group.round(1) for group in groups(2, sizes, 0.2)]
    assert exchange_p(of) == pytest.approx(scipy_stats.kruskal(*of).pvalue)


@pytest.mark.parametrize("sizes", SIZES)
def test_welchs_test_is_scipys(sizes):
    of = groups(3, sizes, spread=2.0)
    assert welch_p(of) == pytest.approx(scipy_stats.f_oneway(*of, equal_var=False).pvalue)
    if len(sizes) == 2:
        assert welch_p(of) == pytest.approx(scipy_stats.ttest_ind(*of, equal_var=False).pvalue)


def test_welchs_test_takes_a_failure_for_one_range_behind_the_worst():
    good, bad = np.array([0.0, 1.0, 2.0, 3.0]), np.array([2.0, 4.0, math.inf, 3.0])
    assert welch_p([good, bad]) == pytest.approx(welch_p([good, np.array([2.0, 4.0, 8.0, 3.0])]))
    assert welch_p([good, np.array([math.inf] * 4)]) < 0.01
    assert welch_p([np.array([8.0] * 4), np.array([math.inf] * 4)]) < 1e-9
    assert welch_p([np.array([math.inf] * 4)] * 2) == 1


def test_a_single_run_has_no_spread_that_welchs_test_could_allow_for():
    assert welch_p([np.array([1.0]), np.arange(50.0)]) == 1


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12))
def test_midranks_are_scipys(values):
    rounded = np.round(values, 3)
    assert midranks(rounded).tolist() == scipy_stats.rankdata(rounded).tolist()


def test_scores_that_are_equal_but_for_rounding_are_equal():
    assert midranks(np.array([1000 + 0.1 + 0.2, 1000.3, 1001.0])).tolist() == [1.5, 1.5, 3]
    assert midranks(np.array([math.inf, 1.0, math.inf])).tolist() == [2.5, 1, 2.5]
    assert midranks(np.array([math.inf, math.inf])).tolist() == [1.5, 1.5]


@pytest.mark.parametrize("offset", [0.0, 1e3, -1e6])
def test_ties_give_the_same_p_wherever_the_scores_lie(offset):
    ours, theirs = np.array([0.1, 0.2, 0.2, 0.3, 0.3]), np.array([0.2, 0.3, 0.3, 0.4, 0.5])
    assert exchange_p([ours + offset, theirs + offset]) == exchange_p([ours, theirs])


@pytest.mark.parametrize("n", range(4, 21))
def test_scores_as_far_apart_as_can_be_have_the_least_p(n):
    of = [np.arange(n) / n, 10 + np.arange(n) / n]
    assert difference_p(of) == pytest.approx(least_p(n, n))


def test_least_p_counts_the_two_extreme_deals():
    assert least_p(4, 4) == 2 / 70
    assert least_p(3, 6) == 2 / 84
    assert least_p(1, 100) == 1


def test_one_score_far_out_makes_no_others_equal():
    near = [np.arange(5.0), 10 + np.arange(5.0)]
    assert exchange_p([*near, np.array([20.5, 21.5, 22.5, 23.5, 1e15])]) == 1 / DRAWS
    assert midranks(np.array([0.0, 1.0, 2.0, 1e15, math.inf])).tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("n", range(6, 21))
@pytest.mark.parametrize("far", [20.0, 1e6, math.inf])
def test_scores_that_lie_apart_stay_told_apart_however_far_out_one_of_them_lies(n, far):
    """A collapse is no weaker evidence than a crash: Welch's test is shaken by it, Hoeffding's bound isn't."""
    of = [np.linspace(0.10, 0.14, n), np.append(np.linspace(0.15, 0.19, n - 1), far)]
    assert difference_p(of) <= max(2 * 2.0**-n, least_p(n, n)) * (1 + 1e-9)


@pytest.mark.parametrize("n", [5, 6, 8, 20])
def test_odds_bound_is_that_of_a_coin_where_all_runs_win(n):
    """Against a method that never varies, n runs lie all on one side with the probability 2·2⁻ⁿ."""
    assert odds_p([np.zeros(n), np.ones(n)]) == pytest.approx(2 * 2.0**-n)
    assert odds_p([np.zeros(n), np.ones(3 * n)]) == pytest.approx(2 * 2.0**-n)
    assert odds_p([np.zeros(n), np.ones(n), np.full(n, 2.0)]) == pytest.approx(min(1, 3 * 2 * 2.0**-n))
    assert odds_p([np.arange(n), np.arange(n)]) == 1


@pytest.mark.parametrize("theirs", ["coin", "constant", "normal"])
def test_odds_bound_holds_whatever_the_distributions(theirs):
    """Even odds of two methods that share nothing else: one is good or bad by a coin, the other in between."""
    rng, n = np.random.default_rng(3), 10
    draw = {
        "coin": lambda: rng.choice([-2.0, 2.0], n),
        "constant": lambda: np.zeros(n),
        "normal": lambda: rng.normal(0, 0.1, n),
    }
    ps = np.array([odds_p([rng.choice([-1.0, 1.0], n), draw[theirs]()]) for _ in range(4_000)])
    for level in (0.05, 0.01):
        assert np.mean(ps <= level) <= level


@pytest.mark.parametrize("n", [20, 24, 49])
def test_welchs_test_does_not_agree_where_means_differ_the_other_way_than_ranks(n):
    """Most runs of one are a little better and a few much worse, so that means say the contrary."""
    few = n // 4
    often = np.concatenate([np.full(n - few, -0.3), np.full(few, 10.0)]) + np.linspace(0, 0.01, n)
    narrow = np.linspace(-0.1, 0.1, n)
    assert often.mean() > narrow.mean()
    assert exchange_p([often, narrow]) < 0.01
    assert welch_p([often, narrow]) < 0.05
    assert difference_p([often, narrow]) == pytest.approx(max(exchange_p([often, narrow]), odds_p([often, narrow])))


def test_few_failures_of_one_method_are_no_more_than_exchanges_make_of_them():
    """Of many runs that are all alike, χ² would call four failures of one trainer p = .04."""
    for n in (24, 25, 49):
        one = np.concatenate([np.full(4, math.inf), np.ones(n - 4)])
        exact = 2 * math.comb(n, 4) / math.comb(2 * n, 4)
        assert exchange_p([one, np.ones(n)]) == pytest.approx(exact)


@pytest.mark.parametrize("score", [1.5, 0.0, -1e12, 1e-300, math.inf])
def test_equal_scores_do_not_differ(score):
    for n in (2, 4, 8, 30):
        assert difference_p([np.full(n, score)] * 3) == 1


def test_groups_of_which_some_do_not_vary_can_be_told_apart():
    zeros, ones = np.zeros(5), np.ones(5)
    assert difference_p([zeros, ones]) == pytest.approx(least_p(5, 5))
    assert difference_p([zeros, zeros, ones]) < 0.01
    assert difference_p([zeros, zeros, np.array([-1.0, 1.0, -2.0, 2.0, 0.0])]) > 0.5


@pytest.mark.parametrize("failing", [0, 0.4])
@pytest.mark.parametrize("sizes", [(5, 5), (4, 9), (5, 5, 5)])
def test_level_holds_for_equal_methods_of_any_shape(sizes, failing):
    rng = np.random.default_rng(4)
    ps = [
        difference_p([np.where(rng.random(n) < failing, math.inf, rng.lognormal(0, 1, n)) for n in sizes])
        for _ in range(1_000)
    ]
    assert np.mean(np.array(ps) <= 0.05) <= 0.06


@pytest.mark.parametrize("sizes", [(5, 5), (8, 8), (12, 5)])
def test_level_holds_where_one_method_hardly_varies(sizes):
    """Five runs lie on one side of a method without spread in 1 of 16 experiments; ranks alone call that p = .008."""
    rng, ps, by_ranks = np.random.default_rng(5), [], []
    for _ in range(1_500):
        of = [rng.normal(0, 0.001, sizes[0]), rng.normal(0, 1, sizes[1])]
        ps.append(difference_p(of))
        by_ranks.append(exchange_p(of))
    assert np.mean(np.array(ps) <= 0.05) <= 0.06
    assert np.mean(np.array(ps) <= 0.05 / 3) <= 0.025 < np.mean(np.array(by_ranks) <= 0.05 / 3)
