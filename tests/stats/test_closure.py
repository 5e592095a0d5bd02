"""Many claims at once: against a slow twin, at the level, and finding what can be found."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.closure_twin import corrected_slowly

from genbench.stats.closure import MOST_TOGETHER, corrected, holm, lone_p, seeds_needed, simes
from genbench.stats.differences import least_p


def apart(methods, seeds, gap=10.0):
    return {f"m{i}": [gap * i + seed / seeds for seed in range(seeds)] for i in range(methods)}


def drawn(rng, methods, seeds, shifts=()):
    return {
        f"m{i}": rng.normal(shift, 1, seeds).tolist()
        for i, shift in enumerate((*shifts, *[0.0] * (methods - len(shifts))))
    }


@pytest.mark.parametrize("sizes", [(3,), (4,), (2, 3), (3, 3, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_corrected_is_the_worst_of_all_hypotheses_that_hold_a_pair_equal(sizes, seed):
    rng = np.random.default_rng(seed)
    tables = [drawn(rng, methods, 5, (2.5, 1.0)) for methods in sizes]
    for ours, theirs in zip(corrected(tables), corrected_slowly(tables), strict=True):
        assert ours == pytest.approx(theirs)


@pytest.mark.parametrize("methods", range(3, 7))
def test_all_differences_are_found_from_four_seeds_on_and_more_never_cost_one(methods):
    before = math.inf
    for seeds in range(4, 21):
        worst = max(corrected([apart(methods, seeds)])[0].values())
        assert worst <= 0.05
        assert worst <= before
        before = worst


@pytest.mark.parametrize("seeds", [2, 3])
def test_what_no_outcome_could_tell_takes_no_part(seeds):
    assert corrected([apart(4, seeds)]) == [{}]


def test_method_with_too_few_seeds_costs_the_others_nothing():
    table = apart(3, 5)
    assert corrected([table | {"few": [1.0, 2.0]}]) == corrected([table])


@pytest.mark.parametrize("others", [1, 2, 5])
def test_equal_methods_in_other_tables_cost_what_they_must_and_no_more(others):
    rng = np.random.default_rng(8)
    found = corrected([apart(3, 6), *[drawn(rng, 3, 6) for _ in range(others)]])[0]
    assert max(found.values()) <= (1 + others) * least_p(6, 6) + 1e-12


def test_differences_everywhere_cost_nothing():
    assert max(corrected([apart(3, 4)] * 3)[2].values()) == pytest.approx(least_p(4, 4))


def test_more_methods_than_blocks_can_be_made_of_are_corrected_by_holm():
    found = corrected([apart(MOST_TOGETHER + 1, 8)])[0]
    assert len(found) == math.comb(MOST_TOGETHER + 1, 2)
    assert max(found.values()) <= 0.05


@pytest.mark.parametrize("seeds", [4, 5])
def test_more_methods_than_so_few_runs_could_tell_apart_are_not_tested(seeds):
    """Of nine methods a pair pays for 36, which the least p of five runs can't."""
    assert corrected([apart(MOST_TOGETHER + 1, seeds)]) == [{}]
    assert corrected([apart(MOST_TOGETHER, seeds)])[0]


@pytest.mark.parametrize("methods", range(3, 7))
@pytest.mark.parametrize("far", [1e3, 1e9, math.inf])
def test_runs_far_out_remove_no_difference_from_eight_seeds_on(methods, far):
    """Every method's worst run has collapsed, further than all the next one's: scores still lie apart in order."""
    for seeds in range(8, 21):
        table = apart(methods, seeds)
        table[f"m{methods - 1}"][-1] = far
        assert max(corrected([table])[0].values()) <= 0.05


@pytest.mark.parametrize("tables", [1, 3])
@pytest.mark.parametrize("methods", [2, 3, 5])
def test_seeds_needed_are_the_fewest_that_find_a_pair_alone(methods, tables):
    n = seeds_needed(methods, tables)
    for seeds, found in ((n, True), (n - 1, False)):
        alone = {
            **apart(2, seeds),
            **{f"same{i}": [0.5 * (s + 1) * 3 for s in range(seeds)] for i in range(methods - 2)},
        }
        flat = {f"m{i}": [float(s) for s in range(seeds)] for i in range(methods)}
        p = corrected([alone, *[flat] * (tables - 1)])[0].get(frozenset(("m0", "m1")), 1.0)
        assert (lone_p(seeds, seeds, methods, tables) <= 0.05) == found
        assert p >= min(1.0, lone_p(seeds, seeds, methods, tables)) - 1e-12


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_simes_lies_between_the_least_p_and_bonferronis(ps):
    assert min(ps) <= simes(ps) <= min(len(ps) * min(ps), max(ps)) + 1e-12


def test_holm_corrects_as_published():
    """Wright, 1992, Biometrics 48, table 1 has the procedure; these are R's p.adjust(method="holm") by hand."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_partly_different_methods_are_told_from_the_others_alone():
    """Two of four are equal: whatever the rest does, they are not told apart more often than the level says."""
    rng = np.random.default_rng(9)
    wrong = right = 0
    for _ in range(200):
        found = corrected([drawn(rng, 4, 5, (0.0, 0.0, 30.0, 60.0))])[0]
        wrong += found[frozenset(("m0", "m1"))] <= 0.05
        right += all(p <= 0.05 for pair, p in found.items() if pair != frozenset(("m0", "m1")))
    assert wrong <= 18
    assert right == 200


def test_labels_do_not_matter_nor_does_their_order():
    table = drawn(np.random.default_rng(10), 4, 5, (3.0, 1.0))
    shuffled = dict(sorted(table.items(), key=lambda item: item[1]))
    found = corrected([table])[0]
    assert found == pytest.approx(corrected([shuffled])[0], rel=1e-9)
    assert set(found) == {frozenset(pair) for pair in itertools.combinations(table, 2)}
