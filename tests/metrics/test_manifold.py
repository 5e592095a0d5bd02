import math

import pytest
import torch
from prdc import compute_prdc
from reference import manifold_twin

from genbench import distances
from genbench.metrics.manifold import Neighbourhood, radii
from genbench.metrics.observed import Observed

TARGETS = ("ring8", "grid25", "swissroll")
NAMES = ("precision", "recall", "density", "coverage")


def noise(n, seed=0):
    return 3 * (torch.rand(n, 2, generator=torch.Generator().manual_seed(seed)) - 0.5)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [1, 3, 5])
def test_agrees_with_the_twin(target, name, k, truth, score, draw):
    about = truth(target)
    reference = about.reference(40).double().tolist()
    for samples in (draw(about, 50), draw(about, 30, keep=0.5, spread=2.0), noise(35)):
        expected = getattr(manifold_twin, name)(samples.double().tolist(), reference, k)
        assert score(f"{name}[n=40,k={k}]", about, samples) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("changes", [{}, {"keep": 0.5}, {"spread": 4.0}])
def test_agrees_with_prdc(target, k, changes, truth, score, draw, capsys):
    about = truth(target)
    samples = draw(about, 300, **changes)
    expected = compute_prdc(about.reference(200).double().numpy(), samples.double().numpy(), nearest_k=k)
    for name in NAMES:
        assert score(f"{name}[n=200,k={k}]", about, samples) == pytest.approx(expected[name], rel=1e-12), name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("block", [1, 7, 64, 10_000])
def test_does_not_depend_on_the_block(name, block, truth, score, draw, monkeypatch):
    about = truth("grid25")
    samples = draw(about, 150, keep=0.5)
    whole = score(f"{name}[n=130]", about, samples)
    monkeypatch.setattr(distances, "BLOCK_BYTES", 1_000 * block)
    assert score(f"{name}[n=130]", about, samples) == whole


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("changes", [{}, {"spread": 0.0}, {"keep": 0.3}, {"spread": 30.0}], ids=str)
@pytest.mark.parametrize("flipped", [False, True])
def test_nobody_who_lies_in_a_ball_is_left_out(target, changes, flipped, truth, draw):
    """Only samples that are neighbours along an axis are held against each other: as good as all pairs."""
    about = truth(target)
    near = Neighbourhood.of(about.reference(400).flip(int(flipped)), 5)
    samples = draw(about, 500, **changes).flip(int(flipped))
    squares = distances.squared_distances(samples, near.reference)
    inside, reach = squares < near.radii, radii(samples, 5)
    hits = near(Observed(samples))
    assert torch.equal(hits.around, inside.sum(1))
    assert torch.equal(hits.covered, inside.any(0))
    assert torch.equal(hits.recalled, (squares < reach[:, None]).any(0))


@pytest.mark.parametrize("name", ["precision", "recall", "coverage"])
def test_identical_sets_give_1(name, truth, score):
    about = truth("swissroll")
    assert score(f"{name}[n=300]", about, about.reference(300)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_samples_far_from_the_truth_give_0(name, truth, score, draw):
    assert score(f"{name}[n=100]", truth("ring8"), draw(truth("ring8"), 100) + 50) == 0


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_truths_coverage_is_1_minus_2_to_the_minus_k(k, truth, score, draw):
    n = 1_500
    error = math.sqrt(2**-k / n)
    assert score(f"coverage[n={n},k={k}]", truth("ring8"), draw(truth("ring8"), n)) == pytest.approx(
        1 - 2**-k, abs=4 * error
    )


@pytest.mark.parametrize("target", TARGETS)
def test_the_truths_density_is_about_1(target, truth, score, draw):
    assert score("density[n=1500]", truth(target), draw(truth(target), 1_500)) == pytest.approx(1, abs=0.1)


def test_density_rewards_dense_parts_and_has_no_upper_bound(truth, score, draw):
    assert score("density[n=500]", truth("ring8"), draw(truth("ring8"), 500, spread=0.0)) > 1.1


def test_one_far_flung_sample_a_mode_lifts_recall_alone(truth, score, draw):
    """Why recall alone is no headline: noise with wide balls covers every reference sample, precision none."""
    about = truth("ring8")
    assert score("recall[n=500]", about, noise(500)) > 0.9
    assert score("precision[n=500]", about, noise(500)) < 0.2


def test_dropped_modes_lower_recall_and_coverage_alone(truth, score, draw):
    about = truth("ring8")
    half = draw(about, 500, keep=0.5)
    assert score("recall[n=500]", about, half) == pytest.approx(0.5, abs=0.1)
    assert score("coverage[n=500]", about, half) == pytest.approx(0.5, abs=0.1)
    assert score("precision[n=500]", about, half) > 0.9
