"""Tests of a block of equals against scipy's own, by what must hold of them, and at their level."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from genbench.stats.differences import LARGE, difference_p, exchange_p, least_p, midranks, welch_p

SIZES = [(5, 5), (4, 6), (4, 4, 5), (5, 5, 5, 5)]


def groups(seed, sizes, shift=0.7, **of):
    rng = np.random.default_rng(seed)
    return [rng.normal(i * shift, of.get("spread", 1.0) ** i, n) for i, n in enumerate(sizes)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sizes", [(5, 5), (4, 6), (7, 7)])
def test_exchange_of_two_is_wilcoxons_exact_test(seed, sizes):
    ours, theirs = groups(seed, sizes)
    assert exchange_p([ours, theirs]) == pytest.approx(scipy_stats.mannwhitneyu(ours, theirs, method="exact").pvalue)


@pytest.mark.parametrize("sizes", [(4, 4, 5), (5, 5, 5, 5)])
def test_exchange_of_several_is_scipys_permutation_of_kruskal_and_wallis(sizes):
    of = groups(1, sizes)
    theirs = scipy_stats.permutation_test(
        of, lambda *x: scipy_stats.kruskal(*x).statistic, n_resamples=4_000, alternative="greater",
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert exchange_p(of) == pytest.approx(theirs.pvalue, abs=0.02)


@pytest.mark.parametrize("sizes", [(LARGE, LARGE), (LARGE, LARGE + 5, LARGE)])
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
    assert difference_p(of) == pytest.approx(max(least_p(n, n), 1 / 5_000 if n > 8 else 0))


def test_least_p_counts_the_two_extreme_deals():
    assert least_p(4, 4) == 2 / 70
    assert least_p(3, 6) == 2 / 84
    assert least_p(1, 100) == 1


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
