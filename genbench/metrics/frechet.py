"""The Fréchet distance between Gaussians that are fitted to features of samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torchmetrics
from torch import Tensor

from genbench.errors import Skip


class Moments(NamedTuple):
    """A sample's mean `(features,)` and unbiased covariance `(features, features)`, in double precision."""

    mean: Tensor
    covariance: Tensor


class FrechetDistance(torchmetrics.Metric):
    """The squared Fréchet distance to a reference, between Gaussians fitted to features. arXiv:1706.08500, eq. 6.

    Updated with features `(n, features)`; only their sums are kept, in double precision. Raises Skip where there are
    too few samples for a covariance.
    """

    full_state_update = False
    sums: Tensor
    products: Tensor
    total: Tensor

    def __init__(self, reference: Moments, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reference = reference
        size = len(reference.mean)
        self.add_state("sums", torch.zeros(size, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("products", torch.zeros(size, size, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, features: Tensor) -> None:
        # About the reference's mean rather than the origin, so that features far from it lose nothing to rounding.
        centred = features.double() - self.reference.mean
        self.sums += centred.sum(0)
        self.products.addmm_(centred.T, centred)
        self.total += len(features)

    def compute(self) -> Tensor:
        """The distance, ≥ 0 but for rounding."""
        if self.total < 2:
            raise Skip(f"a covariance needs 2 samples at least and got {int(self.total)}")
        shift = self.sums / self.total
        covariance = (self.products - self.total * shift.outer(shift)) / (self.total - 1)
        return frechet_distance(Moments(self.reference.mean + shift, covariance), self.reference)


def moments(features: Tensor) -> Moments:
    """The moments of features `(n, features)`, n ≥ 2."""
    features = features.double()
    size = features.shape[1]
    return Moments(features.mean(0), features.T.cov().reshape(size, size))


def frechet_distance(one: Moments, other: Moments) -> Tensor:
    """‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), the squared Fréchet distance between two Gaussians.

    With Σ₁ = AAᵀ, Σ₁Σ₂ has the eigenvalues of the symmetric AᵀΣ₂A, and (Σ₁Σ₂)^½ has their roots as its trace.
    """
    factor = _factor(one.covariance)
    eigenvalues = torch.linalg.eigvalsh(factor.T @ other.covariance @ factor)
    traces = one.covariance.trace() + other.covariance.trace()
    distance: Tensor = (one.mean - other.mean).square().sum() + traces - 2 * eigenvalues.clamp(min=0).sqrt().sum()
    return distance


def _factor(covariance: Tensor) -> Tensor:
    """A with AAᵀ = Σ: Cholesky's, or of eigenvectors where Σ is singular, as with fewer samples than features."""
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed:
        values, vectors = torch.linalg.eigh(covariance)
        factor = vectors * values.clamp(min=0).sqrt()
    return factor
