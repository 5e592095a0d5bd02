"""The Swiss roll in the plane: a spiral with noise around it, and no modes."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from genbench.datasets.base import Curve, Target
from genbench.distances import blocks

SCALE = 7.5
FIRST, LAST = 1.5 * math.pi, 4.5 * math.pi
POINTS = 4096
NODES_A_STD = 4
"""The density is a sum over nodes of the curve, at most a quarter of a noise std apart."""

NEGLIGIBLE = 700.0
"""Terms of a sum that are so many times e smaller than the largest count for nothing, and take longer the smaller."""


class SwissRoll(Target):
    """t = 1.5π(1 + 2u), u ~ U(0, 1); x = (t·cos t, t·sin t) + N(0, std²I), all divided by 7.5.

    The distribution is that of scikit-learn's `make_swiss_roll(noise=std)[:, [0, 2]] / 7.5`.
    """

    curve: Curve

    def __init__(self, std: float) -> None:
        self.event_shape = (2,)
        self._std = std
        u = torch.linspace(0, 1, POINTS, dtype=torch.float64)
        points = _spiral(u)
        steps = (points[1:] - points[:-1]).norm(dim=1)
        arc = torch.cat([steps.new_zeros(1), steps.cumsum(0)])
        self.curve = Curve(points, u, arc, std / SCALE)

    def sample(self, n: int, rng: Generator) -> Tensor:
        return self.altered(n, rng)

    def altered(self, n: int, rng: Generator, *, keep: float = 1.0, spread: float = 1.0) -> Tensor:
        """`keep` leaves the inner share of the roll, `spread` multiplies the noise."""
        u = keep * torch.rand(n, generator=rng, device=rng.device)
        noise = torch.randn(n, 2, generator=rng, device=rng.device)
        return noise.mul_(self._std * spread / SCALE).add_(_spiral(u))

    def log_prob(self, x: Tensor) -> Tensor:
        """The density, integrated along the curve by the midpoint rule."""
        std = self.curve.std
        fastest = (LAST - FIRST) * math.hypot(1, LAST) / SCALE
        nodes = math.ceil(NODES_A_STD * fastest / std)
        points = _spiral((torch.arange(nodes, dtype=torch.float64, device=x.device) + 0.5) / nodes)
        sums = []
        for _, squares in blocks(x.double(), points):
            exponents = squares.div_(-2 * std**2)
            least = exponents.amax(1, keepdim=True) - NEGLIGIBLE
            sums.append(torch.logsumexp(torch.maximum(exponents, least, out=exponents), 1))
        return torch.cat(sums) - math.log(nodes) - math.log(2 * math.pi * std**2)


def _spiral(u: Tensor) -> Tensor:
    t = FIRST * (1 + 2 * u)
    return torch.stack([t * t.cos(), t * t.sin()], 1) / SCALE
