"""Digits of 8 × 8 pixels as a fixed normalizing flow draws them: images whose density is known exactly.

The flow and its card ship with genbench; `genbench.datasets.training.flow_digits` made them.
"""

from __future__ import annotations

import hashlib
import json
import math
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load
from torch import Generator, Tensor, nn

from genbench.datasets.base import Box, Target
from genbench.datasets.mixtures import evenly_kept
from genbench.errors import GenbenchError
from genbench.networks.flow import Affine

WEIGHTS = Path(__file__).with_name("weights")
NAME = "flow-digits-1"
SIDE, CLASSES = 8, tuple(map(str, range(10)))
SIZE = SIDE * SIDE
BLOCK = 8_192
"""Samples are taken so many at a time, so that memory stays flat."""


class Couplings(NamedTuple):
    """Affine couplings, each of which moves one half of the pixels, drawn at random, by what the other half says."""

    layers: int = 8
    width: int = 128
    depth: int = 2

    def __str__(self) -> str:
        conditioner = f"{SIZE // 2} → {f'{self.width} → ' * self.depth}2 × {SIZE // 2}"
        return f"{self.layers} affine couplings of {conditioner} to {len(CLASSES)} Gaussians"


class ClassFlow(nn.Module):
    """An invertible map f of pixels `(n, 64)` to noise, which is a Gaussian of its own for each digit.

    p(x) = Σ_c w_c N(f(x); μ_c, diag σ_c²) · |det ∂f/∂x|: couplings as in RealNVP (Dinh et al., 2017, arXiv:1605.08803)
    that end in a mixture with a component a class (Izmailov et al., 2020, arXiv:1912.13025). It is positive everywhere.

    Args:
        couplings: how many, and how wide.
        rng: for the initial weights and for which pixels each coupling keeps.
    """

    mean: Tensor
    std: Tensor
    orders: Tensor
    log_shares: Tensor

    def __init__(self, couplings: Couplings, rng: Generator) -> None:
        super().__init__()
        count, half, classes = couplings.layers, SIZE // 2, len(CLASSES)
        self.couplings = nn.ModuleList(
            Affine((half, half), couplings.width, couplings.depth, rng) for _ in range(count)
        )
        self.centres = nn.Parameter(0.1 * torch.randn(classes, SIZE, generator=rng))
        self.log_stds = nn.Parameter(torch.zeros(classes, SIZE))
        # What isn't learnt: each pixel's moments, the order of pixels before each coupling, how frequent digits are.
        self.register_buffer("mean", torch.zeros(SIZE))
        self.register_buffer("std", torch.ones(SIZE))
        self.register_buffer("orders", torch.stack([torch.randperm(SIZE, generator=rng) for _ in range(count)]))
        self.register_buffer("log_shares", torch.full((classes,), -math.log(classes)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels `(n, 64)` to noise `(n, 64)` and ln |det ∂f/∂x| `(n,)`."""
        z = (x - self.mean) / self.std
        log_determinant = -self.std.log().sum().expand(len(x))
        for order, coupling in zip(self.orders, self.couplings, strict=True):
            kept, moved = z[:, order].chunk(2, dim=1)
            moved, log_slope = coupling(kept, moved)
            z, log_determinant = torch.cat([kept, moved], dim=1), log_determinant + log_slope[:, 0]
        return z, log_determinant

    def inverse(self, z: Tensor) -> Tensor:
        """Noise `(n, 64)` to pixels `(n, 64)`."""
        for order, coupling in zip(self.orders.flip(0), reversed(self.couplings), strict=True):
            kept, moved = z.chunk(2, dim=1)
            moved, _ = coupling(kept, moved, inverse=True)
            z = torch.cat([kept, moved], dim=1)[:, order.argsort()]
        return z * self.std + self.mean

    def joint(self, x: Tensor) -> Tensor:
        """ln p(x, c) in nats, `(n, 64)` to `(n, classes)`."""
        z, log_determinant = self(x)
        stds_off = (z[:, None] - self.centres) * (-self.log_stds).exp()
        normaliser = self.log_stds.sum(1) + SIZE / 2 * math.log(2 * math.pi)
        # Half precision leaves shares that don't quite sum to one.
        shares = self.log_shares.log_softmax(0)
        joint: Tensor = shares - 0.5 * stds_off.square().sum(2) - normaliser + log_determinant[:, None]
        return joint


class FlowDigits(Target):
    """The truth is a flow: `sample` maps noise to rows of 64 pixels, `log_prob` is their exact log density.

    Pixels are numbers around [−1, 1], black to white, row by row; nothing is cut off or rounded. The classes are the
    digits.
    """

    def __init__(self, digits: ClassFlow) -> None:
        digits = digits.eval().requires_grad_(False)
        self.event_shape, self.classes = (SIZE,), CLASSES
        self.image_shape = (1, SIDE, SIDE)
        self.box = Box(-torch.ones(SIZE), torch.ones(SIZE))
        self._digits, self._exact = digits.float(), deepcopy(digits).double()

    def to(self, device: torch.device | str) -> FlowDigits:
        """The same target, drawing on `device`."""
        other = super().to(device)
        other._digits, other._exact = (_on(device, flow) for flow in (self._digits, self._exact))
        return other

    def sample(self, n: int, rng: Generator) -> Tensor:
        return self.altered(n, rng)

    def labelled(self, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        return self._drawn(self._digits.log_shares.exp(), 1.0, n, rng)

    def altered(self, n: int, rng: Generator, *, keep: float = 1.0, spread: float = 1.0) -> Tensor:
        """`keep` leaves a share of the ten digits, `spread` multiplies the noise around each digit's mean noise."""
        shares = self._digits.log_shares.exp()
        if keep < 1:
            kept = evenly_kept(len(CLASSES), keep)
            shares = shares * torch.tensor([float(i in kept) for i in range(len(CLASSES))], device=shares.device)
        return self._drawn(shares, spread, n, rng)[0]

    def log_prob(self, x: Tensor) -> Tensor:
        return torch.cat([self._exact.joint(rows).logsumexp(1) for rows in torch.split(x.double(), BLOCK)])

    def class_log_prob(self, x: Tensor) -> Tensor:
        """ln p(c|x) in nats, `(n, 64)` to `(n, classes)`: which digit each is, by Bayes' rule."""
        return torch.cat([self._exact.joint(rows).log_softmax(1) for rows in torch.split(x.double(), BLOCK)])

    def _drawn(self, shares: Tensor, spread: float, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        digits = self._digits
        picked = torch.multinomial(shares, n, replacement=True, generator=rng)
        noise = torch.randn(n, SIZE, generator=rng, device=rng.device)
        z = noise.mul_(spread).mul_(digits.log_stds.exp()[picked]).add_(digits.centres[picked])
        return torch.cat([digits.inverse(rows) for rows in torch.split(z, BLOCK)]), picked


def shipped() -> FlowDigits:
    """The target that ships; raises GenbenchError where its weights are damaged."""
    return FlowDigits(deepcopy(_loaded()))


def entropy() -> tuple[float, float]:
    """The shipped target's entropy in nats, estimated from 200 000 draws, and its standard error."""
    measured = card()["truth"]
    return measured["entropy"], measured["standard_error"]


def card() -> dict[str, Any]:
    """What is written down about the weights that ship: how they were made, how good they are, their entropy."""
    written: dict[str, Any] = json.loads((WEIGHTS / f"{NAME}.json").read_bytes())
    return written


def loaded(path: Path, sha256: str) -> ClassFlow:
    """The flow of a file of half-precision weights; raises GenbenchError where its content has another SHA-256."""
    content = path.read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != sha256:
        raise GenbenchError(
            f"{path} is damaged: its SHA-256 is {digest} and its card says {sha256}. Install genbench again."
        )
    digits = ClassFlow(Couplings(), Generator())
    digits.load_state_dict(load(content))
    return digits


def _on(device: torch.device | str, flow: ClassFlow) -> ClassFlow:
    """The same flow with its weights there; one that stays where it is shares them."""
    moved: dict[int, Tensor] = {id(weight): nn.Parameter(weight.to(device), False) for weight in flow.parameters()}
    moved |= {id(buffer): buffer.to(device) for buffer in flow.buffers()}
    return deepcopy(flow, moved)


@cache
def _loaded() -> ClassFlow:
    return loaded(WEIGHTS / f"{NAME}.safetensors", card()["sha256"])
