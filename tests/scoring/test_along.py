"""When checkpoints first have all modes, and from when on they keep them."""

from dataclasses import replace

import pytest

from genbench.registry import datasets
from genbench.scoring.along import coverage_along
from genbench.scoring.protocols import protocol


@pytest.fixture
def of():
    """`of(counts)`: the two scores, on a ring of eight, of checkpoints with so many modes at the steps 10, 20, …"""

    def scores(*counts):
        curve = [{"steps": 10 * (i + 1), "modes": count} for i, count in enumerate(counts)]
        return coverage_along(curve, datasets.build("ring8"), protocol("genbench1"))

    return scores


@pytest.mark.parametrize(
    ("counts", "first", "sustained"),
    [
        ((0, 8, 8, 8), 20, 20),
        ((0, 8, 7, 8), 20, 40),
        ((8, 8, 8, 7), 10, None),
        ((0, 3, 7, 7), None, None),
        ((8,), 10, 10),
    ],
)
def test_what_is_lost_again_is_not_sustained(of, counts, first, sustained):
    one, two = of(*counts)
    assert (one.name, two.name) == ("first_coverage", "sustained_coverage")
    assert (one.value, two.value) == (first, sustained)
    assert [score.state for score in (one, two)] == ["undefined" if v is None else "ok" for v in (first, sustained)]


def test_other_checkpoints_make_another_number(of):
    assert of(0, 8)[0].identity != of(0, 8, 8)[0].identity


def test_what_has_no_modes_has_no_coverage():
    curve = [{"steps": 10, "arc_coverage": 1.0}]
    assert coverage_along(curve, datasets.build("swissroll"), protocol("genbench1")) == []
    assert coverage_along([], datasets.build("ring8"), protocol("genbench1")) == []


def test_what_checkpoints_never_counted_has_no_coverage():
    assert coverage_along([{"steps": 10, "mmd": 0.1}], datasets.build("ring8"), protocol("genbench1")) == []


@pytest.mark.parametrize(("n", "scored"), [(30, False), (100, True)])
def test_where_the_truth_itself_would_have_gaps_there_is_no_coverage(n, scored):
    """Of a thousand classes two thousand samples miss some 135, whoever draws them."""
    few = replace(protocol("pacgan2018"), n=n)
    assert bool(coverage_along([{"steps": 10, "modes": 8}], datasets.build("ring8"), few)) == scored


def test_a_checkpoint_whose_count_is_missing_has_not_all(of):
    curve = [{"steps": 10, "modes": 8}, {"steps": 20}]
    first, sustained = coverage_along(curve, datasets.build("ring8"), protocol("genbench1"))
    assert (first.value, sustained.value) == (10, None)
