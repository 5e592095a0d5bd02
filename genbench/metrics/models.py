"""The catalogue of metrics of a trial and its model, and not of its final samples: likelihood, cost, when it covered.

A trial gets them by itself, beside the columns of its protocol; a likelihood where its method has a `log_prob`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench.errors import Skip
from genbench.metrics.catalogue import NOT_NEGATIVE, metric

if TYPE_CHECKING:
    from torchmetrics import Metric

    from genbench.metrics.truth import Truth

UNSAID = "the samples don't say it: "
"""How all of these are refused to samples."""

GIVEN = f"{UNSAID}it is of trainers that give their log_prob, which get it unasked"
SEEN = f"{UNSAID}it is read off a trial's checkpoints"
COUNTED = f"{UNSAID}it is counted when a trial samples"


@metric("nll", unit="nats", higher_is_better=False)
def nll(truth: Truth, *, bound: int | None = None) -> Metric:
    """Negative log-likelihood of held-out data, −E ln p(x), p the model's density; the truth scores its entropy.

    With `bound` it is an upper bound, each sample's by so many draws (for one, the negative evidence lower bound). Of
    points the data are fresh; of images those held out, with uniform noise of a grey level's width (arXiv:1511.01844),
    in [−1, 1]. Blind to what samples look like: a good likelihood and poor samples go together (same source).
    """
    raise Skip(GIVEN)


@metric("nll_gap", unit="nats", higher_is_better=False)
def nll_gap(truth: Truth, *, bound: int | None = None) -> Metric:
    """What held-out data cost a model more than the truth: E[ln p*(x) − ln p(x)], an estimate of KL(p* ‖ p).

    p* is the target's own density, on the same data as `nll`, so it is `nll` less the truth's own and 0 for the truth;
    it is below zero only by chance. With `bound` it is an upper bound. Only datasets that know their density have it.
    """
    raise Skip(GIVEN)


@metric("evaluations", unit="evaluations", higher_is_better=False, bounds=NOT_NEGATIVE, whole=True)
def evaluations(truth: Truth) -> Metric:
    """How often networks are evaluated to make one sample: 1 of a generator, each step's of a diffusion or a flow.

    Tables show it where a trainer of their suite needs more than one. It says nothing of how large the networks are.
    """
    raise Skip(COUNTED)


@metric("first_coverage", unit="steps", higher_is_better=False, bounds=NOT_NEGATIVE, whole=True)
def first_coverage(truth: Truth) -> Metric:
    """The first checkpoint, in generator steps, at which all modes or classes are captured; see `modes`.

    As fine as checkpoints lie, and blind to whether they stay captured: see `sustained_coverage`. Undefined, which is
    worse than any value, where no checkpoint has them all.
    """
    raise Skip(SEEN)


@metric("sustained_coverage", unit="steps", higher_is_better=False, bounds=NOT_NEGATIVE, whole=True)
def sustained_coverage(truth: Truth) -> Metric:
    """The first checkpoint, in generator steps, from which all later ones capture all modes or classes; see `modes`.

    As fine as checkpoints lie, which are of the weights as trained. Undefined, which is worse than any value, where the
    last checkpoint hasn't them all.
    """
    raise Skip(SEEN)


@metric("bits_per_dim", unit="bits per dimension", higher_is_better=False, citation="arXiv:1511.01844")
def bits_per_dim(truth: Truth, *, bound: int | None = None) -> Metric:
    """Negative log-likelihood of held-out data in bits per dimension: nll over d ln 2, d numbers a sample.

    Of images it is that of pixels, 0 … 255, as the literature gives it: 8 for uniform noise. `bound` is as in nll.
    """
    raise Skip(GIVEN)
