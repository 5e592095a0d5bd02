"""The Swiss roll is scikit-learn's, and its density is that of its samples."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import ks_2samp
from sklearn.datasets import make_swiss_roll

from genbench.errors import BadParameter
from genbench.registry import datasets


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("std", [0.25, 1.0])
def test_samples_are_distributed_as_scikit_learns(std):
    found = datasets.build(f"swissroll[std={std}]").sample(5_000, stream()).double().numpy()
    twin = make_swiss_roll(5_000, noise=std, random_state=0)[0][:, [0, 2]] / 7.5
    for along in ((1, 0), (0, 1), (0.6, 0.8), (-0.8, 0.6)):
        assert ks_2samp(found @ along, twin @ along).pvalue > 1e-3
    assert ks_2samp(np.hypot(*found.T), np.hypot(*twin.T)).pvalue > 1e-3


def test_curve_runs_from_one_and_a_half_turns_of_pi_to_four_and_a_half():
    curve = datasets.build("swissroll").curve
    assert math.hypot(*curve.points[0].tolist()) == pytest.approx(1.5 * math.pi / 7.5, rel=1e-3)
    assert math.hypot(*curve.points[-1].tolist()) == pytest.approx(4.5 * math.pi / 7.5, rel=1e-3)
    assert curve.std == pytest.approx(0.25 / 7.5)
    length, _ = quad(lambda t: math.hypot(1, t) / 7.5, 1.5 * math.pi, 4.5 * math.pi)
    assert curve.arc[-1].item() == pytest.approx(length, rel=1e-3)


def test_box_bounds_the_curve():
    low, high = datasets.build("swissroll").box
    points = spiral(np.linspace(1.5 * math.pi, 4.5 * math.pi, 100_000))
    assert low.tolist() == pytest.approx(points.min(0), abs=2e-3)
    assert high.tolist() == pytest.approx(points.max(0), abs=2e-3)


@pytest.mark.parametrize("keep", [0.25, 0.5])
def test_keep_leaves_the_inner_part(keep):
    samples = datasets.build("swissroll").altered(4_000, stream(), keep=keep, spread=0.0)
    radius = samples.norm(dim=1) * 7.5 / (1.5 * math.pi)
    assert radius.min().item() == pytest.approx(1, abs=0.01)
    assert radius.max().item() == pytest.approx(1 + 2 * keep, abs=0.01)
    assert radius.mean().item() == pytest.approx(1 + keep, abs=0.03)


def spiral(t):
    return np.stack([t * np.cos(t), t * np.sin(t)], -1) / 7.5


def log_density(points, std):
    """The integral along the curve as a sum over many of its points."""
    curve = spiral(1.5 * math.pi * (1 + 2 * (np.arange(100_000) + 0.5) / 100_000))
    squares = ((points[:, None] - curve) ** 2).sum(2)
    return np.log(np.exp(-squares / (2 * std**2)).mean(1) / (2 * math.pi * std**2))


@pytest.mark.parametrize("std", [0.05, 0.25, 2.0])
def test_density_is_the_integral_along_the_curve(std):
    dataset = datasets.build(f"swissroll[std={std}]")
    points = dataset.sample(40, stream()).double()
    expected = log_density(points.numpy(), std / 7.5)
    assert dataset.log_prob(points).tolist() == pytest.approx(expected.tolist(), abs=0.03)


@pytest.mark.parametrize(("end", "outwards"), [(1.5 * math.pi, -1), (4.5 * math.pi, 1)], ids=["inner", "outer"])
def test_density_is_right_at_the_ends_of_the_curve(end, outwards):
    std = 0.25 / 7.5
    along = outwards * np.array([math.cos(end) - end * math.sin(end), math.sin(end) + end * math.cos(end)])
    points = spiral(np.array([end])) + np.outer([-1, 0, 1], std * along / np.hypot(*along))
    found = datasets.build("swissroll").log_prob(torch.from_numpy(points))
    assert found.tolist() == pytest.approx(log_density(points, std).tolist(), abs=0.03)


@pytest.mark.parametrize("std", [1e-4, 0.0, 1e9])
def test_noise_whose_density_nobody_could_sum_is_refused(std):
    with pytest.raises(BadParameter, match="std"):
        datasets.build(f"swissroll[std={std}]")
