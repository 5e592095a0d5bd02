"""The life cycle of metrics of images that look at them through a feature extractor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torchmetrics
from torch import Tensor

from genbench.features import Extractor, Seen
from genbench.features.extraction import look
from genbench.metrics.samples import joined


class Perceived(torchmetrics.Metric):
    """Collects what `extractor` sees in images `(n, channels, height, width)` of uint8, which `evaluate` then judges.

    Metrics of one extractor hold equal states after equal updates, so one of them can be updated for all.
    """

    full_state_update = False
    features: list[Tensor]
    logits: list[Tensor]

    def __init__(self, extractor: Extractor, evaluate: Callable[[Seen], Tensor | float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.extractor, self.evaluate = extractor, evaluate
        self.state_key = ("seen", extractor.name)
        self.add_state("features", default=[], dist_reduce_fx="cat")
        self.add_state("logits", default=[], dist_reduce_fx="cat")

    def update(self, pixels: Tensor) -> None:
        seen = look(self.extractor, pixels)
        self.features.append(seen.features)
        self.logits.append(seen.logits)

    def compute(self) -> Tensor:
        return torch.as_tensor(self.evaluate(Seen(joined(self.features), joined(self.logits))), dtype=torch.float64)
