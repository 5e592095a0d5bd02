"""Where the checkpoints lie, and how learning rates fall."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genbench.engine.schedule import FLOOR, schedule
from genbench.engine.training import FIRST_MARK, marks
from genbench.spec import Budget

BUDGETS = st.builds(
    Budget, kind=st.sampled_from(["steps", "updates", "samples"]), amount=st.integers(1, 10**6).map(float)
) | st.builds(Budget, kind=st.just("seconds"), amount=st.floats(0.1, 1e5))


@given(BUDGETS, st.integers(1, 60))
def test_marks_rise_and_end_at_one(budget, count):
    found = marks(budget, count)
    assert found == sorted(set(found))
    assert found[-1] == 1
    assert found[0] > 0
    assert 1 <= len(found) <= count


@given(BUDGETS, st.integers(1, 60))
def test_marks_lie_on_whole_steps(budget, count):
    if budget.kind != "seconds":
        places = [mark * budget.amount for mark in marks(budget, count)]
        assert places == pytest.approx([round(place) for place in places])
        assert places[0] >= 1 - 1e-9


def test_marks_are_even_in_the_logarithm():
    found = marks(Budget.parse("seconds=60"), 12)
    ratios = [after / before for before, after in pairwise(found)]
    assert ratios == pytest.approx([FIRST_MARK ** (-1 / 11)] * 11)
    assert found[0] == pytest.approx(FIRST_MARK)


def test_marks_on_one_step_are_merged():
    assert marks(Budget.parse("steps=3"), 20) == pytest.approx([1 / 3, 2 / 3, 1])
    assert marks(Budget.parse("steps=1"), 20) == [1]


def test_one_mark_is_the_end():
    assert marks(Budget.parse("steps=3000"), 1) == [1]


@pytest.mark.parametrize("name", ["constant", "linear", "cosine"])
def test_rates_start_whole_and_never_rise_nor_vanish(name):
    rates = [schedule(name, i / 1000) for i in range(1000)]
    assert rates[0] == 1
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] >= FLOOR


def test_schedules_have_their_shapes():
    assert schedule("constant", 0.999) == 1
    assert schedule("linear", 0.25) == 0.75
    assert schedule("linear", 0.999) == FLOOR
    assert schedule("cosine", 0.5) == pytest.approx((1 + FLOOR) / 2)
    assert schedule("cosine", 1 - 1e-9) == pytest.approx(FLOOR)
    assert schedule("cosine", 1 / 3) == pytest.approx(FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi / 3)) / 2)
