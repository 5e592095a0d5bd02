"""The catalogue of metrics of points: samples `(n, features)` of datasets whose truth is known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from genbench.errors import Skip
from genbench.metrics.catalogue import FRACTION, NOT_NEGATIVE, Count, Radius, Rule, Share, metric, observed_metric

if TYPE_CHECKING:
    from torchmetrics import Metric

    from genbench.metrics.truth import Truth


@metric("modes", unit="modes", higher_is_better=True, bounds=NOT_NEGATIVE, whole=True, citation="arXiv:1712.04086")
def modes(truth: Truth, *, k: Radius = 3.0, rule: Rule = "fair", share: Share = 0.2) -> Metric:
    """Modes captured: how many modes hold enough high-quality samples, those within k stds of a centre.

    Under the rule `fair` a mode counts when it holds at least `share` of its fair number n/M; under `any`, when
    it holds one. Blind to quality elsewhere and to imbalance above the threshold. Under `any`, uniform noise
    captures most modes of a grid, which is why `fair` is the headline.
    """
    from genbench.metrics.histogram import captured
    from genbench.metrics.modes import Balls

    return observed_metric(captured, bins=Balls(truth.modes, k), rule=rule, share=share, replicas=True)


@metric("hq", unit="fraction", higher_is_better=True, bounds=FRACTION, citation="arXiv:1705.07761")
def hq(truth: Truth, *, k: Radius = 3.0) -> Metric:
    """High-quality samples: the share of samples within k stds of the nearest centre.

    The truth scores 1 − exp(−k²/2), 0.989 at k = 3; more means shrunken variance, not quality. Blind to dropped
    modes: one mode alone scores as high.
    """
    from genbench.metrics.histogram import hq
    from genbench.metrics.modes import Balls

    return observed_metric(hq, bins=Balls(truth.modes, k), replicas=True)


@metric("reverse_kl", unit="nats", higher_is_better=False, bounds=NOT_NEGATIVE, citation="arXiv:1712.04086", version=2)
def reverse_kl(truth: Truth, *, k: Radius = 3.0, junk: bool = True) -> Metric:
    """Reverse KL: KL(samples ‖ truth) over the modes' shares of the high-quality samples, or over parts of a curve.

    With `junk`, all other samples form one more bin, whose true share is what the truth leaves beyond k stds;
    without it they are forgotten, and noise scores well. The floor at n samples and M modes is (M − 1)/2n. Blind to
    where within k stds of their centres the samples lie: to shrunken, widened and shifted modes, but for what that
    moves beyond k stds.

    Of a target along a curve the bins are 200 stretches of it, equal in probability, each in two bins of the distance
    to the curve and, in the plane, two sides, and the junk bin: it sees gaps, imbalance and wrong noise alike. It is
    blind within a bin: to gaps of up to two stretches, where their ends fall, and to where in a bin of the distance
    samples lie. The floor in the plane is 800/2n. Without `junk` it doesn't apply there.
    """
    from genbench.metrics.histogram import reverse_kl
    from genbench.metrics.modes import Balls

    along_curve = junk and truth.target.modes is None and truth.target.curve is not None
    bins = truth.curve_bins(k) if along_curve else Balls(truth.modes, k)
    undefined = None if junk else "no sample lies near a mode"
    return observed_metric(reverse_kl, bins=bins, junk=junk, replicas=True, undefined=undefined)


@metric("mode_entropy", unit="fraction", higher_is_better=True, bounds=FRACTION, citation="arXiv:2406.07423")
def mode_entropy(truth: Truth) -> Metric:
    """How evenly samples are shared among the modes: the entropy of the nearest centres' shares over ln M.

    1 for equal shares of all M modes, 0 for a single one; of modes with unequal weights the truth scores less than 1.
    It suits any number of dimensions, where a distance of 3 stds holds nearly nothing. Blind to how far from the
    centres samples lie: noise that is spread evenly scores well.
    """
    from genbench.metrics.histogram import evenness
    from genbench.metrics.modes import Cells

    if len(truth.modes.centres) < 2:
        raise Skip("the dataset has a single mode")
    return observed_metric(evenness, bins=Cells(truth.modes), replicas=True, undefined="no sample is finite")


@metric("jsd", unit="nats", higher_is_better=False, bounds=(0, math.log(2)))
def jsd(truth: Truth, *, k: Radius = 3.0) -> Metric:
    """Jensen-Shannon divergence between samples and truth over the modes and a junk bin; at most ln 2."""
    from genbench.metrics.histogram import jsd
    from genbench.metrics.modes import Balls

    return observed_metric(jsd, bins=Balls(truth.modes, k), replicas=True)


@metric("std_ratio", unit="ratio", higher_is_better=None, bounds=NOT_NEGATIVE, version=2)
def std_ratio(truth: Truth, *, k: Radius = 3.0, share: Share = 0.2) -> Metric:
    """Standard deviation within captured modes over the true one: 1 is right, below it the modes have shrunk.

    It is that of a mode's samples around their own mean, so blind to where that lies: see `offset`. Both deviations are
    of distributions cut off at k stds, so widened modes score little above 1. Undefined where no mode is captured.
    """
    from genbench.metrics.modes import Balls, std_ratio

    undefined = "no captured mode holds two samples"
    return observed_metric(std_ratio, bins=Balls(truth.modes, k), share=share, replicas=True, undefined=undefined)


@metric("offset", unit="stds", higher_is_better=False, bounds=NOT_NEGATIVE)
def offset(truth: Truth, *, k: Radius = 3.0, share: Share = 0.2) -> Metric:
    """How many stds the mean of a captured mode's samples lies off its centre, averaged over captured modes.

    The floor at n samples and M modes is √(πM/2n) in the plane, 0.035 for 8 modes and 10 000 samples. Blind to
    shrunken and widened modes. Undefined where no mode is captured.
    """
    from genbench.metrics.modes import Balls, offset

    bins, undefined = Balls(truth.modes, k), "no mode is captured"
    return observed_metric(offset, bins=bins, share=share, replicas=True, undefined=undefined)


@metric("w2", unit="data units", higher_is_better=False, bounds=NOT_NEGATIVE)
def w2(truth: Truth, *, n: Count = 2_000) -> Metric:
    """The exact 2-Wasserstein distance to n reference samples, by optimal assignment.

    It sees dropped modes and wrong places, in the units of the data. Its floor is the distance of two finite samples
    of the truth, which at n = 2 000 is many times the modes' spread or the noise around a curve: blind to both.
    """
    from genbench.metrics.transport import w2

    return observed_metric(w2, reference=truth.reference(n), on_host=True)


@metric("sliced_w2", unit="data units", higher_is_better=False, bounds=NOT_NEGATIVE, citation="arXiv:1804.01947")
def sliced_w2(truth: Truth, *, n: Count = 10_000, directions: Count = 64) -> Metric:
    """The 2-Wasserstein distance along lines, averaged in the square over fixed random directions."""
    from genbench import seeding
    from genbench.metrics import transport

    reference = truth.reference(n)
    rng = seeding.stream(0, seeding.PROJECTIONS)
    lines = transport.directions(reference.shape[1], directions, rng).to(reference.device)
    along = transport.along(reference, lines)
    return observed_metric(transport.sliced_w2, lines=lines, reference=along, replicas=True)


@metric("mmd", unit="squared", higher_is_better=False, citation="JMLR 13 (2012) 723-773")
def mmd(truth: Truth, *, n: Count = 2_000) -> Metric:
    """The unbiased estimate of the squared maximum mean discrepancy, under six fixed Gaussian kernels.

    Bandwidths .02, .05, .1, .2, .5 and 1 in data units. Negative values are as near to the truth as zero.
    """
    from genbench.metrics.kernel import mean_kernel, mmd

    reference = truth.reference(n)
    return observed_metric(mmd, reference=reference, within=mean_kernel(reference))


@metric("precision", unit="fraction", higher_is_better=True, bounds=FRACTION, citation="arXiv:1904.06991")
def precision(truth: Truth, *, n: Count = 5_000, k: Count = 5) -> Metric:
    """Precision: the share of samples inside any reference sample's ball to its k-th neighbour."""
    from genbench.metrics.manifold import precision

    return observed_metric(precision, near=truth.neighbourhood(n, k))


@metric("recall", unit="fraction", higher_is_better=True, bounds=FRACTION, citation="arXiv:1904.06991")
def recall(truth: Truth, *, n: Count = 5_000, k: Count = 5) -> Metric:
    """Recall: the share of reference samples inside any sample's ball to its k-th neighbour.

    A few far-flung samples have wide balls, so noise can score high.
    """
    from genbench.metrics.manifold import recall

    return observed_metric(recall, near=truth.neighbourhood(n, k))


@metric("density", unit="ratio", higher_is_better=True, bounds=NOT_NEGATIVE, citation="arXiv:2002.09797")
def density(truth: Truth, *, n: Count = 5_000, k: Count = 5) -> Metric:
    """Density: how many reference balls a sample lies in, over k; about 1 for the truth, more for its dense parts."""
    from genbench.metrics.manifold import density

    return observed_metric(density, near=truth.neighbourhood(n, k))


@metric("coverage", unit="fraction", higher_is_better=True, bounds=FRACTION, citation="arXiv:2002.09797")
def coverage(truth: Truth, *, n: Count = 5_000, k: Count = 5) -> Metric:
    """Coverage: the share of reference samples whose ball to the k-th neighbour holds a sample.

    The truth scores 1 − 2⁻ᵏ, 0.97 at k = 5.
    """
    from genbench.metrics.manifold import coverage

    return observed_metric(coverage, near=truth.neighbourhood(n, k))


@metric("cross_entropy", unit="nats", higher_is_better=None)
def cross_entropy(truth: Truth) -> Metric:
    """Cross-entropy of the samples under the true density, −E ln p(x): the truth's entropy is right.

    Less means samples too near the centres; blind to dropped modes.
    """
    from genbench.metrics.likelihood import cross_entropy

    return observed_metric(cross_entropy, target=truth.target, replicas=True)


@metric("curve_distance", unit="noise stds", higher_is_better=None, bounds=NOT_NEGATIVE)
def curve_distance(truth: Truth) -> Metric:
    """Mean distance to the curve in noise stds; the truth scores about 0.8, samples without noise 0.

    Blind to which part of the curve is covered.
    """
    from genbench.metrics.curve import curve_distance

    return observed_metric(curve_distance, projection=truth.projection(), replicas=True)


@metric("arc_coverage", unit="fraction", higher_is_better=True, bounds=FRACTION)
def arc_coverage(truth: Truth, *, k: Radius = 3.0, bins: Count = 100, share: Share = 0.2) -> Metric:
    """The share of equal stretches of the curve that hold enough near samples: `share` of their fair number.

    Near is closer than k noise stds. Blind to the noise within that, and to imbalance above the threshold.
    """
    from genbench.metrics.curve import Stretches, arc_coverage

    projection = truth.projection()
    stretches = Stretches.of(projection.curve, bins)
    return observed_metric(arc_coverage, projection=projection, k=k, stretches=stretches, share=share, replicas=True)
