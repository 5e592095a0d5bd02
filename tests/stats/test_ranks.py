"""Odds, ranks, profiles and letters against scipy's own and by what must hold of them."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from genbench.stats.letters import letters
from genbench.stats.ranks import (
    improvement_interval,
    odds,
    odds_of_all,
    performance_profile,
    probability_of_improvement,
    ranks,
)

SCORES = st.lists(st.integers(0, 6), min_size=1, max_size=8)


@given(SCORES, SCORES)
def test_probability_of_improvement_is_mann_and_whitneys(ours, theirs):
    share = scipy_stats.mannwhitneyu(ours, theirs).statistic / len(ours) / len(theirs)
    assert probability_of_improvement([ours], [theirs]) == pytest.approx(share)
    assert odds(ours, theirs) == pytest.approx(1 - share)


@given(st.lists(st.lists(st.sampled_from([-2.0, 0.0, 1.0, 1.0 + 4e-16, 3.5, math.inf]), min_size=1), min_size=1))
def test_odds_of_all_are_those_of_each_two(runs):
    assert odds_of_all(runs).tolist() == [[odds(ours, theirs) for theirs in runs] for ours in runs]


def test_failures_lose_to_all_others_and_draw_with_each_other():
    assert odds([1.0, math.inf], [2.0, math.inf]) == (1 + 1 + 0 + 0.5) / 4
    assert odds([math.inf], [1e300]) == 0


@given(st.integers(1, 10), st.sampled_from([1.0, 1e-9, 1e9, -3.0]))
def test_runs_that_differ_by_rounding_draw(lost, score):
    """As they do in tests of ranks: twelve runs by a rounding above and eight far below are no majority of wins."""
    near = score + abs(score) * 4e-16
    assert odds([score] * 3, [near] * 3) == 0.5
    assert odds([near] * 12 + [score + abs(score)] * lost, [score] * 20) == pytest.approx(6 / (12 + lost))
    assert probability_of_improvement([[near] * 3], [[score] * 3]) == 0.5
    assert odds([-math.inf], [-math.inf, score]) == 0.75


def test_interval_of_improvement_narrows_with_runs_and_stays_within_bounds():
    rng = np.random.default_rng(3)
    few, many = (improvement_interval([rng.normal(1, 1, n)] * 2, [rng.normal(0, 1, n)] * 2) for n in (5, 50))
    assert 0 <= few.low <= few.value <= few.high <= 1
    assert many.high - many.low < (few.high - few.low) / 2
    assert improvement_interval([[1.0]], [[0.0]]) == (1, None, None)


def test_interval_of_improvement_has_a_width_where_all_runs_win():
    won, lost = (improvement_interval(*sides) for sides in (([[2.0] * 5], [[1.0] * 5]), ([[1.0] * 5], [[2.0] * 5])))
    assert (won.value, won.high) == (1, 1)
    assert 0.5 < won.low < 0.8
    assert lost == pytest.approx((0, 0, 1 - won.low), abs=1e-6)


@pytest.mark.parametrize("shift", [0.0, 0.7, 2.5, 3.5])
@pytest.mark.parametrize("n", [5, 10])
def test_interval_of_improvement_holds_the_true_odds_up_to_the_edge(shift, n):
    rng, truth = np.random.default_rng(n), scipy_stats.norm.cdf(shift / math.sqrt(2))
    found = [
        improvement_interval([rng.normal(shift, 1, n) for _ in range(3)], [rng.normal(0, 1, n) for _ in range(3)])
        for _ in range(1_000)
    ]
    assert np.mean([each.low <= truth <= each.high for each in found]) >= 0.93


@given(st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=1, max_size=9), st.booleans())
def test_ranks_are_scipys_with_failures_last(scores, higher_is_better):
    keys = [math.inf if score is None else -score if higher_is_better else score for score in scores]
    assert ranks(scores, higher_is_better) == scipy_stats.rankdata(keys).tolist()


def test_performance_profile_counts_runs_as_good_as_each_threshold():
    assert performance_profile([0.1, 0.5, None, 0.9], [0.0, 0.5, 1.0], True) == [0.75, 0.5, 0]
    assert performance_profile([0.1, 0.5, None, 0.9], [0.0, 0.5, 1.0], False) == [0, 0.5, 0.75]


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] < pair[1])))
def test_labels_share_a_letter_exactly_if_they_do_not_differ(pairs):
    labels = list("pqrst")
    apart = {frozenset((labels[i], labels[j])) for i, j in pairs}
    found = letters(labels, lambda one, other: frozenset((one, other)) in apart)
    for one, other in itertools.combinations(labels, 2):
        assert bool(set(found[one]) & set(found[other])) == (frozenset((one, other)) not in apart)
    assert "a" in found["p"]
    assert all(found.values())


def test_letters_of_three_of_which_the_outer_two_differ():
    found = letters(["best", "middle", "worst"], lambda one, other: {one, other} == {"best", "worst"})
    assert found == {"best": "a", "middle": "ab", "worst": "b"}


def test_letters_go_on_after_the_alphabet():
    found = letters([str(i) for i in range(60)], lambda one, other: True)
    assert [found[str(i)] for i in (25, 26, 51, 52, 59)] == ["z", "A", "Z", "(53)", "(60)"]
    assert len(set(found.values())) == 60
