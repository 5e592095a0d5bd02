"""Means: against scipy's Welch, holding the truth as often as they say, and sure of nothing that they can't know."""

import math

import numpy as np
import pytest
from scipy import stats

from genbench.stats.means import Mean, contrast, contrast_by_seed, difference


def test_difference_is_welchs():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(1, 2, 9).tolist(), rng.normal(0, 0.3, 14).tolist()
    found = difference(Mean.of(ours), Mean(np.mean(theirs), stats.sem(theirs), len(theirs)))
    expected = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    assert found == pytest.approx((np.mean(ours) - np.mean(theirs), expected.low, expected.high))


def test_interval_is_students_and_cut_at_the_bounds():
    values = [7.0, 8.0, 8.0, 8.0, 8.0]
    expected = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert Mean.of(values).interval() == pytest.approx((7.8, *expected))
    assert Mean.of(values).interval((0, 8)) == pytest.approx((7.8, expected[0], 8))


def test_a_mean_printed_without_its_spread_varies_as_ours_does():
    ours = Mean.of([1.0, 2.0, 4.0, 3.0, 2.5])
    half = stats.tstd([1.0, 2.0, 4.0, 3.0, 2.5]) * math.sqrt(1 / 5 + 1 / 3) * stats.t.ppf(0.975, 4)
    value = ours.value - 2
    assert difference(ours, Mean(2.0, None, 3)) == pytest.approx((value, value - half, value + half))
    exact = difference(ours, Mean(2.0, None, 0))
    assert exact.low == pytest.approx(ours.interval().low - 2)


def test_counts_that_are_all_the_same_are_not_certain():
    assert Mean.of([8.0] * 10).error == 0
    unsure = Mean.of([8.0] * 10, unit=1.0)
    assert unsure.error == pytest.approx(stats.tstd([8.0] * 10 + [7.0]) / math.sqrt(10))
    assert difference(unsure, Mean(7.9, 0.1, 10)).low < 0 < difference(unsure, Mean(7.9, 0.1, 10)).high
    assert difference(unsure, Mean(6.3, 0.5, 10)).low > 0


def test_one_run_says_nothing_of_how_sure_it_is():
    assert Mean.of([3.0]).interval() == (3, None, None)
    assert difference(Mean.of([3.0]), Mean(1.0, 0.1, 5)) == (2, None, None)
    assert contrast([[1.0]], [[3.0, 4.0]]) == (-2.5, None, None)
    with pytest.raises(ValueError, match="no runs"):
        Mean.of([])


def test_contrast_of_two_groups_is_their_difference():
    one, other = [1.0, 2.0, 4.0], [0.5, 0.1, 0.7, 0.2]
    assert contrast([one], [other]) == pytest.approx(difference(Mean.of(one), Mean.of(other)))


def test_groups_that_do_not_vary_give_no_interval_but_of_counts():
    assert contrast([[1.0, 1.0]], [[0.0, 0.0]]) == (1, None, None)
    assert contrast([[1.0, 1.0]], [[0.0, 0.0]], unit=1.0).low < 1


@pytest.mark.parametrize("runs", [2, 5])
def test_a_borrowed_spread_holds_the_truth_in_nineteen_of_twenty_experiments(runs):
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(4_000):
        found = difference(Mean.of(rng.normal(1, 1, 4).tolist()), Mean(rng.normal(1, 1, runs).mean(), None, runs))
        missed += not found.low <= 0 <= found.high
    assert 0.04 <= missed / 4_000 <= 0.06


def test_contrast_by_seed_is_the_mean_of_what_each_seed_says():
    a, b, c, d = np.random.default_rng(0).normal(0, 1, (4, 6))
    each = (c + d - a - b) / 2
    expected = stats.t.interval(0.95, 5, each.mean(), stats.sem(each))
    assert contrast_by_seed([c.tolist(), d.tolist()], [a.tolist(), b.tolist()]) == pytest.approx(
        (each.mean(), *expected)
    )
    assert contrast_by_seed([[8.0] * 5], [[8.0] * 5]) == (0, 0, 0)
    assert contrast_by_seed([[8.0] * 5], [[8.0] * 5], unit=1.0).high > 0
    with pytest.raises(ValueError, match="zip"):
        contrast_by_seed([[1.0, 2.0]], [[1.0, 2.0], [1.0]])


@pytest.mark.parametrize("shared", [0.0, 2.0])
def test_contrast_by_seed_holds_the_truth_whatever_the_seeds_share(shared):
    """As arms of one penalty do: what they share doesn't cancel, so independent groups would be too sure of it."""
    rng, missed = np.random.default_rng(3), {"seeds": 0, "groups": 0}
    for _ in range(2_000):
        both = rng.normal(0, shared, (2, 6))
        a, b, c, d = rng.normal(0, 1, (4, 6)) + both[[0, 0, 1, 1]]
        for name, of in (("seeds", contrast_by_seed), ("groups", contrast)):
            found = of([c.tolist(), d.tolist()], [a.tolist(), b.tolist()])
            missed[name] += not found.low <= 0 <= found.high
    assert 0.035 <= missed["seeds"] / 2_000 <= 0.065
    assert shared == 0 or missed["groups"] / 2_000 > 0.1


@pytest.mark.parametrize("spreads", [(1, 1, 1, 1), (0.1, 5, 1, 0.1)])
def test_contrast_holds_the_truth_in_nineteen_of_twenty_experiments(spreads):
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(2_000):
        a, b, c, d = (rng.normal(i, spread, 6).tolist() for i, spread in enumerate(spreads))
        found = contrast([c, d], [a, b])
        missed += not found.low <= 2 <= found.high
    assert 0.03 <= missed / 2_000 <= 0.07
