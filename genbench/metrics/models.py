"""The catalogue of metrics of what a model says of itself: of its likelihood, not of its samples.

A trial whose method has a `log_prob` gets them by itself, beside the columns of its protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench.errors import Skip
from genbench.metrics.catalogue import metric

if TYPE_CHECKING:
    from torchmetrics import Metric

    from genbench.metrics.truth import Truth

UNSAID = "the samples don't say it: it is of trainers that give their log_prob, which get it unasked"


@metric("nll", unit="nats", higher_is_better=False)
def nll(truth: Truth, *, bound: int | None = None) -> Metric:
    """Negative log-likelihood of held-out data, −E ln p(x), p the model's density; the truth scores its entropy.

    With `bound` it is an upper bound, each sample's by so many draws (for one, the negative evidence lower bound). Of
    points the data are fresh; of images those held out, with uniform noise of a grey level's width (arXiv:1511.01844),
    in [−1, 1]. Blind to what samples look like: a good likelihood and poor samples go together (same source).
    """
    raise Skip(UNSAID)


@metric("bits_per_dim", unit="bits per dimension", higher_is_better=False, citation="arXiv:1511.01844")
def bits_per_dim(truth: Truth, *, bound: int | None = None) -> Metric:
    """Negative log-likelihood of held-out data in bits per dimension: nll over d ln 2, d numbers a sample.

    Of images it is that of pixels, 0 … 255, as the literature gives it: 8 for uniform noise. `bound` is as in nll.
    """
    raise Skip(UNSAID)
