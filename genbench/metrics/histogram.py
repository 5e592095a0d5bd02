"""Metrics of how samples are shared among bins: the modes of a mixture, a classifier's classes, the parts of a curve.

All take the samples of several replicas at once: `…` below is nothing, or their number. Bins are something to call with
an `Observed`, which then gives its Histogram. A sample in none of the bins is junk; one in any is high quality (HQ).
Definitions: arXiv:1712.04086, arXiv:1705.07761.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from genbench.metrics.catalogue import Rule
from genbench.metrics.observed import Making, Observed

ROUNDING = 1e-12
"""A bin with exactly its share counts, however the threshold was rounded."""


class Histogram(NamedTuple):
    """The number of samples in each bin, `counts` `(…, bins)` of doubles, among `total`; and the truth of it.

    Of the truth, `mass` lies in bins, shared among them by `weights` `(bins,)`, and `junk_mass` in none: what `mass`
    leaves, however little.
    """

    counts: Tensor
    total: int
    weights: Tensor
    mass: float = 1.0
    junk_mass: float = 0.0

    def shares(self, junk: bool) -> tuple[Tensor, Tensor]:
        """The samples' shares of the bins `(…, bins)` and the truth's `(bins,)`, with the junk bin last or without it.

        Without it they are NaN where no bin holds a sample.
        """
        held = self.counts.sum(-1, keepdim=True)
        if junk:
            counts = torch.cat([self.counts, self.total - held], -1)
            truth = torch.cat([self.weights * self.mass, self.weights.new_full((1,), self.junk_mass)])
            return counts / self.total, truth
        return self.counts / held, self.weights

    def captured(self, rule: Rule, share: float) -> Tensor:
        """Which bins hold enough samples, `share` of their fair number or any at all: `(…, bins)` of bool."""
        held = self.counts > 0
        return held if rule == "any" else held & (self.counts >= share * self.total * self.weights * (1 - ROUNDING))


Bins = Making[Histogram]


def counted(bins: Tensor, count: int, which: Tensor) -> Tensor:
    """How many samples, of `which` `(…, n)`, fall into each of `count` bins by their places `(…, n)`: `(…, count)`."""
    return summed(bins, count, which.double())


def summed(bins: Tensor, count: int, values: Tensor) -> Tensor:
    """The sum of the values `(…, n)` in each of `count` bins, to which the places `(…, n)` give them: `(…, count)`."""
    return values.new_zeros(*values.shape[:-1], count).scatter_add_(-1, bins, values)


def captured(observed: Observed, bins: Bins, rule: Rule, share: float) -> Tensor:
    """The number of bins that hold enough samples, `(…)`."""
    return observed.once(bins).captured(rule, share).sum(-1)


def hq(observed: Observed, bins: Bins) -> Tensor:
    """The share of samples that lie in any bin, in [0, 1]: `(…)`."""
    histogram = observed.once(bins)
    return histogram.counts.sum(-1) / histogram.total


def reverse_kl(observed: Observed, bins: Bins, junk: bool) -> Tensor:
    """KL(samples ‖ truth) over the bins, in nats: `(…)`, NaN without `junk` where no bin holds a sample."""
    return kl_divergence(*observed.once(bins).shares(junk))


def evenness(observed: Observed, bins: Bins) -> Tensor:
    """The entropy of the samples' shares of the bins over that of equal shares, in [0, 1]: `(…)`."""
    shares, truth = observed.once(bins).shares(junk=False)
    entropy: Tensor = -torch.special.xlogy(shares, shares).sum(-1)
    return entropy / math.log(len(truth))


def jsd(observed: Observed, bins: Bins) -> Tensor:
    """The Jensen-Shannon divergence between samples and truth over the bins and the junk bin, in nats: `(…)`."""
    shares, truth = observed.once(bins).shares(junk=True)
    middle = (shares + truth) / 2
    return (kl_divergence(shares, middle) + kl_divergence(truth, middle)) / 2


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Σ p ln(p/q) over the last dimension, in nats, with 0 ln 0 = 0.

    Never below zero, where rounding may leave that of equal p and q.
    """
    divergence: Tensor = (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum(-1)
    return divergence.clamp(min=0)
