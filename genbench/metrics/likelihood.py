"""Metrics under the true density."""

from __future__ import annotations

from torch import Tensor

from genbench.datasets.base import Target
from genbench.metrics.observed import Observed


def cross_entropy(observed: Observed, target: Target) -> Tensor:
    """−E[ln p(x)] over the samples, p the target's density, in nats: `()`, or of several replicas `(replicas,)`."""
    samples = observed.samples
    return -target.log_prob(samples.flatten(0, -2)).reshape(samples.shape[:-1]).mean(-1)
