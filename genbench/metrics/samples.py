"""The life cycle of metrics that need all samples at once."""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, TypeVar

import torch
import torchmetrics
from torch import Tensor

Owner = TypeVar("Owner")
Found = TypeVar("Found")


def remember_last(method: Callable[[Owner, Tensor], Found]) -> Callable[[Owner, Tensor], Found]:
    """Has `method(samples)` remember what it found out about the last samples, so that metrics can share it.

    The same samples are the same tensor, not an equal one.
    """
    key = f"_last_{method.__name__}"

    @wraps(method)
    def remembered(self: Owner, samples: Tensor) -> Found:
        memory: dict[str, tuple[Tensor, Found]] = vars(self)
        if key not in memory or memory[key][0] is not samples:
            memory[key] = samples, method(self, samples)
        return memory[key][1]

    return remembered


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
        return torch.as_tensor(self.evaluate(joined(self.samples)), dtype=torch.float64)

    def evaluate(self, samples: Tensor) -> Tensor | float:
        """The metric of `(n, features)` samples."""
        raise NotImplementedError


def joined(parts: list[Tensor] | Tensor) -> Tensor:
    """All of a state's samples. A lone part is itself, so metrics that share it may share what they find out of it."""
    if isinstance(parts, Tensor):
        return parts
    return parts[0] if len(parts) == 1 else torch.cat(parts)
