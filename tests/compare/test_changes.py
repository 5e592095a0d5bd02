"""What changed: the numbers are those of genbench.stats, and a breach needs both significance and a margin."""

import numpy as np
import pytest
from made_up_tables import cell, table

from genbench.compare.changes import breaches, changes, least_p
from genbench.compare.effects import pooled_deviation
from genbench.compare.margins import Margin
from genbench.compare.sides import Pair, two_folders
from genbench.report.model import Row
from genbench.stats import holm, minimal_detectable_effect, permutation_test, probability_of_improvement

GOOD, BAD, NEAR = (
    [0.010, 0.012, 0.011, 0.015, 0.013],
    [0.30, 0.25, 0.41, 0.33, 0.29],
    [0.014, 0.010, 0.012, 0.011, 0.016],
)


@pytest.fixture
def compare(folders):
    return lambda *metrics: changes(two_folders(folders.store("A"), folders.store("B"), folders.suites).pairs, metrics)


def test_every_number_is_that_of_the_statistics(folders, compare):
    folders.put("A", reverse_kl=GOOD)
    folders.put("B", reverse_kl=BAD)
    (change,) = compare()
    test = permutation_test(dict(enumerate(BAD)), dict(enumerate(GOOD)))
    deviation = (sum((v - sum(s) / 5) ** 2 for s in (GOOD, BAD) for v in s) / 8) ** 0.5
    assert (change.before, change.after) == (tuple(GOOD), tuple(BAD))
    assert change.difference.value == pytest.approx((sum(BAD) - sum(GOOD)) / 5)
    assert change.effect == pytest.approx((sum(BAD) - sum(GOOD)) / 5 / deviation)
    assert (change.test, change.p) == (test, test.p)
    assert change.better == probability_of_improvement([BAD], [GOOD], False) == 0
    assert change.detectable == pytest.approx(minimal_detectable_effect(deviation, 5))
    assert (change.verdict, change.worsening()) == ("worse", pytest.approx(change.difference.value))


def test_sides_exchanged_turn_worse_into_better(folders, compare):
    folders.put("A", reverse_kl=BAD)
    folders.put("B", reverse_kl=GOOD)
    (change,) = compare()
    assert (change.verdict, change.better) == ("better", 1)
    assert change.worsening() < 0


def test_p_values_are_corrected_over_all_that_is_compared(folders, compare):
    for trainer, after in (("gan", BAD), ("wgan", NEAR)):
        folders.put("A", trainer, reverse_kl=GOOD, hq=GOOD)
        folders.put("B", trainer, reverse_kl=after, hq=GOOD)
    found = compare()
    assert len(found) == 4
    assert [change.p for change in found] == holm([change.test.p for change in found])
    (alone, _) = compare("reverse_kl")
    assert alone.p == pytest.approx(2 * alone.test.p)


def test_six_shared_seeds_are_compared_pair_by_pair_without_the_others(folders, compare):
    before = [0.1, 0.5, 0.9, 1.3, 1.7, 2.1]
    folders.put("A", reverse_kl=[*before, 50.0], seeds=[*range(6), 8])
    folders.put("B", reverse_kl=[-50.0, *(value + 0.01 + value / 1000 for value in before)], seeds=[9, *range(6)])
    (change,) = compare()
    assert change.test.paired
    assert change.before == tuple(before)
    assert change.left_out == (8, 9)
    assert change.p == 2 / 64
    assert 0 < change.difference.low < change.difference.value < change.difference.high < 0.02


def test_few_seeds_have_numbers_and_no_verdict(folders, compare):
    folders.put("A", reverse_kl=GOOD)
    folders.put("B", reverse_kl=BAD[:3])
    (change,) = compare()
    assert (change.verdict, change.p, change.test) == ("untested", None, None)
    assert change.difference.value == pytest.approx(sum(BAD[:3]) / 3 - sum(GOOD) / 5)
    assert breaches([change], [Margin.parse("reverse_kl")]) == []


def test_metric_that_applies_to_one_side_alone_has_a_row_without_statistics(folders, compare):
    folders.put("A", hq=GOOD, std_ratio=GOOD)
    folders.put("B", hq=GOOD, std_ratio=[None] * 5)
    (change,) = compare("std_ratio")
    assert (change.before, change.after, change.difference, change.verdict) == (tuple(GOOD), (), None, "untested")


def test_metric_without_a_direction_is_best_at_the_oracles_value(folders, compare):
    folders.put("A", std_ratio=[1.5, 1.4, 1.6, 1.55, 1.45])
    folders.put("B", std_ratio=[0.95, 0.9, 0.92, 0.96, 0.91])
    (without,) = compare()
    assert (without.verdict, without.better, without.worsening()) == ("differs", None, None)
    folders.oracle("A", std_ratio=1.0)
    (change,) = compare()
    assert (change.verdict, change.better) == ("better", 1)
    assert change.worsening() == pytest.approx((1 - 0.928) - 0.5)


@pytest.mark.parametrize(
    ("text", "breach"),
    [
        ("reverse_kl", True),
        ("reverse_kl:+10%", True),
        ("reverse_kl:+0.2", True),
        ("reverse_kl:+0.4", False),
        ("reverse_kl:+2000%", True),
        ("reverse_kl:+3000%", False),
        ("hq", False),
    ],
)
def test_breach_is_a_worsening_beyond_the_margin(text, breach, folders, compare):
    folders.put("A", reverse_kl=GOOD)
    folders.put("B", reverse_kl=BAD)
    found = breaches(compare(), [Margin.parse(text)])
    assert bool(found) is breach
    assert all(one.worsening == pytest.approx((sum(BAD) - sum(GOOD)) / 5) for one in found)


def test_no_breach_by_what_may_be_chance_however_large(folders, compare):
    folders.put("A", reverse_kl=GOOD)
    folders.put("B", reverse_kl=[0.009, 0.011, 0.012, 0.014, 90.0])
    (change,) = compare()
    assert change.worsening() > 10
    assert breaches([change], [Margin.parse("reverse_kl:+10%")]) == []


def test_no_breach_by_an_improvement(folders, compare):
    folders.put("A", reverse_kl=BAD)
    folders.put("B", reverse_kl=GOOD)
    assert breaches(compare(), [Margin.parse("reverse_kl")]) == []


@pytest.mark.parametrize(
    ("text", "breach"), [("std_ratio:+0.1", False), ("std_ratio:-0.1", True), ("std_ratio", False)]
)
def test_sign_says_which_way_is_worse_where_the_metric_does_not(text, breach, folders, compare):
    folders.put("A", std_ratio=[1.5, 1.4, 1.6, 1.55, 1.45])
    folders.put("B", std_ratio=[0.95, 0.9, 0.92, 0.96, 0.91])
    assert bool(breaches(compare(), [Margin.parse(text)])) is breach


def test_least_p_says_what_so_many_comparisons_could_find(folders, compare):
    for trainer in ("gan", "wgan", "wgan-gp"):
        for side in ("A", "B"):
            folders.put(side, trainer, reverse_kl=GOOD, hq=BAD, modes=NEAR)
    assert least_p(compare("reverse_kl")) == pytest.approx(3 * 2 / 252)
    assert least_p(compare()) == pytest.approx(9 * 2 / 252)
    assert least_p([]) is None


def pairs_of(tables):
    """A pair for each row of the two tables' only kind."""
    one, other = tables
    return [Pair(one, other, before, after) for before, after in zip(one.rows, other.rows, strict=True)]


def drawn(rng, seeds, comparisons, shift=0.0):
    """Two sides of trainers whose scores are normal, the second side's `shift` higher."""
    sides = rng.normal(size=(2, comparisons, seeds)) + np.array([0.0, shift])[:, None, None]
    return pairs_of(
        [
            table(*(Row("trainer", f"t{i}", {"reverse_kl": cell(*values)}, seeds, seeds)
                    for i, values in enumerate(side.tolist())), columns=["reverse_kl"])
            for side in sides
        ]
    )  # fmt: skip


@pytest.mark.parametrize("seeds", [5, 8])
def test_equal_sides_are_seldom_found_to_differ_however_many_are_compared(seeds):
    rng = np.random.default_rng(seeds)
    families = [changes(drawn(rng, seeds, 5)) for _ in range(300)]
    found = sum(any(change.differ for change in family) for family in families)
    # At 5 %, more than 25 of 300 have a probability below one in a hundred.
    assert found <= 25


def test_what_is_called_detectable_is_detected_four_times_in_five():
    rng = np.random.default_rng(0)
    (change,) = changes(drawn(rng, 5, 1))
    deviation = change.detectable / minimal_detectable_effect(1.0, 5)
    assert deviation == pytest.approx(pooled_deviation(change.before, change.after))
    shift = minimal_detectable_effect(1.0, 5)
    found = sum(changes(drawn(rng, 5, 1, shift))[0].verdict == "worse" for _ in range(400))
    assert 0.72 * 400 < found < 0.88 * 400
