"""Medians and their intervals by what must hold of them, bootstrap intervals against scipy's own."""

import math
from statistics import median as middle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from genbench.stats.intervals import (
    MEDIAN_CONFIDENCE,
    chance_of,
    interquartile_mean,
    interquartile_mean_interval,
    median,
    median_interval,
)

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12)
SKEWED = [0.1, 0.2, 0.25, 0.3, 0.5, 0.9, 1.6, 2.7]
SHAPES = {
    "skewed": lambda rng, n: rng.lognormal(0, 2, n),
    "bounded": lambda rng, n: rng.beta(0.5, 0.2, n),
    "one run in ten fails": lambda rng, n: np.where(rng.random(n) < 0.1, 5.0, 8.0),
    "counts": lambda rng, n: rng.binomial(10, 0.83, n).astype(float),
    "a few distant": lambda rng, n: rng.standard_t(1, n),
}


@given(VALUES)
def test_median_is_the_standard_librarys(values):
    assert median(values) == pytest.approx(middle(values))


def test_median_takes_failures_for_the_worst():
    assert median([1.0, math.inf, 2.0]) == 2
    assert median([1.0, math.inf]) == math.inf
    assert median([math.inf, math.inf]) == math.inf
    with pytest.raises(ValueError, match="no values"):
        median([])


@pytest.mark.parametrize(("n", "ends"), [(5, (0, 4)), (8, (0, 7)), (9, (1, 7)), (20, (5, 14))])
def test_interval_of_a_median_has_the_ends_of_published_tables(n, ends):
    """Conover, Practical Nonparametric Statistics, table A3: 15 of 16 of five, 0.961 of nine, 0.959 of twenty."""
    found = median_interval([float(i) for i in range(n)])
    assert (found.low, found.high) == ends
    outside = 2 * scipy_stats.binom.cdf(ends[0], n, 0.5)
    assert 1 - outside >= MEDIAN_CONFIDENCE > 1 - 2 * scipy_stats.binom.cdf(ends[0] + 1, n, 0.5)


@pytest.mark.parametrize("n", range(1, 5))
def test_fewer_than_five_values_have_no_interval(n):
    assert median_interval([1.0] * n) == (1, None, None)


def test_interval_ends_at_a_failure_where_one_is_among_the_ends():
    assert median_interval([1.0, 2.0, 3.0, 4.0, math.inf]) == (3, 1, math.inf)


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=30))
def test_interval_lies_among_the_values_and_around_the_median(values):
    found = median_interval(values)
    assert min(values) <= found.low <= found.value <= found.high <= max(values)
    assert median_interval(values[::-1]) == found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [5, 6, 8, 10, 20])
def test_interval_holds_the_true_median_as_often_as_it_says(shape, n):
    rng = np.random.default_rng(n)
    truth = float(np.median(SHAPES[shape](rng, 400_000)))
    found = [median_interval(SHAPES[shape](rng, n).tolist()) for _ in range(4_000)]
    assert np.mean([each.low <= truth <= each.high for each in found]) >= 0.93


@pytest.mark.parametrize("n", range(1, 14))
def test_interquartile_mean_is_scipys_trimmed_mean(n):
    values = np.random.default_rng(n).normal(size=n)
    assert interquartile_mean([values]) == pytest.approx(scipy_stats.trim_mean(values, 0.25))


def test_interquartile_mean_of_strata_is_that_of_all_their_values():
    assert interquartile_mean([np.array([1.0, 9.0]), np.array([2.0, 4.0])]) == 3


STRATA = {
    "normal": lambda rng, n: [rng.normal(0.5, 0.1, n), rng.normal(0.7, 0.05, n), rng.normal(0.6, 0.1, n)],
    "bounded": lambda rng, n: [rng.beta(8, 2, n), rng.beta(2, 2, n), rng.beta(0.5, 0.2, n)],
    "failures score nothing": lambda rng, n: [
        np.where(rng.random(n) < failing, 0.0, rng.beta(8, 2, n)) for failing in (0.1, 0.2, 0.0)
    ],
}


@pytest.mark.parametrize("shape", STRATA)
@pytest.mark.parametrize("n", [5, 10])
def test_bootstrap_interval_holds_the_true_interquartile_mean_of_few_runs(shape, n):
    """Plain percentiles hold it in 89 to 90 % where five seeds are drawn anew."""
    rng = np.random.default_rng(n)
    truth = float(interquartile_mean(STRATA[shape](rng, 400_000)))
    found = [interquartile_mean_interval(STRATA[shape](rng, n)) for _ in range(400)]
    # The share's own standard error is 0.011.
    assert np.mean([each.low <= truth <= each.high for each in found]) >= 0.92


def test_bootstrap_of_strata_draws_each_from_its_own():
    """Two datasets on scales far apart: only draws within them leave the mean's spread where it is."""
    low, high = [0.0, 1.0, 2.0, 3.0], [1000.0, 1001.0, 1002.0, 1003.0]
    found = interquartile_mean_interval([low, high])
    assert found.value == np.mean([2, 3, 1000, 1001])
    assert 500 <= found.low < found.value < found.high <= 503


def test_bootstrap_says_the_same_every_time():
    assert interquartile_mean_interval([SKEWED]) == interquartile_mean_interval([SKEWED])


def test_bootstrap_of_equal_values_and_of_one_value_has_no_ends():
    """What never varied in a few runs may yet: no width of zero is claimed."""
    assert interquartile_mean_interval([[2.0] * 5, [0.0] * 5]) == (1, None, None)
    assert interquartile_mean_interval([[2.0] * 5]) == (2, None, None)
    assert interquartile_mean_interval([[2.0], [3.0]]) == (2.5, None, None)


@pytest.mark.parametrize(("n", "least", "share"), [(5, 2, 0.05), (5, 0, 0.05), (5, 5, 0.05), (40, 3, 0.05)])
def test_chance_of_is_the_binomials_upper_tail(n, least, share):
    exact = sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(least, n + 1))
    assert chance_of(n, least, share) == pytest.approx(exact)


def test_chance_of_holds_for_thousands():
    assert chance_of(5_000, 250, 0.05) == pytest.approx(0.5, abs=0.02)
