"""Deviations, shifts and detectable effects against scipy's and published values."""

import math
from statistics import stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from genbench.stats.effects import deviation, minimal_detectable_effect, pooled_deviation, shift

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12)


@given(VALUES)
def test_deviation_is_that_of_a_sample(values):
    assert deviation(values) == pytest.approx(stdev(values), abs=1e-9)
    assert deviation(values[:1]) is None


@pytest.mark.parametrize(("effect", "seeds"), [(0.5, 64), (0.8, 26), (0.2, 394)])
def test_detectable_effect_is_cohens(effect, seeds):
    """Cohen, 1988, table 2.4.1: so many in each group for a power of .80 at the two-sided 5 % level."""
    assert minimal_detectable_effect(1, seeds) == pytest.approx(effect, rel=0.012)


def test_detectable_effect_is_found_as_often_as_it_says():
    rng, effect = np.random.default_rng(7), minimal_detectable_effect(2, 5)
    found = scipy_stats.ttest_ind(rng.normal(effect, 2, (5, 4000)), rng.normal(0, 2, (5, 4000))).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.02)
    assert minimal_detectable_effect(1, 1) is None


def test_pooled_deviation_of_a_textbooks_numbers():
    assert pooled_deviation((0.0, 2.0, 4.0), (1.0, 5.0, 9.0)) == pytest.approx(math.sqrt(10))
    assert pooled_deviation((0.0, 2.0), (0.0, 0.0, 0.0, 4.0, 8.0)) == pytest.approx(math.sqrt((2 + 51.2) / 5))
    assert pooled_deviation((8.0,), (7.0, 6.0)) is None


def test_shift_and_its_interval_are_hollander_and_wolfes():
    """Nonparametric Statistical Methods, example 4.1, membranes: 0.305, -0.15 to 0.76 by R's wilcox.test."""
    chorioamnion = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    gestation = [1.15, 0.88, 0.90, 0.74, 1.21]
    found = shift(gestation, chorioamnion)
    assert found == pytest.approx((0.305, -0.15, 0.76))


@pytest.mark.parametrize(("n", "m"), [(4, 4), (5, 5), (6, 9), (30, 30)])
def test_interval_of_a_shift_leaves_what_wilcoxons_test_does_not_reject(n, m):
    rng = np.random.default_rng(n + m)
    before, after = rng.normal(size=n), rng.normal(1, 2, size=m)
    found, method = shift(before, after), "exact" if n < 25 else "asymptotic"
    for end, inwards in ((found.low, 1e-6), (found.high, -1e-6)):
        inside, outside = (
            scipy_stats.mannwhitneyu(after - end - by, before, method=method).pvalue for by in (inwards, -inwards)
        )
        assert inside > 0.05 >= outside - (0.002 if n >= 25 else 0)


def test_shift_of_three_runs_each_has_no_interval():
    assert shift([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]) == (1, None, None)


def test_failures_are_infinitely_far_from_scores_and_not_from_each_other():
    assert shift([1.0, 2.0, 3.0, 4.0], [math.inf] * 4).value == math.inf
    assert shift([math.inf] * 3, [math.inf] * 3).value == 0
