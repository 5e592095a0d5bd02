import numpy as np
import pytest
import torch
from reference.torchmetrics_fid import fid
from scipy.linalg import sqrtm

from genbench.errors import Skip
from genbench.metrics.frechet import Extrapolation, Moments, factor_of, fd_infinity, fitted, frechet_distance, moments
from genbench.metrics.observed import Observed


def features(n, d, seed=0, scale=1.0, shift=0.0):
    """Correlated features whose variances span two orders of magnitude."""
    rng = torch.Generator().manual_seed(seed)
    mix = torch.randn(d, d, generator=rng, dtype=torch.float64) * torch.logspace(-1, 0, d, dtype=torch.float64)
    return scale * torch.randn(n, d, generator=rng, dtype=torch.float64) @ mix / d**0.5 + shift


def extrapolated_distance(x, reference, points=15):
    subsets = Extrapolation.of(*x.shape, points)
    return fd_infinity(Observed(x), reference, factor_of(reference), subsets)


def distance(x, y):
    return frechet_distance(moments(x), moments(y)).item()


@pytest.mark.parametrize("d", [2, 16, 64])
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (3.0, 0.0), (0.5, 2.0)])
def test_agrees_with_torchmetrics(d, scale, shift):
    x, y = features(500, d, scale=scale, shift=shift), features(400, d, seed=1)
    assert distance(x, y) == pytest.approx(fid(x, y).compute().item(), rel=1e-8)


@pytest.mark.parametrize("d", [1, 5, 30])
def test_agrees_with_the_formula_word_for_word(d):
    x, y = features(300, d, scale=2.0).numpy(), features(200, d, seed=1, shift=0.3).numpy()
    s, t = (np.atleast_2d(np.cov(each, rowvar=False)) for each in (x, y))
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert distance(torch.from_numpy(x), torch.from_numpy(y)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 1.5, -3.0])
@pytest.mark.parametrize("spread", [1.0, 0.25, 4.0])
def test_of_round_gaussians_is_what_it_is_on_paper(shift, spread):
    """‖μ₁ − μ₂‖² + d(σ₁ − σ₂)²."""
    d = 6
    one = Moments(torch.full((d,), shift, dtype=torch.float64), spread**2 * torch.eye(d, dtype=torch.float64))
    other = Moments(torch.zeros(d, dtype=torch.float64), torch.eye(d, dtype=torch.float64))
    assert frechet_distance(one, other).item() == pytest.approx(d * shift**2 + d * (spread - 1) ** 2, abs=1e-12)


@pytest.mark.parametrize("n", [300, 20, 2])
def test_identical_sets_give_0(n):
    """With fewer samples than features too, where covariances are singular."""
    assert distance(features(n, 30), features(n, 30)) == pytest.approx(0, abs=1e-6)


def test_singular_covariances_are_the_limit_of_regular_ones():
    x, y = features(20, 30), features(25, 30, seed=1)
    small = 1e-12 * torch.eye(30, dtype=torch.float64)
    nearby = [Moments(m.mean, m.covariance + small) for m in map(moments, (x, y))]
    assert distance(x, y) == pytest.approx(frechet_distance(*nearby).item(), rel=1e-4)


def test_is_symmetric():
    x, y = moments(features(100, 12)), moments(features(100, 12, seed=1, scale=3.0))
    assert frechet_distance(x, y).item() == pytest.approx(frechet_distance(y, x).item(), rel=1e-10)


def test_features_far_from_the_origin_lose_nothing():
    x, y = features(200, 8), features(200, 8, seed=1)
    assert distance(x + 1e5, y + 1e5) == pytest.approx(distance(x, y), rel=1e-6)


def test_grows_with_a_known_shift():
    x, y = features(200, 8), features(200, 8, seed=1)
    grown = [distance(x + shift, y) for shift in (0.0, 0.5, 1.0, 2.0)]
    assert grown == sorted(grown)
    assert grown[-1] - grown[0] > 8 * 2.0**2 / 2


@pytest.mark.parametrize("n", [0, 1, 4])
def test_too_few_samples_for_their_features_are_skipped_with_both_numbers(n):
    with pytest.raises(Skip, match=f"4 features needs more than 4 samples and got {n}"):
        fitted(features(n, 4))


def test_extrapolation_takes_away_what_the_number_of_samples_adds():
    """The distance of n samples of N(0, I) to N(0, I) itself is near d²/4n, and 0 in the limit."""
    d, n = 16, 4_000
    truth = Moments(torch.zeros(d, dtype=torch.float64), torch.eye(d, dtype=torch.float64))
    extrapolated, biased = [], []
    for seed in range(5):
        x = torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        extrapolated.append(extrapolated_distance(x, truth).item())
        biased.append(frechet_distance(moments(x), truth).item())
    assert sum(biased) / 5 == pytest.approx((d**2 / 4 + d) / n, rel=0.2)
    assert abs(sum(extrapolated)) < sum(biased) / 4


def test_extrapolation_leaves_a_distance_alone_that_is_no_bias():
    x = features(2_000, 3)
    far = moments(x + 2.0)
    assert extrapolated_distance(x, far).item() == pytest.approx(frechet_distance(moments(x), far).item(), rel=0.05)
    with pytest.raises(Skip, match="3 features need more than 6 samples and got 6"):
        extrapolated_distance(x[:6], far, 5)
