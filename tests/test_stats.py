"""Intervals over seeds, against scipy's own."""

import math
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from genbench.stats import CONFIDENCE, mean_interval

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12).filter(lambda values: stdev(values) > 1e-3)


@given(VALUES)
def test_interval_is_students_t(values: list[float]) -> None:
    found = mean_interval(values)
    scale = stdev(values) / math.sqrt(len(values))
    low, high = scipy_stats.t.interval(CONFIDENCE, len(values) - 1, loc=mean(values), scale=scale)
    assert found.mean == pytest.approx(mean(values), rel=1e-9, abs=1e-9)
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
