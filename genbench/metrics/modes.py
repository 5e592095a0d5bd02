"""Metrics of a mixture's modes, all read from where samples lie off the nearest centre.

A sample is high quality (HQ) when it lies closer than k standard deviations to the nearest centre.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from scipy.special import gammainc, gammaincc
from torch import Tensor

from genbench.datasets.base import Modes
from genbench.distances import squared_distances
from genbench.errors import Undefined
from genbench.metrics.histogram import Histogram
from genbench.metrics.observed import Observed


def ball_mass(k: float, dimensions: int) -> float:
    """The share of a standard normal in `dimensions` dimensions that lies closer than `k` to its centre."""
    return float(gammainc(dimensions / 2, k * k / 2))


def junk_mass(k: float, dimensions: int) -> float:
    """What `ball_mass` leaves, however little it is."""
    return float(gammaincc(dimensions / 2, k * k / 2))


class HighQuality(NamedTuple):
    """Which samples are HQ, `(n,)` of bool; and of these, the nearest mode and the distance to its centre in stds."""

    which: Tensor
    mode: Tensor
    distance: Tensor


class NearCentres(NamedTuple):
    """Finds the samples closer than `k` stds to the nearest centre."""

    modes: Modes
    k: float

    def __call__(self, observed: Observed) -> HighQuality:
        squares, mode = squared_distances(observed.samples.double(), self.modes.centres.double()).min(1)
        distance = squares.sqrt() / self.modes.std
        which = distance < self.k
        return HighQuality(which, mode[which], distance[which])


class Balls(NamedTuple):
    """Bins around the centres of modes, which reach `k` stds far."""

    modes: Modes
    k: float

    def __call__(self, observed: Observed) -> Histogram:
        count, dimensions = self.modes.centres.shape
        counts = self.inside(observed).mode.bincount(minlength=count).double()
        mass, junk = ball_mass(self.k, dimensions), junk_mass(self.k, dimensions)
        return Histogram(counts, len(observed), self.modes.weights, mass, junk)

    def inside(self, observed: Observed) -> HighQuality:
        """The samples in the balls."""
        return observed.once(NearCentres(self.modes, self.k))


def std_ratio(observed: Observed, bins: Balls, share: float) -> Tensor:
    """The HQ samples' standard deviation around their own mean over the truth's, averaged over captured modes.

    Both are of distributions cut off at k standard deviations, and the variance is unbiased, so the truth scores 1:
    E[r² | r < k] = d · P(χ²_{d+2} < k²) / P(χ²_d < k²) for d dimensions. A mode of one sample has no spread and is
    left out.
    """
    counts, several = observed.once(bins).counts, _captured(observed, bins, share)
    several &= counts > 1
    if not several.any():
        raise Undefined("no captured mode holds two samples")
    _, mode, distance = bins.inside(observed)
    squares = torch.zeros_like(counts).index_add_(0, mode, distance.square())[several]
    count, d = counts[several], bins.modes.centres.shape[1]
    expected = d * ball_mass(bins.k, d + 2) / ball_mass(bins.k, d)
    around_mean = (squares - _off(observed, bins)[several].square().sum(1) / count).clamp(min=0)
    return (around_mean / (count - 1) / expected).sqrt().mean()


def offset(observed: Observed, bins: Balls, share: float) -> Tensor:
    """How many standard deviations the mean of a mode's HQ samples lies off its centre, averaged over captured modes.

    The truth's own is that of a mean of m samples, about √(π/2m) in the plane.
    """
    held = _captured(observed, bins, share)
    off: Tensor = (_off(observed, bins)[held] / observed.once(bins).counts[held, None]).norm(dim=1)
    return off.mean()


def _captured(observed: Observed, bins: Balls, share: float) -> Tensor:
    """Which modes hold `share` of their fair number; raises Undefined where none does."""
    held = observed.once(bins).captured("fair", share)
    if not held.any():
        raise Undefined("no mode is captured")
    return held


def _off(observed: Observed, bins: Balls) -> Tensor:
    """Where each mode's HQ samples lie off its centre in stds, summed up: `(modes, features)`."""
    which, mode, _ = bins.inside(observed)
    centres = bins.modes.centres.double()
    off = (observed.samples[which].double() - centres[mode]) / bins.modes.std
    return torch.zeros_like(centres).index_add_(0, mode, off)
