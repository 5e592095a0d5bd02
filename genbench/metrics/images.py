"""The catalogue of metrics of images, nearly all of them of what a feature extractor makes of them.

Distances of features are named for their extractor: only through Inception is a Fréchet distance the literature's FID.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from genbench.features import ExtractorName
from genbench.metrics.catalogue import FRACTION, NOT_NEGATIVE, Count, Rule, Share, metric, observed_metric

if TYPE_CHECKING:
    from torch import Tensor
    from torchmetrics import Metric

    from genbench.metrics.truth import Truth

Several = Annotated[int, Ge(2)]


@metric("fd", unit="squared", higher_is_better=False, bounds=NOT_NEGATIVE, citation="arXiv:1706.08500")
def fd(truth: Truth, *, extractor: ExtractorName, n: Several = 10_000) -> Metric:
    """The squared Fréchet distance between Gaussians that are fitted to features of n samples and n reference images.

    Through Inception it is the FID. Biased upwards by about the square of the number of features over n, so values at
    different n can't be compared; blind to what isn't in means and covariances, and to copies of training images.
    """
    from genbench.metrics.frechet import factor_of, fd, fitted

    reference = fitted(truth.extracted(extractor, n).features)
    eye = truth.extractor(extractor)
    return observed_metric(fd, reference=reference, factor=factor_of(reference), extractor=eye)


@metric("fd_infinity", unit="squared", higher_is_better=False, citation="arXiv:1911.07023")
def fd_infinity(truth: Truth, *, extractor: ExtractorName, n: Several = 10_000, points: Several = 15) -> Metric:
    """The Fréchet distance to n reference images, extrapolated to infinitely many samples.

    A line is fitted through the distances of subsets of `points` sizes up to n, over one over their size.
    What the reference's own finite number adds stays in it.
    """
    from genbench.metrics.frechet import Extrapolation, factor_of, fd_infinity, fitted

    features = truth.extracted(extractor, n).features
    reference, subsets = fitted(features), Extrapolation.of(n, features.shape[1], points).to(features.device)
    return observed_metric(
        fd_infinity,
        reference=reference,
        factor=factor_of(reference),
        subsets=subsets,
        extractor=truth.extractor(extractor),
    )


@metric("kd", unit="squared", higher_is_better=False, citation="arXiv:1801.01401")
def kd(
    truth: Truth, *, extractor: ExtractorName, n: Several = 10_000, subsets: Count = 100, size: Several = 1_000
) -> Metric:
    """The kernel distance: the squared MMD of features under (x·y/d + 1)³, unbiased, a mean over subsets.

    Through Inception it is the KID. Being unbiased it may be negative, which is as near to the truth as zero.
    """
    from genbench.metrics.kernel import subset_mmd

    pairs = truth.subset_pairs(extractor, n, subsets, size)
    return observed_metric(subset_mmd, subsets=pairs, extractor=truth.extractor(extractor))


@metric("class_score", unit="classes", higher_is_better=True, bounds=(1, None), citation="arXiv:1606.03498")
def class_score(truth: Truth, *, extractor: ExtractorName, n: Several = 10_000, splits: Count = 10) -> Metric:
    """exp E KL(p(y|x) ‖ p(y)) of the extractor's classes, a mean over splits: how sure, and of how many classes.

    Through Inception it is the inception score. Blind to the real images, and to everything but classes.
    """
    from genbench.metrics.classes import class_score

    truth.extracted(extractor, n)
    return observed_metric(class_score, splits=splits, extractor=truth.extractor(extractor), replicas=True)


@metric("image_precision", unit="fraction", higher_is_better=True, bounds=FRACTION, citation="arXiv:1904.06991")
def image_precision(truth: Truth, *, extractor: ExtractorName, n: Several = 5_000, k: Count = 5) -> Metric:
    """Precision of features: the share of samples inside any reference image's ball to its k-th neighbour."""
    from genbench.metrics.manifold import precision

    return _of_neighbours(precision, truth, extractor, n, k)


@metric("image_recall", unit="fraction", higher_is_better=True, bounds=FRACTION, citation="arXiv:1904.06991")
def image_recall(truth: Truth, *, extractor: ExtractorName, n: Several = 5_000, k: Count = 5) -> Metric:
    """Recall of features: the share of reference images inside any sample's ball to its k-th neighbour."""
    from genbench.metrics.manifold import recall

    return _of_neighbours(recall, truth, extractor, n, k)


@metric("image_density", unit="ratio", higher_is_better=True, bounds=NOT_NEGATIVE, citation="arXiv:2002.09797")
def image_density(truth: Truth, *, extractor: ExtractorName, n: Several = 5_000, k: Count = 5) -> Metric:
    """Density of features: how many reference balls a sample lies in, over k; about 1 for the truth."""
    from genbench.metrics.manifold import density

    return _of_neighbours(density, truth, extractor, n, k)


@metric("image_coverage", unit="fraction", higher_is_better=True, bounds=FRACTION, citation="arXiv:2002.09797")
def image_coverage(truth: Truth, *, extractor: ExtractorName, n: Several = 5_000, k: Count = 5) -> Metric:
    """Coverage of features: the share of reference images whose ball to the k-th neighbour holds a sample."""
    from genbench.metrics.manifold import coverage

    return _of_neighbours(coverage, truth, extractor, n, k)


@metric(
    "class_modes", unit="modes", higher_is_better=True, bounds=NOT_NEGATIVE, whole=True, citation="arXiv:1705.07761"
)
def class_modes(
    truth: Truth,
    *,
    extractor: ExtractorName,
    rule: Rule = "fair",
    share: Share = 0.2,
    sure: Share = 0.9,
) -> Metric:
    """Modes captured: how many classes hold enough samples, by the extractor's most probable class, digit by digit.

    Under the rule `fair` a class counts when it holds at least `share` of its fair number n/M of samples whose class
    has a probability of `sure` or more; under `any`, the literature's, when a single sample, however doubtful, falls
    into it. Blind to quality within classes.
    """
    from genbench.metrics.classes import Classes
    from genbench.metrics.histogram import captured

    bins = Classes() if rule == "any" else Classes(sure)
    eye = truth.classifier(extractor)
    return observed_metric(captured, bins=bins, rule=rule, share=share, extractor=eye, replicas=True)


@metric("class_reverse_kl", unit="nats", higher_is_better=False, bounds=NOT_NEGATIVE, citation="arXiv:1705.07761")
def class_reverse_kl(truth: Truth, *, extractor: ExtractorName) -> Metric:
    """Σ p ln(p·M) over the shares p of the samples' most probable classes among all M: their distance from even shares.

    The floor at n samples is (M − 1)/2n, 0.0192 for stacked MNIST's 26 000, more where the real shares aren't even.
    """
    from genbench.metrics.classes import Classes
    from genbench.metrics.histogram import reverse_kl

    eye = truth.classifier(extractor)
    return observed_metric(reverse_kl, bins=Classes(), junk=False, extractor=eye, replicas=True)


@metric("confident", unit="fraction", higher_is_better=True, bounds=FRACTION)
def confident(truth: Truth, *, extractor: ExtractorName, sure: Share = 0.9) -> Metric:
    """The share of samples whose most probable class has a probability of at least `sure`, in every channel.

    Blind to dropped classes; adversarial noise can be as confident as a clean digit.
    """
    from genbench.metrics.classes import Classes
    from genbench.metrics.histogram import hq

    return observed_metric(hq, bins=Classes(sure), extractor=truth.classifier(extractor), replicas=True)


@metric("confidence", unit="probability", higher_is_better=True, bounds=FRACTION)
def confidence(truth: Truth, *, extractor: ExtractorName) -> Metric:
    """The mean probability of the most probable class; of several channels, the product of theirs.

    Blind to dropped classes; adversarial noise can be as confident as a clean digit.
    """
    from genbench.metrics.classes import confidence

    return observed_metric(confidence, extractor=truth.classifier(extractor), replicas=True)


@metric("image_hq", unit="fraction", higher_is_better=True, bounds=FRACTION)
def image_hq(truth: Truth, *, extractor: ExtractorName, n: Several = 5_000, k: Count = 5, sure: Share = 0.9) -> Metric:
    """High-quality samples: the share that is confident, as in `confident`, and inside the real manifold, as in
    `image_precision`. The truth scores the share of real images that is both."""
    from genbench.metrics.classes import confident_and_real

    classifier = truth.classifier(extractor)
    near = truth.neighbourhood(n, k, extractor)
    return observed_metric(confident_and_real, near=near, sure=sure, extractor=classifier)


@metric("train_distance", unit="grey levels", higher_is_better=None, bounds=(0, 255))
def train_distance(truth: Truth, *, n: Count = 1_000) -> Metric:
    """Distance to the nearest training image, root mean square over pixels and channels, averaged over n samples.

    0 is a copy, so a value well below that of real images that were held out means memorising. It sees copies of
    pixels alone, not of content, and blurred samples lie near everything.
    """
    from genbench.metrics.memorisation import train_distance

    return observed_metric(train_distance, train=truth.finite.train)


def _of_neighbours(definition: Callable[..., Tensor], truth: Truth, extractor: ExtractorName, n: int, k: int) -> Metric:
    near = truth.neighbourhood(n, k, extractor)
    return observed_metric(definition, near=near, extractor=truth.extractor(extractor))
