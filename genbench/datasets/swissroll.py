"""The Swiss roll in the plane: a spiral with noise around it, and no modes."""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Generator, Tensor

from genbench.datasets.base import Box, Curve, Modes

SCALE = 7.5
POINTS = 4096
DENSITY_STRIDE = 4
"""The density needs fewer points of the curve: at a third of a std apart, a sum over Gaussians is already exact."""


class SwissRoll:
    """t = 1.5π(1 + 2u), u ~ U(0, 1); x = (t·cos t, t·sin t) + N(0, std²I), all divided by 7.5.

    The distribution is that of scikit-learn's `make_swiss_roll(noise=std)[:, [0, 2]] / 7.5`.
    """

    modes: Modes | None = None

    def __init__(self, std: float, device: torch.device | str = "cpu") -> None:
        self.event_shape: tuple[int, ...] = (2,)
        self._std = std
        u = (torch.arange(POINTS, dtype=torch.float64, device=device) + 0.5) / POINTS
        points = _spiral(u)
        steps = (points[1:] - points[:-1]).norm(dim=1)
        arc = torch.cat([steps.new_zeros(1), steps.cumsum(0)])
        self.curve = Curve(points.float(), torch.full_like(u, 1 / POINTS), arc, std / SCALE)
        self.box = Box(self.curve.points.amin(0), self.curve.points.amax(0))

    def sample(self, n: int, rng: Generator, *, keep: float = 1.0, spread: float = 1.0) -> Tensor:
        """`keep` leaves the inner share of the roll, `spread` multiplies the noise."""
        u = keep * torch.rand(n, generator=rng, device=rng.device)
        noise = torch.randn(n, 2, generator=rng, device=rng.device)
        return noise.mul_(self._std * spread / SCALE).add_(_spiral(u))

    def log_prob(self, x: Tensor) -> Tensor:
        """The density, integrated along the curve at 1 024 points."""
        points, weights, std = self.curve.points[::DENSITY_STRIDE], self.curve.weights[::DENSITY_STRIDE], self.curve.std
        weights = weights / weights.sum()
        squares = torch.cdist(x.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist").square()
        return torch.logsumexp(weights.log() - squares / (2 * std**2), 1) - math.log(2 * math.pi * std**2)

    def to(self, device: torch.device | str) -> Self:
        return type(self)(self._std, device)


def _spiral(u: Tensor) -> Tensor:
    t = 1.5 * math.pi * (1 + 2 * u)
    return torch.stack([t * t.cos(), t * t.sin()], 1) / SCALE
