"""Metrics of a mixture's modes, all read from where samples lie off the nearest centre.

A sample is high quality (HQ) when it lies closer than k standard deviations to the nearest centre. All take the samples
of several replicas at once: `…` below is nothing, or their number.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from scipy.special import gammainc, gammaincc
from torch import Tensor

from genbench.datasets.base import Modes
from genbench.distances import squared_distances
from genbench.metrics.histogram import Histogram, counted, summed
from genbench.metrics.observed import Observed


def ball_mass(k: float, dimensions: int) -> float:
    """The share of a standard normal in `dimensions` dimensions that lies closer than `k` to its centre."""
    return float(gammainc(dimensions / 2, k * k / 2))


def junk_mass(k: float, dimensions: int) -> float:
    """What `ball_mass` leaves, however little it is."""
    return float(gammaincc(dimensions / 2, k * k / 2))


class HighQuality(NamedTuple):
    """Of each sample, whether it is HQ, the nearest mode, and the distance to its centre in stds: `(…, n)` each."""

    which: Tensor
    mode: Tensor
    distance: Tensor


class NearCentres(NamedTuple):
    """Finds the samples closer than `k` stds to the nearest centre."""

    modes: Modes
    k: float

    def __call__(self, observed: Observed) -> HighQuality:
        squares, mode = squared_distances(observed.samples.double(), self.modes.centres.double()).min(-1)
        distance = squares.sqrt() / self.modes.std
        return HighQuality(distance < self.k, mode, distance)


class Balls(NamedTuple):
    """Bins around the centres of modes, which reach `k` stds far."""

    modes: Modes
    k: float

    def __call__(self, observed: Observed) -> Histogram:
        count, dimensions = self.modes.centres.shape
        which, mode, _ = self.inside(observed)
        counts = counted(mode, count, which)
        mass, junk = ball_mass(self.k, dimensions), junk_mass(self.k, dimensions)
        return Histogram(counts, len(observed), self.modes.weights, mass, junk)

    def inside(self, observed: Observed) -> HighQuality:
        """Which samples lie in the balls, and in which."""
        return observed.once(NearCentres(self.modes, self.k))


class Cells(NamedTuple):
    """Bins of what lies nearer to one mode's centre than to the others', however far away."""

    modes: Modes

    def __call__(self, observed: Observed) -> Histogram:
        _, mode, distance = observed.once(NearCentres(self.modes, math.inf))
        counts = counted(mode, len(self.modes.centres), torch.isfinite(distance))
        return Histogram(counts, len(observed), self.modes.weights)


def std_ratio(observed: Observed, bins: Balls, share: float) -> Tensor:
    """The HQ samples' standard deviation around their own mean over the truth's, averaged over captured modes.

    Both are of distributions cut off at k standard deviations, and the variance is unbiased, so the truth scores 1:
    E[r² | r < k] = d · P(χ²_{d+2} < k²) / P(χ²_d < k²) for d dimensions. A mode of one sample has no spread and is
    left out. `(…)`, NaN where no captured mode holds two samples.
    """
    histogram = observed.once(bins)
    which, mode, distance = bins.inside(observed)
    counts, d = histogram.counts, bins.modes.centres.shape[1]
    squares = summed(mode, len(bins.modes.centres), torch.where(which, distance.square(), 0.0))
    expected = d * ball_mass(bins.k, d + 2) / ball_mass(bins.k, d)
    around_mean = (squares - _off(observed, bins).square().sum(-1) / counts).clamp(min=0)
    ratios = (around_mean / (counts - 1) / expected).sqrt()
    return _mean(ratios, histogram.captured("fair", share) & (counts > 1))


def offset(observed: Observed, bins: Balls, share: float) -> Tensor:
    """How many standard deviations the mean of a mode's HQ samples lies off its centre, averaged over captured modes.

    The truth's own is that of a mean of m samples, about √(π/2m) in the plane. `(…)`, NaN where no mode is captured.
    """
    histogram = observed.once(bins)
    off = (_off(observed, bins) / histogram.counts[..., None]).norm(dim=-1)
    return _mean(off, histogram.captured("fair", share))


def _mean(values: Tensor, which: Tensor) -> Tensor:
    """The mean of some of the values along the last dimension, which may be NaN elsewhere; NaN of none of them."""
    return torch.where(which, values, 0.0).sum(-1) / which.sum(-1)


def _off(observed: Observed, bins: Balls) -> Tensor:
    """Where each mode's HQ samples lie off its centre in stds, summed up: `(…, modes, features)`."""
    which, mode, _ = bins.inside(observed)
    centres = bins.modes.centres.double()
    off = torch.where(which[..., None], (observed.samples.double() - centres[mode]) / bins.modes.std, 0.0)
    return summed(mode[..., None, :].expand(*off.mT.shape), len(centres), off.mT).mT
