import math

import pytest
import torch
from reference import curve_twin

from genbench.errors import Skip
from genbench.registry import metrics

NOISE = 0.25


@pytest.mark.parametrize("spread", [0.5, 1.0, 3.0, 10.0])
def test_curve_distance_agrees_with_the_twin(spread, truth, score, draw):
    samples = draw(truth("swissroll"), 100, spread=spread)
    expected = curve_twin.curve_distance(samples.double().tolist(), NOISE)
    assert score("curve_distance", truth("swissroll"), samples) == pytest.approx(expected, rel=1e-4)


def test_the_truths_curve_distance_is_that_of_noise_across(truth, score, draw):
    value = score("curve_distance", truth("swissroll"), draw(truth("swissroll"), 20_000))
    assert value == pytest.approx(math.sqrt(2 / math.pi), abs=0.02)


def test_points_on_the_curve_are_at_no_distance(truth, score, draw):
    assert score("curve_distance", truth("swissroll"), draw(truth("swissroll"), 1_000, spread=0.0)) < 0.03


@pytest.mark.parametrize("noise", [0.05, 0.01])
def test_curve_distance_agrees_with_the_twin_at_little_noise(noise, truth, score, draw):
    about = truth(f"swissroll[std={noise}]")
    samples = draw(about, 100)
    expected = curve_twin.curve_distance(samples.double().tolist(), noise)
    assert score("curve_distance", about, samples) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("changes", [{}, {"keep": 0.5}, {"keep": 0.8, "spread": 2.0}, {"spread": 6.0}])
@pytest.mark.parametrize(("bins", "share", "k"), [(100, 0.2, 3), (13, 0.6, 1), (50, 1.0, 3)])
def test_arc_coverage_agrees_with_the_twin(changes, bins, share, k, truth, score, draw):
    samples = draw(truth("swissroll"), 700, **changes)
    expected = curve_twin.arc_coverage(samples.double().tolist(), NOISE, k, bins, share)
    value = score(f"arc_coverage[bins={bins},share={share},k={k}]", truth("swissroll"), samples)
    assert value == pytest.approx(expected, abs=1e-12)


def test_the_truth_covers_the_whole_arc(truth, score, draw):
    assert score("arc_coverage", truth("swissroll"), draw(truth("swissroll"), 10_000)) == 1


@pytest.mark.parametrize("keep", [0.25, 0.5, 0.75])
def test_arc_coverage_is_the_covered_share_of_the_length(keep, truth, score, draw):
    t = curve_twin.FIRST + keep * (curve_twin.LAST - curve_twin.FIRST)
    start = curve_twin.arc_length(curve_twin.FIRST)
    share = (curve_twin.arc_length(t) - start) / (curve_twin.arc_length(curve_twin.LAST) - start)
    samples = draw(truth("swissroll"), 10_000, keep=keep)
    assert score("arc_coverage", truth("swissroll"), samples) == pytest.approx(share, abs=0.011)


def test_a_hundred_fine_bins_catch_one_gap(truth, score, draw):
    about = truth("swissroll")
    samples = draw(about, 10_000)
    _, arc = about.projection().nearest(samples)
    arc = arc / about.target.curve.arc[-1]
    assert score("arc_coverage", about, samples[(arc < 0.4) | (arc > 0.45)]) == pytest.approx(0.95)


def test_samples_far_from_the_curve_cover_nothing(truth, score):
    assert score("arc_coverage", truth("swissroll"), torch.full((100, 2), 50.0)) == 0


@pytest.mark.parametrize("reference", ["curve_distance", "arc_coverage"])
@pytest.mark.parametrize("target", ["ring8", "grid25"])
def test_needs_a_curve(reference, target, truth):
    with pytest.raises(Skip, match="curve"):
        metrics.build(reference, truth(target))
