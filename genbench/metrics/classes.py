"""What a classifier's logits `(n, heads, classes)` say about samples; several heads, say digits, make one class."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from genbench.errors import Skip
from genbench.metrics.modes import ROUNDING, kl_divergence

Rule = Literal["fair", "any"]


def class_score(logits: Tensor, splits: int) -> Tensor:
    """exp E KL(p(y|x) ‖ p(y)), the mean over consecutive splits of nearly one size. arXiv:1606.03498, section 4.

    Of several heads, the mean of their scores. It is at least 1, which rounding may miss. Raises Skip for fewer samples
    than splits.
    """
    n, scores = len(logits), []
    if not logits[:1].numel():
        raise Skip("the extractor tells no classes apart")
    if n < splits:
        raise Skip(f"{splits} splits need as many samples and got {n}")
    logs = logits.double().log_softmax(2)
    for i in range(splits):
        part = logs[i * n // splits : (i + 1) * n // splits]
        marginal = part.logsumexp(0, keepdim=True) - torch.tensor(len(part), dtype=torch.float64).log()
        scores.append((part.exp() * (part - marginal)).sum(2).mean(0).exp().mean())
    return torch.stack(scores).mean().clamp(min=1)


def confidence(logits: Tensor) -> Tensor:
    """The probability of each sample's most probable class, all heads together, `(n,)`."""
    probabilities: Tensor = logits.double().softmax(2).amax(2).prod(1)
    return probabilities


def certain(logits: Tensor, sure: float) -> Tensor:
    """Which samples have a class of at least that probability in every head, `(n,)` of bool."""
    return (logits.double().softmax(2).amax(2) >= sure).all(1)


def captured(logits: Tensor, rule: Rule, share: float, sure: float) -> Tensor:
    """The number of classes that hold enough samples: `share` of the fair number of sure ones, or any at all."""
    if rule == "any":
        return (_counts(logits) > 0).sum()
    counts = _counts(logits[certain(logits, sure)])
    return (counts >= max(1.0, share * len(logits) / len(counts) * (1 - ROUNDING))).sum()


def reverse_kl(logits: Tensor) -> Tensor:
    """Σ p ln(p·M) in nats over the shares of the M classes."""
    counts = _counts(logits).double()
    return kl_divergence(counts / counts.sum(), torch.full_like(counts, 1 / len(counts)))


def _counts(logits: Tensor) -> Tensor:
    """How many samples fall into each class, `(classes ** heads,)`."""
    _, heads, classes = logits.shape
    places = classes ** torch.arange(heads - 1, -1, -1)
    return torch.bincount((logits.argmax(2) * places).sum(1), minlength=classes**heads)
