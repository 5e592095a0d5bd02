"""Mixtures of Gaussians that are isotropic and of one std: the classic tests for dropped modes."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from genbench.datasets.base import Modes, Target
from genbench.datasets.files.arrays import ENDINGS, read_csv
from genbench.distances import squared_distances
from genbench.errors import BadParameter, GenbenchError

SCATTERED = 40
"""Stds from a scattered mixture's middle to its cube's sides."""

SCATTERED_APART = 6.01
"""Stds between two of its centres, at the least, so that each sample has one nearest."""

SCATTERED_SEED = 40


class Mixture(Target):
    """A mixture of isotropic Gaussians around `centres` `(modes, features)` with one `std`.

    `weights` `(modes,)` are their shares, by default equal. The classes are its modes.
    """

    modes: Modes

    def __init__(self, centres: Tensor, std: float, weights: Tensor | None = None) -> None:
        self._equal = weights is None
        shares = torch.ones(len(centres), dtype=torch.float64) if weights is None else weights.double()
        self.modes = Modes(centres, std, (shares / shares.sum()).to(centres.device))
        self.event_shape = (centres.shape[1],)
        self.classes = tuple(map(str, range(len(centres))))

    def sample(self, n: int, rng: Generator) -> Tensor:
        return self.altered(n, rng)

    def labelled(self, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        return self._drawn(self.modes, n, rng)

    def altered(self, n: int, rng: Generator, *, keep: float = 1.0, spread: float = 1.0) -> Tensor:
        centres, std, weights = self.modes
        if keep < 1:
            kept = self._kept(keep)
            centres, weights = centres[kept], weights[kept]
        return self._drawn(Modes(centres, std * spread, weights), n, rng)[0]

    def log_prob(self, x: Tensor) -> Tensor:
        centres, std, weights = self.modes
        squares = squared_distances(x.double(), centres.double())
        normaliser = x.shape[1] * math.log(std * math.sqrt(2 * math.pi))
        return torch.logsumexp(weights.log() - squares / (2 * std**2), 1) - normaliser

    def _kept(self, keep: float) -> list[int]:
        """The modes of a share, evenly taken among those of equal weight."""
        weights = self.modes.weights
        places = [(weights == weight).nonzero()[:, 0].tolist() for weight in torch.unique(weights)]
        return sorted(of[i] for of in places for i in evenly_kept(len(of), keep))

    def _drawn(self, modes: Modes, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        centres, std, weights = modes
        if self._equal:
            picked = torch.randint(len(centres), (n,), generator=rng, device=rng.device)
        else:
            picked = torch.multinomial(weights, n, replacement=True, generator=rng)
        noise = torch.randn(n, *self.event_shape, generator=rng, device=rng.device)
        return noise.mul_(std).add_(centres[picked]), picked


def ring(modes: int, std: float) -> Mixture:
    """`modes` centres at the angles 2πi/modes on a circle of radius √2; `std` is in units of the radius."""
    angles = 2 * math.pi * torch.arange(modes, dtype=torch.float64) / modes
    radius = math.sqrt(2)
    return Mixture((radius * torch.stack([angles.cos(), angles.sin()], 1)).float(), radius * std)


def grid(side: int, std: float) -> Mixture:
    """`side`² centres on a square lattice with a standard deviation of 1 an axis; `std` is in units of the spacing."""
    spacing = math.sqrt(12 / (side**2 - 1))
    axis = spacing * (torch.arange(side, dtype=torch.float64) - (side - 1) / 2)
    return Mixture(torch.cartesian_prod(axis, axis).float(), spacing * std)


def rotated(side: int, std: float, angle: float) -> Mixture:
    """The grid, turned by `angle` degrees."""
    upright = grid(side, std).modes
    turn = math.radians(angle)
    turned = torch.tensor([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]], dtype=torch.float64)
    return Mixture((upright.centres.double() @ turned).float(), upright.std)


def staggered(side: int, std: float) -> Mixture:
    """The grid with every other row moved by half the spacing, its centres around zero."""
    upright = grid(side, std).modes
    centres = upright.centres.double()
    spacing = upright.std / std
    centres[:, 0] += spacing / 2 * (torch.arange(side) % 2).repeat(side)
    return Mixture((centres - centres.mean(0)).float(), upright.std)


def unequal(side: int, std: float, ratio: float) -> Mixture:
    """The grid in which every other mode, as the squares of a chessboard, weighs `ratio` times as much."""
    upright = grid(side, std).modes
    place = torch.arange(side)
    heavy = (place[:, None] + place) % 2 == 0
    return Mixture(upright.centres, upright.std, torch.where(heavy.flatten(), ratio, 1.0))


def scattered(modes: int, dimensions: int) -> Mixture:
    """Centres uniform in a cube of which one std is a fortieth of half a side, each six stds or more from the others.

    In units in which a uniform distribution over the cube has a standard deviation of 1 an axis. The centres are the
    same at every call.
    """
    half, std = math.sqrt(3), math.sqrt(3) / SCATTERED
    rng = torch.Generator().manual_seed(SCATTERED_SEED)
    centres: list[Tensor] = []
    while len(centres) < modes:
        centre = half * (2 * torch.rand(dimensions, generator=rng, dtype=torch.float64) - 1)
        if all(float((centre - other).norm()) > SCATTERED_APART * std for other in centres):
            centres.append(centre)
    return Mixture(torch.stack(centres).float(), std)


def from_file(path: str, std: float) -> Mixture:
    """Centres from a file of numbers, one a row (see `files.arrays`); `std` is in the file's own units.

    A file of another ending than those is read as one of comma-separated numbers.
    """
    place = Path(path)
    try:
        read = ENDINGS.get(place.suffix.lower(), read_csv)(place, None)
    except GenbenchError as error:
        raise BadParameter(f"{error} A mixture's centres are rows of numbers, one a centre.") from error
    try:
        with warnings.catch_warnings(action="error"):
            centres = read.astype(np.float32, casting="same_kind" if read.dtype.kind == "f" else "safe")
    except (ValueError, TypeError, Warning) as error:
        raise BadParameter(f"{path} holds no centres ({error}). Give rows of comma-separated numbers.") from error
    if centres.ndim != 2 or len(centres) < 2 or centres.shape[1] < 1 or not np.isfinite(centres).all():
        raise BadParameter(f"{path} must hold two or more finite centres, one a row; its shape is {centres.shape}.")
    return Mixture(torch.from_numpy(centres), std)


def evenly_kept(modes: int, keep: float) -> list[int]:
    """Indices of about `keep · modes` modes, spread evenly: every other one at one half."""
    return [i for i in range(modes) if math.floor(i * keep) != math.floor((i - 1) * keep)]
