"""Metrics of images: each is what others' code makes of the same features and logits."""

import numpy as np
import pytest
import torch
from prdc import compute_prdc
from reference import classes_twin
from reference.torchmetrics_fid import fid
from torch_fidelity import metric_fid, metric_isc, metric_kid
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import poly_mmd

from genbench import seeding
from genbench.contract.digits import digits
from genbench.datasets.images import as_pixels
from genbench.datasets.stacked import StackSet
from genbench.errors import Skip
from genbench.features import extractor
from genbench.features.extraction import extract
from genbench.metrics.truth import Truth
from genbench.registry import metrics

N = 300
EYE = "extractor=mnist-cnn"
TRUTHS = {1: Truth(digits()), 3: Truth(StackSet(digits()))}
"""By channels: digits, and stacks of three. At a tenth of noise most of them are among the real no more."""

CHANNELS = pytest.mark.parametrize("channels", TRUTHS)


def blended(dataset, share, n=N):
    """Images that were held out, under some noise."""
    rng = seeding.stream(0, "test")
    images = dataset.held_out.distinct(n, rng)
    return as_pixels(torch.lerp(images, torch.randn(images.shape, generator=rng), share))


@pytest.fixture(params=[0.0, 0.05, 0.1], ids=lambda share: f"{share} noise")
def share(request):
    return request.param


@pytest.fixture
def given(channels, share):
    """The truth, images, what is extracted from them and from the reference."""
    about = TRUTHS[channels]
    images = blended(about.dataset, share)
    return about, images, extract(extractor("mnist-cnn"), images), about.extracted("mnist-cnn", N)


def fidelity_fd(x, y):
    statistics = [metric_fid.fid_features_to_statistics(features.double()) for features in (x, y)]
    return metric_fid.fid_statistics_to_metric(*statistics, verbose=False)[metric_fid.KEY_METRIC_FID]


def subsets(x, y, count, size):
    """The pairs of subsets that the metric takes."""
    rng = seeding.stream(0, seeding.SUBSETS)
    for _ in range(count):
        first = x[torch.randperm(len(x), generator=rng)[:size]].double()
        yield first, y[torch.randperm(len(y), generator=rng)[:size]].double()


@CHANNELS
def test_fd_is_torchmetrics_and_torch_fidelitys(given, score):
    about, images, extracted, real = given
    found = score(f"fd[{EYE},n={N}]", about, images)
    assert found == pytest.approx(fid(extracted.features.double(), real.features.double()).compute().item(), rel=1e-6)
    assert found == pytest.approx(fidelity_fd(extracted.features, real.features), rel=1e-6)


@pytest.mark.parametrize("channels", [1])
def test_fd_infinity_is_where_a_line_through_the_subsets_ends(given, score):
    about, images, extracted, real = given
    rng = seeding.stream(0, seeding.SUBSETS)
    sizes = [round(128 + (N - 128) * i / 4) for i in range(5)]
    chosen = [extracted.features[torch.randperm(N, generator=rng)[:size]] for size in sizes]
    x, y = 1 / np.array(sizes), [fidelity_fd(subset, real.features) for subset in chosen]
    _, intercept = np.polyfit(x, y, 1)
    assert score(f"fd_infinity[{EYE},n={N},points=5]", about, images) == pytest.approx(intercept, rel=1e-5)


@CHANNELS
def test_kd_is_torchmetrics_and_torch_fidelitys(given, score):
    about, images, extracted, real = given
    pairs = list(subsets(extracted.features, real.features, 7, 150))
    theirs = [poly_mmd(y, x).item() for x, y in pairs]
    options = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_coef0": 1}
    others = [metric_kid.kernel_mmd(x.numpy(), y.numpy(), **options, kid_kernel_poly_gamma=None) for x, y in pairs]
    found = score(f"kd[{EYE},n={N},subsets=7,size=150]", about, images)
    assert found == pytest.approx(np.mean(theirs), rel=1e-7)
    assert found == pytest.approx(np.mean(others), rel=1e-7)


@pytest.mark.parametrize("channels", [1])
@pytest.mark.parametrize("splits", [1, 4, 7])
def test_class_score_is_torch_fidelitys(splits, given, score):
    about, images, extracted, _ = given
    theirs = metric_isc.isc_features_to_metric(extracted.logits[:, 0], splits, shuffle=False)
    found = score(f"class_score[{EYE},n={N},splits={splits}]", about, images)
    assert found == pytest.approx(theirs[metric_isc.KEY_METRIC_ISC_MEAN], rel=1e-9)


@pytest.mark.parametrize("channels", [1])
@pytest.mark.filterwarnings("ignore:Metric `InceptionScore` will save:UserWarning")
def test_class_score_is_torchmetrics(given, score, monkeypatch):
    """Which shuffles before it splits, unless it is kept from it."""
    about, images, extracted, _ = given
    theirs = InceptionScore(feature=torch.nn.Identity(), splits=4)
    theirs.update(extracted.logits[:, 0])
    monkeypatch.setattr(torch, "randperm", torch.arange)
    expected = theirs.compute()[0].item()
    monkeypatch.undo()
    assert score(f"class_score[{EYE},n={N},splits=4]", about, images) == pytest.approx(expected, rel=1e-5)


@CHANNELS
@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("name", ["precision", "recall", "density", "coverage"])
def test_manifold_is_prdcs(name, k, given, score, capsys):
    """To the sample, but for a tie that single precision decides."""
    about, images, extracted, real = given
    theirs = compute_prdc(real.features.double().numpy(), extracted.features.double().numpy(), nearest_k=k)
    found = score(f"image_{name}[{EYE},n={N},k={k}]", about, images)
    assert found == pytest.approx(theirs[name], rel=1e-4, abs=1e-9)


@CHANNELS
def test_metrics_of_classes_are_the_twins(given, score):
    about, images, extracted, _ = given
    samples = extracted.logits.double().tolist()
    assert score(f"class_modes[{EYE},rule=any]", about, images) == classes_twin.modes_any(samples)
    for share in (0.2, 0.8):
        expected = classes_twin.modes_fair(samples, share, 0.9)
        assert score(f"class_modes[{EYE},rule=fair,share={share}]", about, images) == expected
    assert score(f"class_reverse_kl[{EYE}]", about, images) == pytest.approx(classes_twin.reverse_kl(samples))
    for sure in (0.5, 0.9):
        expected = classes_twin.confident(samples, sure)
        assert score(f"confident[{EYE},sure={sure}]", about, images) == pytest.approx(expected)
    assert score(f"confidence[{EYE}]", about, images) == pytest.approx(classes_twin.confidence(samples))


@CHANNELS
def test_hq_are_those_that_are_confident_and_among_the_real(given, score):
    about, images, extracted, real = given
    samples = extracted.logits.double().tolist()
    distances = torch.cdist(extracted.features.double(), real.features.double())
    reach = torch.cdist(real.features.double(), real.features.double()).sort(1).values[:, 5]
    inside = (distances < reach).any(1).tolist()
    sure = [classes_twin.is_sure(sample, 0.9) for sample in samples]
    expected = sum(a and b for a, b in zip(inside, sure, strict=True)) / N
    assert score(f"image_hq[{EYE},n={N}]", about, images) == pytest.approx(expected)


def test_hq_needs_both(score):
    """Each of the two lets through what the other doesn't."""
    about = TRUTHS[1]
    images = blended(about.dataset, 0.05)
    hq, precision = (score(f"{name}[{EYE},n={N}]", about, images) for name in ("image_hq", "image_precision"))
    confident = score(f"confident[{EYE}]", about, images)
    assert 0 < hq < min(precision, confident)


def test_reference_is_the_same_at_every_call_and_shares_nothing_with_training():
    about = TRUTHS[1]
    features = [Truth(about.dataset).extracted("mnist-cnn", 50).features for _ in range(2)]
    assert torch.equal(*features)
    reference = extract(extractor("mnist-cnn"), as_pixels(about.dataset.reference.at(torch.arange(800)))).features
    assert torch.cdist(features[0].double(), reference.double()).min(1).values.max() < 1e-3


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (f"fd[{EYE},n=801]", "801 different images were asked for and there are 800"),
        ("fd[extractor=mnist-cnn,n=64]", "64 features needs more than 64 samples and got 64"),
        ("class_modes[extractor=celeba-cnn]", "classes aren't those that celeba-cnn tells apart"),
    ],
)
def test_what_cannot_be_measured_is_skipped_with_the_reason(reference, reason):
    with pytest.raises(Skip, match=reason):
        metrics.build(reference, TRUTHS[1])


@pytest.mark.parametrize("name", ["class_modes", "class_reverse_kl", "confident", "confidence", "image_hq"])
def test_images_without_classes_have_no_modes(name):
    with pytest.raises(Skip, match="classes aren't those"):
        metrics.build(f"{name}[{EYE}]", Truth(digits(3)))
