"""Differences and effect sizes, held against scipy and against numbers worked out by hand."""

import math

import pytest
from scipy import stats

from genbench.compare.effects import cohens_d, detectable, difference, paired_difference, pooled_deviation
from genbench.stats import minimal_detectable_effect

ONE, OTHER = (0.91, 0.87, 0.95, 0.9, 0.82), (0.71, 0.95, 0.6, 0.8)


def test_interval_of_a_difference_is_welchs():
    theirs = stats.ttest_ind(OTHER, ONE, equal_var=False).confidence_interval(0.95)
    found = difference(ONE, OTHER)
    assert found == pytest.approx((sum(OTHER) / 4 - sum(ONE) / 5, theirs.low, theirs.high))


def test_interval_of_pairs_is_students():
    theirs = stats.ttest_rel(OTHER, ONE[:4]).confidence_interval(0.95)
    assert paired_difference(ONE[:4], OTHER)[1:] == pytest.approx((theirs.low, theirs.high))


def test_pairs_that_all_differ_alike_leave_no_doubt():
    assert paired_difference((1.0, 2.0, 4.0), (2.0, 3.0, 5.0)) == pytest.approx((1, 1, 1))


def test_scores_that_never_vary_differ_for_sure():
    assert difference((8.0, 8.0), (7.0, 7.0)) == (-1, -1, -1)


def test_one_score_has_no_interval():
    assert difference((8.0,), (7.0, 6.0)) == (-1.5, None, None)


def test_cohens_d_of_a_textbooks_numbers():
    # Variances 4 and 16 with equal weights: a pooled deviation of √10; the means are 3 apart.
    assert cohens_d((0.0, 2.0, 4.0), (1.0, 5.0, 9.0)) == pytest.approx(3 / math.sqrt(10))
    assert pooled_deviation((0.0, 2.0, 4.0), (1.0, 5.0, 9.0)) == pytest.approx(math.sqrt(10))


def test_larger_sides_weigh_more_in_the_pooled_deviation():
    # Squares 2 and 32 over 1 + 4 degrees of freedom.
    assert pooled_deviation((0.0, 2.0), (0.0, 0.0, 0.0, 4.0, 8.0)) == pytest.approx(math.sqrt((2 + 51.2) / 5))


def test_effect_changes_sign_with_the_sides_and_not_with_the_unit():
    assert cohens_d(ONE, OTHER) == pytest.approx(-cohens_d(OTHER, ONE))
    assert cohens_d([100 * value for value in ONE], [100 * value for value in OTHER]) == pytest.approx(
        cohens_d(ONE, OTHER)
    )


def test_detectable_difference_of_pairs_has_the_power_of_scipys_noncentral_t():
    before, after = (0.1, 0.5, 0.9, 1.3, 1.7, 2.1), (0.2, 0.4, 1.2, 1.3, 1.9, 2.5)
    shift = detectable(before, after, paired=True)
    error = stats.sem([second - first for first, second in zip(before, after, strict=True)])
    assert stats.nct.sf(stats.t.ppf(0.975, 5), 5, shift / error) == pytest.approx(0.8)


def test_detectable_difference_of_unpaired_sides_goes_by_the_smaller():
    assert detectable(ONE, OTHER, paired=False) == minimal_detectable_effect(pooled_deviation(ONE, OTHER), 4)
    assert detectable((8.0,), OTHER, paired=False) is None


def test_pairs_that_rise_together_show_smaller_differences():
    before = (0.1, 0.5, 0.9, 1.3, 1.7, 2.1)
    after = tuple(value + wobble for value, wobble in zip(before, (0.01, 0.02, 0, 0.01, 0.02, 0), strict=True))
    assert detectable(before, after, paired=True) < detectable(before, after, paired=False) / 10


@pytest.mark.parametrize("sides", [((8.0, 8.0), (7.0, 7.0)), ((8.0,), (7.0, 6.0)), ((0.1 + 0.2, 0.3), (0.3, 0.3))])
def test_no_effect_size_without_a_deviation(sides):
    assert cohens_d(*sides) is None
