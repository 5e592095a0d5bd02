"""Metrics of a mixture's modes, all read from one histogram of the samples over the modes.

A sample is high quality (HQ) when it lies closer than k standard deviations to the nearest centre. HQ samples
are counted by mode; the others fall into the junk bin. Definitions: arXiv:1712.04086, arXiv:1705.07761.
"""

from typing import Any, Literal

import torch
import torchmetrics
from scipy.special import gammainc, gammaincc
from torch import Tensor

from genbench.datasets.base import Modes
from genbench.distances import squared_distances
from genbench.errors import Undefined

ROUNDING = 1e-12
"""A mode with exactly its share counts, however the threshold was rounded."""

Rule = Literal["fair", "any"]


def ball_mass(k: float, dimensions: int) -> float:
    """The share of a standard normal in `dimensions` dimensions that lies closer than `k` to its centre."""
    return float(gammainc(dimensions / 2, k * k / 2))


def junk_mass(k: float, dimensions: int) -> float:
    """What `ball_mass` leaves, however little it is."""
    return float(gammaincc(dimensions / 2, k * k / 2))


class ModeHistogram(torchmetrics.Metric):
    """Counts HQ samples by mode, sums where they lie off its centre, once as it is and once squared, and all samples.

    `counts` `(modes,)`, `sums` `(modes, features)` in stds, `squares` `(modes,)` in variances, `total` `()`.

    Metrics with one `state_key` hold equal states after equal updates, so one of them can be updated for all.
    """

    full_state_update = False
    counts: Tensor
    sums: Tensor
    squares: Tensor
    total: Tensor

    def __init__(self, modes: Modes, k: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.centres, self.std, self.weights = modes.centres.double(), modes.std, modes.weights
        self.k = k
        self.state_key = ("mode histogram", k)
        size = len(self.centres)
        self.add_state("counts", torch.zeros(size, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("sums", torch.zeros_like(self.centres), dist_reduce_fx="sum")
        self.add_state("squares", torch.zeros(size, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, samples: Tensor) -> None:
        x = samples.double()
        squares, mode = squared_distances(x, self.centres).min(1)
        distance = squares.sqrt() / self.std
        near = distance < self.k
        off = (x[near] - self.centres[mode[near]]) / self.std
        self.counts += torch.bincount(mode[near], minlength=len(self.centres))
        self.sums += torch.zeros_like(self.sums).index_add_(0, mode[near], off)
        self.squares += torch.zeros_like(self.squares).index_add_(0, mode[near], distance[near].square())
        self.total += len(samples)

    def histogram(self, junk: bool) -> tuple[Tensor, Tensor]:
        """The samples' shares of the bins and the truth's, with the junk bin last or without it.

        Raises Undefined where no bin is left to hold a sample.
        """
        if not junk:
            if not self.counts.any():
                raise Undefined("no sample lies near a mode")
            return self.counts / self.counts.sum(), self.weights
        d = self.centres.shape[1]
        shares = torch.cat([self.counts, (self.total - self.counts.sum())[None]]) / self.total
        return shares, torch.cat([self.weights * ball_mass(self.k, d), self.weights.new_tensor([junk_mass(self.k, d)])])


class ModesCaptured(ModeHistogram):
    """The number of modes that hold enough HQ samples: `share` of their fair number n/M, or any at all."""

    def __init__(self, modes: Modes, k: float, rule: Rule, share: float, **kwargs: Any) -> None:
        super().__init__(modes, k, **kwargs)
        self.rule, self.share = rule, share

    def compute(self) -> Tensor:
        return captured(self, self.rule, self.share).sum().double()


class HighQuality(ModeHistogram):
    """The share of samples that are HQ, in [0, 1]; the truth itself scores 1 − exp(−k²/2) in the plane."""

    def compute(self) -> Tensor:
        return self.counts.sum() / self.total


class ReverseKL(ModeHistogram):
    """KL(samples ‖ truth) over the bins, in nats."""

    def __init__(self, modes: Modes, k: float, junk: bool, **kwargs: Any) -> None:
        super().__init__(modes, k, **kwargs)
        self.junk = junk

    def compute(self) -> Tensor:
        shares, truth = self.histogram(self.junk)
        return kl_divergence(shares, truth)


class JensenShannon(ModeHistogram):
    """The Jensen-Shannon divergence between samples and truth over the bins and the junk bin, in nats."""

    def compute(self) -> Tensor:
        shares, truth = self.histogram(junk=True)
        middle = (shares + truth) / 2
        return (kl_divergence(shares, middle) + kl_divergence(truth, middle)) / 2


class StdRatio(ModeHistogram):
    """The HQ samples' standard deviation around their own mean over the truth's, averaged over captured modes.

    Both are of distributions cut off at k standard deviations, and the variance is unbiased, so the truth scores 1:
    E[r² | r < k] = d · P(χ²_{d+2} < k²) / P(χ²_d < k²) for d dimensions. A mode of one sample has no spread and is
    left out.
    """

    def __init__(self, modes: Modes, k: float, share: float, **kwargs: Any) -> None:
        super().__init__(modes, k, **kwargs)
        self.share = share

    def compute(self) -> Tensor:
        held = _captured_at_all(self, self.share)
        several = held & (self.counts > 1)
        if not several.any():
            raise Undefined("no captured mode holds two samples")
        count, d = self.counts[several], self.centres.shape[1]
        expected = d * ball_mass(self.k, d + 2) / ball_mass(self.k, d)
        around_mean = (self.squares[several] - self.sums[several].square().sum(1) / count).clamp(min=0)
        return (around_mean / (count - 1) / expected).sqrt().mean()


class Offset(ModeHistogram):
    """How many standard deviations the mean of a mode's HQ samples lies off its centre, averaged over captured modes.

    The truth's own is that of a mean of m samples, about √(π/2m) in the plane.
    """

    def __init__(self, modes: Modes, k: float, share: float, **kwargs: Any) -> None:
        super().__init__(modes, k, **kwargs)
        self.share = share

    def compute(self) -> Tensor:
        held = _captured_at_all(self, self.share)
        off: Tensor = (self.sums[held] / self.counts[held, None]).norm(dim=1)
        return off.mean()


def captured(histogram: ModeHistogram, rule: Rule, share: float) -> Tensor:
    """Which modes hold enough HQ samples, `(modes,)` of bool."""
    if rule == "any":
        return histogram.counts > 0
    threshold = share * histogram.total * histogram.weights * (1 - ROUNDING)
    return (histogram.counts > 0) & (histogram.counts >= threshold)


def _captured_at_all(histogram: ModeHistogram, share: float) -> Tensor:
    """Which modes hold `share` of their fair number; raises Undefined where none does."""
    held = captured(histogram, "fair", share)
    if not held.any():
        raise Undefined("no mode is captured")
    return held


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Σ p ln(p/q) in nats, with 0 ln 0 = 0; never below zero, where rounding may leave that of equal p and q."""
    divergence: Tensor = (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum()
    return divergence.clamp(min=0)
