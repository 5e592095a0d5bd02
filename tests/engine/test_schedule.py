"""The learning rate along the budget, as it is written down."""

import math
from itertools import pairwise

import pytest

from genbench.engine.schedule import FLOOR, schedule
from genbench.parameters import explained
from genbench.registry import trainers

SHARES = [i / 1000 for i in range(1000)]


def test_linear_falls_to_the_floor_by_nineteen_twentieths_and_stays_there():
    assert schedule("linear", 0.0) == 1
    assert [schedule("linear", p) for p in SHARES if p < 0.95] == [1 - p for p in SHARES if p < 0.95]
    assert {schedule("linear", p) for p in SHARES if p >= 0.951} == {FLOOR} == {0.05}
    assert schedule("linear", 0.949) > FLOOR


def test_cosine_is_rescaled_to_end_at_the_floor_and_not_cut_off_there():
    assert schedule("cosine", 0.0) == 1
    assert schedule("cosine", 0.5) == pytest.approx((1 + FLOOR) / 2)
    assert schedule("cosine", 1.0) == pytest.approx(FLOOR)
    factors = [schedule("cosine", p) for p in SHARES]
    assert all(before > after > FLOOR for before, after in pairwise(factors))
    halves = [(factor - FLOOR) / (1 - FLOOR) for factor in factors]
    assert halves == pytest.approx([math.cos(math.pi * p / 2) ** 2 for p in SHARES])


def test_constant_is_one():
    assert {schedule("constant", p) for p in SHARES} == {1.0}


@pytest.mark.parametrize("name", [entry.name for entry in trainers if entry.origin.startswith("genbench.baselines")])
def test_trainers_say_where_their_schedules_end(name):
    said = explained(trainers[name].annotations["schedule"])
    assert "reaches 5 % after 95 % of the budget and stays there" in said
    assert "a cosine that ends at 5 %" in said


@pytest.mark.parametrize("name", [entry.name for entry in trainers if entry.origin.startswith("genbench.baselines")])
def test_every_parameter_of_genbenchs_own_is_explained(name):
    assert [key for key, kind in trainers[name].annotations.items() if not explained(kind)] == []
