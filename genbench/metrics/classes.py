"""What a classifier's logits `(…, n, heads, classes)` say about samples; several heads, say digits, make one class.

`…` is nothing, or the number of replicas whose samples are looked at together.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from genbench.errors import Skip
from genbench.metrics.histogram import Histogram, counted
from genbench.metrics.manifold import Neighbourhood
from genbench.metrics.observed import Observed


class Classes(NamedTuple):
    """A classifier's classes as bins, of samples whose class has a probability of at least `sure` in every head."""

    sure: float = 0.0

    def __call__(self, observed: Observed) -> Histogram:
        *_, heads, classes = observed.logits.shape
        bins = classes**heads
        places = classes ** torch.arange(heads - 1, -1, -1, device=observed.logits.device)
        found = (observed.logits.argmax(-1) * places).sum(-1)
        counts = counted(found, bins, confident(observed, self.sure))
        return Histogram(counts, len(observed), counts.new_full((bins,), 1 / bins))


def class_score(observed: Observed, splits: int) -> Tensor:
    """exp E KL(p(y|x) ‖ p(y)), the mean over consecutive splits of nearly one size. arXiv:1606.03498, section 4.

    Of several heads, the mean of their scores. It is at least 1, which rounding may miss. `(…)`. Raises Skip for fewer
    samples than splits.
    """
    n, scores = len(observed), []
    if not observed.logits.shape[-1]:
        raise Skip("the extractor tells no classes apart")
    if n < splits:
        raise Skip(f"{splits} splits need as many samples and got {n}")
    logs = observed.logits.double().log_softmax(-1)
    for i in range(splits):
        part = logs[..., i * n // splits : (i + 1) * n // splits, :, :]
        marginal = part.logsumexp(-3, keepdim=True) - math.log(part.shape[-3])
        scores.append((part.exp() * (part - marginal)).sum(-1).mean(-2).exp().mean(-1))
    return torch.stack(scores).mean(0).clamp(min=1)


def confidence(observed: Observed) -> Tensor:
    """The mean probability of each sample's most probable class, all heads together: `(…)`."""
    return observed.logits.double().softmax(-1).amax(-1).prod(-1).mean(-1)


def confident(observed: Observed, sure: float) -> Tensor:
    """Which samples have a class of at least that probability in every head, `(…, n)` of bool."""
    return (observed.logits.double().softmax(-1).amax(-1) >= sure).all(-1)


def confident_and_real(observed: Observed, near: Neighbourhood, sure: float) -> Tensor:
    """The share of samples that are confident and lie in a reference sample's ball, in [0, 1]; of one replica."""
    return (confident(observed, sure) & (observed.once(near).around > 0)).double().mean()
