"""Metrics under the true density."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from genbench.metrics.samples import SampleMetric


class CrossEntropy(SampleMetric):
    """−E[ln p(x)] over the samples, p the true density, in nats."""

    def __init__(self, log_prob: Callable[[Tensor], Tensor], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.log_prob = log_prob

    def evaluate(self, samples: Tensor) -> Tensor:
        return -self.log_prob(samples).mean()
