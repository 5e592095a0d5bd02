"""Metrics under the true density."""

from __future__ import annotations

from torch import Tensor

from genbench.datasets.base import Target
from genbench.metrics.observed import Observed


def cross_entropy(observed: Observed, target: Target) -> Tensor:
    """−E[ln p(x)] over the samples, p the target's density, in nats."""
    return -target.log_prob(observed.samples).mean()
