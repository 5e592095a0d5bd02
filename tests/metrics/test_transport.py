import math

import ot
import pytest
import torch
from reference import transport_twin
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from genbench.errors import Skip
from genbench.metrics.observed import Observed
from genbench.metrics.transport import along, directions, sliced_w2
from genbench.registry import metrics

TARGETS = ("ring8", "grid25", "swissroll")


def lines_of(reference, about):
    """The directions that a metric projects on."""
    return metrics.build(reference, about).constants["lines"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("spread", [1.0, 10.0])
def test_w2_is_the_cheapest_of_all_assignments(target, spread, truth, score, draw):
    about = truth(target)
    samples = draw(about, 7, spread=spread)
    expected = transport_twin.w2(samples.double().tolist(), about.reference(7).double().tolist())
    assert score("w2[n=7]", about, samples) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("changes", [{}, {"keep": 0.5}, {"spread": 0.0}])
def test_w2_agrees_with_scipys_assignment(target, changes, truth, score, draw):
    about = truth(target)
    samples = draw(about, 300, **changes)
    cost = cdist(samples.double(), about.reference(300).double(), "sqeuclidean")
    expected = math.sqrt(cost[linear_sum_assignment(cost)].mean())
    assert score("w2[n=300]", about, samples) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_w2_of_samples_that_are_not_finite_is_no_number(value, truth, score, draw):
    """POT itself finds a distance of 0 to them."""
    samples = draw(truth("ring8"), 200)
    samples[3, 1] = value
    with pytest.raises(ValueError, match="finite"):
        score("w2[n=200]", truth("ring8"), samples)


@pytest.mark.filterwarnings("default")
def test_w2_that_was_not_found_is_no_number(truth, score, draw, monkeypatch):
    monkeypatch.setattr("genbench.metrics.transport.MOST_PIVOTS", 10)
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="numItermax"):
        score("w2[n=200]", truth("ring8"), draw(truth("ring8"), 200))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("keep", [1.0, 0.5])
def test_sliced_w2_agrees_with_the_twin_and_with_pot(target, keep, truth, score, draw):
    about, reference = truth(target), "sliced_w2[n=50,directions=9]"
    samples, lines = draw(about, 50, keep=keep), lines_of(reference, about)
    x, y = samples.double(), about.reference(50).double()
    twin = transport_twin.sliced_w2(x.tolist(), y.tolist(), lines.T.tolist())
    pot = ot.sliced_wasserstein_distance(x.numpy(), y.numpy(), projections=lines.numpy())
    assert score(reference, about, samples) == pytest.approx(twin, rel=1e-9)
    assert score(reference, about, samples) == pytest.approx(pot, rel=1e-9)


@pytest.mark.parametrize("dimensions", [1, 3])
def test_sliced_w2_agrees_with_the_twin_in_other_dimensions(dimensions):
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(20, dimensions, generator=rng), torch.randn(20, dimensions, generator=rng)
    lines = directions(dimensions, 5, rng)
    twin = transport_twin.sliced_w2(x.double().tolist(), y.double().tolist(), lines.T.tolist())
    assert sliced_w2(Observed(x), lines, along(y, lines)).item() == pytest.approx(twin, rel=1e-9)


def test_directions_are_unit_vectors_all_around_and_always_the_same(truth):
    lines = lines_of("sliced_w2[n=10,directions=2000]", truth("ring8"))
    assert torch.equal(lines, lines_of("sliced_w2[n=10,directions=2000]", truth("grid25")))
    assert torch.allclose(lines.norm(dim=0), torch.ones(2000, dtype=torch.float64))
    assert torch.allclose(lines @ lines.T / 2000, torch.eye(2, dtype=torch.float64) / 2, atol=0.04)
    assert lines.mean(1).norm() < 0.07


@pytest.mark.parametrize("reference", ["w2[n=200]", "sliced_w2[n=200]"])
def test_identical_sets_give_0(reference, truth, score):
    about = truth("grid25")
    assert score(reference, about, about.reference(200).flip(0)) == 0


@pytest.mark.parametrize("shift", [(0.3, 0.0), (0.0, -2.0), (1.0, 1.0)])
def test_a_shift_is_its_own_distance(shift, truth, score):
    about = truth("grid25")
    moved = about.reference(200) + torch.tensor(shift)
    assert score("w2[n=200]", about, moved) == pytest.approx(math.hypot(*shift), rel=1e-5)
    lines = lines_of("sliced_w2[n=200]", about)
    places = torch.tensor(shift, dtype=torch.float64) @ lines
    assert score("sliced_w2[n=200]", about, moved) == pytest.approx(places.square().mean().sqrt().item(), rel=1e-5)


@pytest.mark.parametrize("target", TARGETS)
def test_sliced_never_exceeds_w2(target, truth, score, draw):
    about = truth(target)
    for seed in range(5):
        samples = draw(about, 200, seed, keep=0.5)
        assert score("sliced_w2[n=200]", about, samples) <= score("w2[n=200]", about, samples)


@pytest.mark.parametrize("reference", ["w2[n=1500]", "sliced_w2[n=1500]"])
@pytest.mark.parametrize("target", TARGETS)
def test_dropped_modes_are_seen(reference, target, truth, score, draw):
    about = truth(target)
    assert score(reference, about, draw(about, 1_500, keep=0.5)) > 1.5 * score(reference, about, draw(about, 1_500))


@pytest.mark.parametrize("reference", ["w2[n=200]", "sliced_w2[n=200]"])
@pytest.mark.parametrize("n", [1, 199, 201])
def test_another_number_of_samples_is_skipped_with_both_numbers(reference, n, truth, score, draw):
    with pytest.raises(Skip, match=f"200 .*{n}"):
        score(reference, truth("ring8"), draw(truth("ring8"), n))
