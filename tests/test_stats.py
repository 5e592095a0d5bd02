"""Intervals, tests and ranks against scipy's own, against published values, and by what must hold of them."""

import itertools
import math
from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from genbench import stats
from genbench.stats import CONFIDENCE, mean_interval

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12).filter(lambda values: stdev(values) > 1e-3)


@given(VALUES)
def test_interval_is_students_t(values: list[float]) -> None:
    found = mean_interval(values)
    scale = stdev(values) / math.sqrt(len(values))
    low, high = scipy_stats.t.interval(CONFIDENCE, len(values) - 1, loc=mean(values), scale=scale)
    assert found.value == pytest.approx(mean(values), rel=1e-9, abs=1e-9)
    assert (found.low, found.high) == (pytest.approx(low, rel=1e-9, abs=1e-6), pytest.approx(high, rel=1e-9, abs=1e-6))
    assert found.half_width == pytest.approx((high - low) / 2, rel=1e-6)


def test_interval_of_a_known_example() -> None:
    assert mean_interval([1, 2, 3, 4, 5]) == pytest.approx((3, 3 - 1.963243, 3 + 1.963243), abs=1e-5)


def test_interval_does_not_depend_on_order() -> None:
    assert mean_interval([0.1, 0.2, 0.7]) == mean_interval([0.7, 0.1, 0.2])


def test_equal_values_have_an_interval_without_width() -> None:
    assert mean_interval([2.5] * 5) == (2.5, 2.5, 2.5)


def test_one_value_has_no_interval() -> None:
    found = mean_interval([7.0])
    assert found == (7.0, None, None)
    assert found.half_width is None


def test_no_values_have_no_mean() -> None:
    with pytest.raises(ValueError, match="no values"):
        mean_interval([])


SKEWED = [0.1, 0.2, 0.25, 0.3, 0.5, 0.9, 1.6, 2.7]


def numbered(values):
    return dict(enumerate(values))


@pytest.mark.parametrize("n", range(1, 14))
def test_interquartile_mean_is_scipys_trimmed_mean(n):
    values = np.random.default_rng(n).normal(size=n)
    assert stats.interquartile_mean([values]) == pytest.approx(scipy_stats.trim_mean(values, 0.25))


def test_interquartile_mean_of_strata_is_that_of_all_their_values():
    assert stats.interquartile_mean([np.array([1.0, 9.0]), np.array([2.0, 4.0])]) == 3


@pytest.mark.parametrize(
    "statistic", [lambda values, axis: np.mean(values, axis), lambda values, axis: np.std(values, axis)]
)
@pytest.mark.parametrize("values", [SKEWED, np.random.default_rng(0).normal(size=30)], ids=["skewed", "normal"])
def test_bootstrap_of_one_stratum_is_scipys_bca(statistic, values):
    found = stats.bootstrap_interval([values], lambda strata: np.asarray(statistic(strata[0], -1)))
    theirs = scipy_stats.bootstrap(
        (values,), statistic, n_resamples=40_000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), rel=0.03, abs=0.01)


def test_bootstrap_of_strata_draws_each_from_its_own():
    """Two datasets on scales far apart: only draws within them leave the mean's spread where it is."""
    low, high = [0.0, 1.0, 2.0, 3.0], [1000.0, 1001.0, 1002.0, 1003.0]
    found = stats.bootstrap_interval([low, high], lambda strata: np.mean([values.mean(-1) for values in strata], 0))
    assert found.value == 501.5
    assert 500.6 < found.low < 501.1
    assert 501.9 < found.high < 502.4


def test_bootstrap_says_the_same_every_time():
    assert stats.bootstrap_interval([SKEWED]) == stats.bootstrap_interval([SKEWED])


def test_bootstrap_of_equal_values_has_no_width_and_of_one_value_no_ends():
    assert stats.bootstrap_interval([[2.0] * 5]) == (2, 2, 2)
    assert stats.bootstrap_interval([[2.0], [3.0]]) == (2.5, None, None)


def test_bootstrap_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(60):
        found = stats.bootstrap_interval([rng.exponential(size=20)], lambda strata: strata[0].mean(-1))
        held += found.low <= 1 <= found.high
    assert held >= 50


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.lists(st.integers(0, 6), min_size=1, max_size=8))
def test_probability_of_improvement_is_mann_and_whitneys(ours, theirs):
    u = scipy_stats.mannwhitneyu(ours, theirs).statistic if ours else 0
    assert stats.probability_of_improvement([ours], [theirs]) == pytest.approx(u / len(ours) / len(theirs))
    assert stats.probability_of_improvement([ours], [theirs], False) == pytest.approx(1 - u / len(ours) / len(theirs))


def test_interval_of_improvement_narrows_with_runs_and_stays_within_bounds():
    rng = np.random.default_rng(3)
    few, many = (stats.improvement_interval([rng.normal(1, 1, n)] * 2, [rng.normal(0, 1, n)] * 2) for n in (5, 50))
    assert 0 <= few.low <= few.value <= few.high <= 1
    assert many.high - many.low < (few.high - few.low) / 2
    assert stats.improvement_interval([[1.0]], [[0.0]]) == (1, None, None)


@pytest.mark.parametrize("n", [6, 9])
def test_paired_permutations_are_scipys(n):
    rng = np.random.default_rng(n)
    ours, theirs = rng.normal(0.6, 1, n), rng.normal(size=n)
    wanted = scipy_stats.permutation_test(
        (ours, theirs), lambda x, y, axis: np.mean(x - y, axis), permutation_type="samples", vectorized=True
    )
    found = stats.permutation_test(numbered(ours), numbered(theirs))
    assert (found.p, found.least, found.paired) == (pytest.approx(wanted.pvalue), 2 / 2**n, True)


@pytest.mark.parametrize(("n", "m"), [(4, 4), (5, 4), (5, 5)])
def test_permutations_of_too_few_pairs_are_scipys_of_independent_scores(n, m):
    rng = np.random.default_rng(n * m)
    ours, theirs = rng.normal(1.5, 1, n), rng.normal(size=m)
    wanted = scipy_stats.permutation_test(
        (ours, theirs), lambda x, y, axis: np.mean(x, axis) - np.mean(y, axis), vectorized=True
    )
    found = stats.permutation_test(numbered(ours), numbered(theirs))
    assert not found.paired
    # scipy counts both tails apart and doubles the smaller; of unequal numbers the tails differ.
    assert found.p == pytest.approx(wanted.pvalue, abs=0.06 if n != m else 1e-9)


@pytest.mark.parametrize("shared", [True, False])
def test_many_seeds_are_tested_by_drawing(shared):
    rng = np.random.default_rng(5)
    first = 0 if shared else 100
    ours = numbered(rng.normal(0.5, 1, 20))
    theirs = {seed + first: score for seed, score in numbered(rng.normal(size=20)).items()}
    found, test = stats.permutation_test(ours, theirs), scipy_stats.ttest_rel if shared else scipy_stats.ttest_ind
    assert found.paired == shared
    assert found.p == pytest.approx(test(list(ours.values()), list(theirs.values())).pvalue, abs=0.02)
    assert found == stats.permutation_test(ours, theirs)


def test_fewer_than_four_seeds_are_not_tested():
    assert stats.permutation_test(numbered([1, 2, 3]), numbered([4, 5, 6, 7])) is None


@pytest.mark.parametrize(("n", "least"), [(4, 2 / 70), (5, 2 / 252), (6, 2 / 64)])
def test_scores_as_far_apart_as_can_be_have_the_least_p(n, least):
    found = stats.permutation_test(numbered(range(n)), numbered(range(100, 100 + n)))
    assert found.p == found.least == pytest.approx(least)


def test_equal_scores_do_not_differ():
    for n in (4, 8):
        assert stats.permutation_test(numbered([1.5] * n), numbered([1.5] * n)).p == 1


def test_false_alarms_are_as_rare_as_the_level_says():
    rng = np.random.default_rng(6)
    alarms = [
        stats.permutation_test(*map(numbered, rng.normal(size=(2, n)))).p < 0.05 for n in (5, 8) for _ in range(150)
    ]
    assert sum(alarms) <= 25


def test_holm_corrects_as_published():
    """Wright, 1992, Biometrics 48, table 1 has the procedure; these are R's p.adjust(method="holm") by hand."""
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([0.9, 0.8]) == [1, 1]
    assert stats.holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_lies_between_the_plain_p_and_bonferronis(ps):
    corrected = stats.holm(ps)
    assert all(p <= c <= min(1, p * len(ps)) + 1e-12 for p, c in zip(ps, corrected, strict=True))
    assert sorted(corrected) == [c for _, c in sorted(zip(ps, corrected, strict=True))]


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] < pair[1])))
def test_labels_share_a_letter_exactly_if_they_do_not_differ(pairs):
    labels = list("pqrst")
    apart = {frozenset((labels[i], labels[j])) for i, j in pairs}
    found = stats.letters(labels, lambda one, other: frozenset((one, other)) in apart)
    for one, other in itertools.combinations(labels, 2):
        assert bool(set(found[one]) & set(found[other])) == (frozenset((one, other)) not in apart)
    assert "a" in found["p"]
    assert all(found.values())


def test_letters_of_three_of_which_the_outer_two_differ():
    found = stats.letters(["best", "middle", "worst"], lambda one, other: {one, other} == {"best", "worst"})
    assert found == {"best": "a", "middle": "ab", "worst": "b"}


@given(st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=1, max_size=9), st.booleans())
def test_ranks_are_scipys_with_failures_last(scores, higher_is_better):
    keys = [math.inf if score is None else -score if higher_is_better else score for score in scores]
    assert stats.ranks(scores, higher_is_better) == scipy_stats.rankdata(keys).tolist()


def test_performance_profile_counts_runs_as_good_as_each_threshold():
    assert stats.performance_profile([0.1, 0.5, None, 0.9], [0.0, 0.5, 1.0], True) == [0.75, 0.5, 0]
    assert stats.performance_profile([0.1, 0.5, None, 0.9], [0.0, 0.5, 1.0], False) == [0, 0.5, 0.75]


@pytest.mark.parametrize(("effect", "seeds"), [(0.5, 64), (0.8, 26), (0.2, 394)])
def test_detectable_effect_is_cohens(effect, seeds):
    """Cohen, 1988, table 2.4.1: so many in each group for a power of .80 at the two-sided 5 % level."""
    assert stats.minimal_detectable_effect(1, seeds) == pytest.approx(effect, rel=0.012)


def test_detectable_effect_is_found_as_often_as_it_says():
    rng, effect = np.random.default_rng(7), stats.minimal_detectable_effect(2, 5)
    found = scipy_stats.ttest_ind(rng.normal(effect, 2, (5, 4000)), rng.normal(0, 2, (5, 4000))).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.02)
    assert stats.minimal_detectable_effect(1, 1) is None


@given(VALUES)
def test_deviation_is_that_of_a_sample(values):
    assert stats.deviation(values) == pytest.approx(stdev(values))
    assert stats.deviation(values[:1]) is None
