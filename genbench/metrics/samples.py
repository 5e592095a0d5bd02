"""The life cycle of metrics that need all samples at once."""

from collections.abc import Hashable
from typing import Any

import torch
import torchmetrics
from torch import Tensor


class SampleMetric(torchmetrics.Metric):
    """Collects samples `(n, features)` until `compute`; subclasses turn them into one number.

    Metrics with one `state_key` hold equal states after equal updates, so one of them can be updated for all.
    """

    full_state_update = False
    state_key: Hashable = "samples"
    samples: list[Tensor]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("samples", default=[], dist_reduce_fx="cat")

    def update(self, samples: Tensor) -> None:
        self.samples.append(samples)

    def compute(self) -> Tensor:
        collected = self.samples if isinstance(self.samples, Tensor) else _together(self.samples)
        return torch.as_tensor(self.evaluate(collected), dtype=torch.float64)

    def evaluate(self, samples: Tensor) -> Tensor | float:
        """The metric of `(n, features)` samples."""
        raise NotImplementedError


def _together(parts: list[Tensor]) -> Tensor:
    """All samples; a lone part is itself, so metrics that share it may share what they find out about it."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)
