"""The Fréchet distance between Gaussians that are fitted to features of samples."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genbench import seeding
from genbench.errors import Skip
from genbench.metrics.observed import Observed


class Moments(NamedTuple):
    """A sample's mean `(features,)` and unbiased covariance `(features, features)`, in double precision."""

    mean: Tensor
    covariance: Tensor


def fd(observed: Observed, reference: Moments) -> Tensor:
    """The squared Fréchet distance between Gaussians that are fitted to both; raises Skip for too few samples."""
    return frechet_distance(fitted(observed.samples), reference)


def fd_infinity(observed: Observed, reference: Moments, points: int) -> Tensor:
    """The Fréchet distance of infinitely many samples. arXiv:1911.07023, section 3.

    A line through the distances of random subsets over one over their size, which goes down to zero: `points` sizes
    from a tenth of the samples up to all, and from twice as many as a covariance needs. Raises Skip where there are
    fewer.
    """
    features = observed.samples
    n, size = features.shape
    smallest = max(n // 10, 2 * size)
    if n <= smallest:
        raise Skip(f"to extrapolate, {size} features need more than {smallest} samples and got {n}")
    rng = seeding.stream(0, seeding.SUBSETS)
    sizes = torch.linspace(smallest, n, points).round().long().tolist()
    subsets = (features[torch.randperm(n, generator=rng)[:each]] for each in sizes)
    distances = torch.stack([frechet_distance(fitted(subset), reference) for subset in subsets])
    design = torch.stack([torch.ones(points), 1 / torch.tensor(sizes)], 1).to(distances)
    intercept: Tensor = torch.linalg.lstsq(design, distances[:, None]).solution[0, 0]
    return intercept


def fitted(features: Tensor) -> Moments:
    """The moments of features `(n, features)`; raises Skip for too few, whose covariance would be singular."""
    n, size = features.shape
    if n <= size:
        raise Skip(f"a covariance of {size} features needs more than {size} samples and got {n}")
    return moments(features)


def moments(features: Tensor) -> Moments:
    """The moments of features `(n, features)`, n ≥ 2."""
    features = features.double()
    size = features.shape[1]
    return Moments(features.mean(0), features.T.cov().reshape(size, size))


def frechet_distance(one: Moments, other: Moments) -> Tensor:
    """‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), the squared Fréchet distance between two Gaussians.

    With Σ₁ = AAᵀ, Σ₁Σ₂ has the eigenvalues of the symmetric AᵀΣ₂A, and (Σ₁Σ₂)^½ has their roots as its trace.
    Rounding may leave that of equal Gaussians below zero, which is then returned.
    """
    factor = _factor(one.covariance)
    eigenvalues = torch.linalg.eigvalsh(factor.T @ other.covariance @ factor)
    traces = one.covariance.trace() + other.covariance.trace()
    distance: Tensor = (one.mean - other.mean).square().sum() + traces - 2 * eigenvalues.clamp(min=0).sqrt().sum()
    return distance.clamp(min=0)


def _factor(covariance: Tensor) -> Tensor:
    """A with AAᵀ = Σ: Cholesky's, or of eigenvectors where Σ is singular, as with fewer samples than features."""
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed:
        values, vectors = torch.linalg.eigh(covariance)
        factor = vectors * values.clamp(min=0).sqrt()
    return factor
