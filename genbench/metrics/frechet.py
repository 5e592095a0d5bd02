"""The Fréchet distance between Gaussians that are fitted to features of samples."""

from __future__ import annotations

from collections.abc import Sequence
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


class Extrapolation(NamedTuple):
    """Random subsets of n samples: the first `sizes` of so many `orders` `(points, n)`, always the same."""

    orders: Tensor
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, n: int, features: int, points: int) -> Extrapolation:
        """So many sizes from a tenth of n up to all, and from twice as many as a covariance needs.

        Raises Skip where there are fewer samples.
        """
        smallest = max(n // 10, 2 * features)
        if n <= smallest:
            raise Skip(f"to extrapolate, {features} features need more than {smallest} samples and got {n}")
        rng = seeding.stream(0, seeding.SUBSETS)
        orders = torch.stack([torch.randperm(n, generator=rng) for _ in range(points)])
        return cls(orders, tuple(torch.linspace(smallest, n, points).round().long().tolist()))

    def to(self, device: torch.device | str) -> Extrapolation:
        """The same subsets on a device."""
        return self._replace(orders=self.orders.to(device))


def fd(observed: Observed, reference: Moments, factor: Tensor) -> Tensor:
    """The squared Fréchet distance between Gaussians that are fitted to both; raises Skip for too few samples.

    `factor` is that of the reference's covariance.
    """
    return frechet_distance(fitted(observed.samples), reference, factor)


def fd_infinity(observed: Observed, reference: Moments, factor: Tensor, subsets: Extrapolation) -> Tensor:
    """The Fréchet distance of infinitely many samples. arXiv:1911.07023, section 3.

    A line through the distances of random subsets over one over their size, which goes down to zero. Other subsets are
    made of another number of samples than `subsets` are for. Raises Skip for too few.
    """
    n, size = observed.samples.shape
    if n != subsets.orders.shape[1]:
        subsets = Extrapolation.of(n, size, len(subsets.sizes)).to(observed.samples.device)
    parts = [observed.samples[order[:each]] for order, each in zip(subsets.orders, subsets.sizes, strict=True)]
    together = Moments(*map(torch.stack, zip(*map(fitted, parts), strict=True)))
    return intercept([1 / each for each in subsets.sizes], frechet_distance(together, reference, factor))


def intercept(x: Sequence[float], y: Tensor) -> Tensor:
    """Where the least-squares line through points, of which `y` `(points,)` are the heights, meets x = 0: `()`."""
    centre = sum(x) / len(x)
    spread = sum((each - centre) ** 2 for each in x)
    # By how much each point moves it.
    shares = [1 / len(x) - centre * (each - centre) / spread for each in x]
    return torch.stack([share * each for share, each in zip(shares, y.unbind(), strict=True)]).sum()


def fitted(features: Tensor) -> Moments:
    """The moments of features `(n, features)`; raises Skip for too few, whose covariance would be singular."""
    n, size = features.shape
    if n <= size:
        raise Skip(f"a covariance of {size} features needs more than {size} samples and got {n}")
    return moments(features)


def moments(features: Tensor) -> Moments:
    """The moments of features `(n, features)`, n ≥ 2."""
    rows = features.double().T
    centred = rows - rows.mean(1, keepdim=True)
    return Moments(rows.mean(1), centred @ centred.T / (len(features) - 1))


def frechet_distance(one: Moments, other: Moments, factor: Tensor | None = None) -> Tensor:
    """‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), the squared Fréchet distance between two Gaussians.

    With Σ₂ = AAᵀ, Σ₁Σ₂ has the eigenvalues of the symmetric AᵀΣ₁A, and (Σ₁Σ₂)^½ has their roots as its trace. `factor`
    is that A, where it is at hand. Of equal Gaussians rounding may leave less than zero: zero is given then. `one` may
    be several, `(…, features)`, held against one other.
    """
    factor = factor_of(other) if factor is None else factor
    eigenvalues = torch.linalg.eigvalsh(factor.T @ one.covariance @ factor)
    traces = one.covariance.diagonal(dim1=-2, dim2=-1).sum(-1) + other.covariance.trace()
    roots = eigenvalues.clamp(min=0).sqrt().sum(-1)
    distance: Tensor = (one.mean - other.mean).square().sum(-1) + traces - 2 * roots
    return distance.clamp(min=0)


def factor_of(moments: Moments) -> Tensor:
    """A with AAᵀ = Σ: Cholesky's, or of eigenvectors where Σ is singular, as with fewer samples than features."""
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(moments.covariance)
    if failed:
        values, vectors = torch.linalg.eigh(moments.covariance)
        factor = vectors * values.clamp(min=0).sqrt()
    return factor
