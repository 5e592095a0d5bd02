import math

import numpy as np
import pytest
import torch
from reference import curve_twin
from scipy.stats import entropy

from genbench.errors import Skip
from genbench.metrics.curve import SHELLS, STRETCHES
from genbench.metrics.observed import Observed
from genbench.registry import metrics
from genbench.scoring.shipped import bands_of

NOISE = 0.25
N = 10_000
BINS = STRETCHES * SHELLS * 2
FLOOR = BINS / (2 * N)


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
    arc = about.projection()(Observed(samples)).arc
    arc = arc / about.target.curve.arc[-1]
    assert score("arc_coverage", about, samples[(arc < 0.4) | (arc > 0.45)]) == pytest.approx(0.95)


def test_samples_far_from_the_curve_cover_nothing(truth, score):
    assert score("arc_coverage", truth("swissroll"), torch.full((100, 2), 50.0)) == 0


@pytest.mark.parametrize("reference", ["curve_distance", "arc_coverage"])
@pytest.mark.parametrize("target", ["ring8", "grid25"])
def test_needs_a_curve(reference, target, truth):
    with pytest.raises(Skip, match="curve"):
        metrics.build(reference, truth(target))


def band(column):
    """The truth's own values of a column of genbench1 on the Swiss roll."""
    (found,) = (
        band.score
        for band in bands_of(column)
        if band.dataset == "swissroll" and band.score.identity.protocol == "genbench1"
    )
    return found.null_low, found.null_high


def changed(about, n, seed, **changes):
    """Samples of a Swiss roll that is shifted to the side, or has a gap of some share of its length."""
    shift, gap = changes.pop("shift", 0.0), changes.pop("gap", 0.0)
    samples = about.dataset.altered(2 * n, torch.Generator().manual_seed(seed), **changes)
    arc = about.projection()(Observed(samples)).arc / about.target.curve.arc[-1]
    kept = samples[(arc < 0.4) | (arc > 0.4 + gap)][:n]
    return kept + torch.tensor([shift * about.target.curve.std, 0.0])


@pytest.mark.parametrize(("noise", "k"), [(0.25, 3.0), (0.25, 1.5), (0.6, 3.0)])
def test_reverse_kl_knows_how_much_of_the_truth_each_bin_holds(noise, k, truth):
    """What its error adds to the divergence is a hundredth of the floor, where a curve bends and ends as well."""
    about = truth(f"swissroll[std={noise}]")
    _, masses = about.curve_bins(k)(Observed(about.reference(10))).shares(junk=True)
    expected = curve_twin.bin_masses(noise, k, STRETCHES, SHELLS)
    assert masses.sum() == pytest.approx(1)
    assert masses.numpy() == pytest.approx(expected, rel=0.1)
    assert entropy(expected, masses) < 0.01 * FLOOR


@pytest.mark.parametrize("changes", [{}, {"keep": 0.5}, {"spread": 2.0}, {"keep": 0.8, "spread": 0.3}])
def test_reverse_kl_agrees_with_the_twin(changes, truth, score, draw):
    samples = draw(truth("swissroll"), 700, **changes)
    expected = curve_twin.reverse_kl(samples.double().tolist(), NOISE, 3.0, STRETCHES, SHELLS)
    assert score("reverse_kl", truth("swissroll"), samples) == pytest.approx(expected, rel=0.01, abs=0.002)


def test_reverse_kl_of_the_truth_is_its_floor(truth, score, draw):
    """Twice n times the divergence is chi-squared with a degree of freedom less than there are bins."""
    values = [score("reverse_kl", truth("swissroll"), draw(truth("swissroll"), N, seed)) for seed in range(60)]
    error = FLOOR * math.sqrt(2 / BINS) / math.sqrt(len(values))
    assert np.mean(values) == pytest.approx(FLOOR, abs=4 * error)


@pytest.mark.parametrize(
    ("changes", "least"),
    [
        ({"spread": 0.0}, 1.3),
        ({"spread": 0.5}, 0.25),
        ({"spread": 0.8}, 0.05),
        ({"spread": 1.2}, 0.05),
        ({"spread": 1.5}, 0.12),
        ({"spread": 2.0}, 0.45),
        ({"keep": 0.5}, 0.6),
        ({"keep": 0.9}, 0.08),
        ({"gap": 0.05}, 0.03),
        ({"shift": 1.0}, 0.04),
    ],
    ids=str,
)
def test_reverse_kl_tells_what_is_not_the_roll_from_it(changes, least, truth, score):
    _, highest = band("reverse_kl")
    for seed in range(3):
        value = score("reverse_kl", truth("swissroll"), changed(truth("swissroll"), N, seed, **changes))
        assert value > max(highest, least)


def centres(about, count):
    """Places of the roll, equally likely between each other."""
    curve = about.target.curve
    u = (np.arange(count) + 0.5) / count
    return torch.from_numpy(np.stack([np.interp(u, curve.mass, column) for column in curve.points.T], 1))


@pytest.mark.parametrize(("blobs", "least"), [(25, 0.9), (50, 0.35)])
def test_reverse_kl_tells_a_roll_that_has_collapsed_to_blobs(blobs, least, truth, score):
    """Blobs of the roll's own noise in the middle of coarser stretches once scored as the truth does."""
    about, rng = truth("swissroll"), torch.Generator().manual_seed(0)
    where = centres(about, blobs)[torch.randint(blobs, (N,), generator=rng)]
    samples = where + about.target.curve.std * torch.randn(N, 2, generator=rng)
    assert score("reverse_kl", about, samples.float()) > least


@pytest.mark.parametrize("side", [True, False])
def test_reverse_kl_tells_noise_on_one_side_of_the_roll(side, truth, score, draw):
    """Half of the truth lies on either side."""
    about = truth("swissroll")
    samples = draw(about, 2 * N + 1_000)
    kept = samples[about.projection()(Observed(samples)).left == side]
    assert score("reverse_kl", about, kept) > math.log(2)


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.5, 2.0])
def test_w2_does_not_tell_the_noise(spread, truth, score, draw):
    """So it can't decide a dataset whose noise a model may get wrong."""
    low, high = band("w2")
    draws = [draw(truth("swissroll"), 2_000, seed, spread=spread) for seed in range(2, 5)]
    assert low <= np.median([score("w2[n=2000]", truth("swissroll"), samples) for samples in draws]) <= high


@pytest.mark.parametrize("k", [6, 9])
def test_one_junk_sample_costs_its_log_odds_at_any_radius(k, truth, score, draw):
    """So far out are hardly any nodes, so the junk bin has what noise leaves across a straight line, erfc(k/√2)."""
    near = draw(truth("swissroll"), 500, spread=0.0)
    one = score(f"reverse_kl[k={k}]", truth("swissroll"), torch.cat([near, torch.full((1, 2), 50.0)]))
    none = score(f"reverse_kl[k={k}]", truth("swissroll"), near)
    junk = math.log(1 / 501 / math.erfc(k / math.sqrt(2))) / 501
    assert one == pytest.approx(junk + 500 / 501 * (none + math.log(500 / 501)), rel=1e-6)


def test_reverse_kl_without_junk_is_for_modes_alone(truth):
    with pytest.raises(Skip, match="no modes"):
        metrics.build("reverse_kl[junk=false]", truth("swissroll"))
