"""What metrics share of the samples is made once, and a metric gives the same value alone and among others."""

from dataclasses import replace
from typing import NamedTuple

import pytest
import torch

from genbench import api
from genbench.contract.digits import digits
from genbench.datasets.images import as_pixels
from genbench.features import extractor
from genbench.metrics import observed
from genbench.metrics.observed import Observed
from genbench.metrics.truth import Truth
from genbench.registry import metrics
from genbench.scoring.protocols import Protocol
from genbench.scoring.scorer import Scorer

OF_PROTOCOL = {
    "modes": "class_modes[extractor=mnist-cnn]",
    "confident": "confident[extractor=mnist-cnn]",
    "fd": "fd[extractor=mnist-cnn,n=200]",
    "fd_of_fewer": "fd[extractor=mnist-cnn,n=100]",
    "precision": "image_precision[extractor=mnist-cnn,n=150]",
    "recall": "image_recall[extractor=mnist-cnn,n=150]",
    "coverage": "image_coverage[extractor=mnist-cnn,n=120]",
    "hq": "image_hq[extractor=mnist-cnn,n=150]",
}
PROTOCOL = Protocol(n=250, columns=OF_PROTOCOL, headline=(), deciding=())


@pytest.fixture(scope="module")
def samples():
    return as_pixels(digits().held_out.at(torch.arange(300)))


@pytest.fixture
def extracted(monkeypatch):
    """From how many samples features were extracted each time."""
    counts = []

    def extract(eye, pixels):
        counts.append(len(pixels))
        return original(eye, pixels)

    original = observed.extract
    monkeypatch.setattr(observed, "extract", extract)
    return counts


def values(scores):
    assert {score.state for score in scores} == {"ok"}
    return {score.name: score.value for score in scores}


def test_features_are_extracted_once_though_metrics_want_different_numbers(samples, extracted):
    values(Scorer(digits(), PROTOCOL)(samples))
    assert extracted == [250]


def test_each_metric_scores_what_it_scores_alone(samples):
    together = values(Scorer(digits(), PROTOCOL)(samples))
    for name, reference in OF_PROTOCOL.items():
        alone = Scorer(digits(), replace(PROTOCOL, columns={name: reference}))
        assert values(alone(samples)) == {name: together[name]}


def test_a_metric_sees_no_more_than_its_own_number(samples):
    """What comes after the first n changes those alone that take more."""
    changed = samples.clone()
    changed[150:] = 0
    before, after = (values(Scorer(digits(), PROTOCOL)(each)) for each in (samples, changed))
    assert {name for name in before if before[name] != after[name]} == {"modes", "confident", "fd"}


def test_scores_are_of_the_samples_given_last(samples, extracted):
    scorer = Scorer(digits(), PROTOCOL)
    first = scorer(samples)
    assert scorer(255 - samples) != first
    assert scorer(samples) == first
    assert extracted == [250] * 3


def test_order_of_columns_does_not_matter(samples, extracted):
    backwards = replace(PROTOCOL, columns=dict(reversed(OF_PROTOCOL.items())))
    assert values(Scorer(digits(), backwards)(samples)) == values(Scorer(digits(), PROTOCOL)(samples))
    assert extracted == [250, 250]


def test_floats_are_scored_as_the_pixels_that_are_stored_of_them(samples):
    scorer = Scorer(digits(), PROTOCOL)
    assert scorer(digits().held_out.at(torch.arange(300))) == scorer(samples)


def test_manifold_is_searched_once_for_metrics_of_one_number(samples, monkeypatch):
    from genbench.metrics import manifold

    searched = []
    rows = manifold.rows
    scorer = Scorer(digits(), PROTOCOL)
    monkeypatch.setattr(manifold, "rows", lambda x, y: (searched.append((len(x), len(y))), rows(x, y))[1])
    scorer(samples)
    assert sorted(searched) == [(120, 120)] * 2 + [(150, 150)] * 2


def mean_of(observed):
    return observed.samples.mean()


class Shifted(NamedTuple):
    """The samples moved by so much."""

    by: torch.Tensor

    def __call__(self, observed):
        return observed.samples + self.by


def test_what_is_asked_for_again_is_made_once():
    one, other = torch.ones(2), torch.ones(2)
    given = Observed(torch.zeros(5, 2))
    assert given.once(mean_of) is given.once(mean_of)
    assert given.once(Shifted(one)) is given.once(Shifted(one))
    assert given.once(Shifted(one)) is not given.once(Shifted(other))
    assert given.once(Shifted(one)) is not Observed(given.samples).once(Shifted(one))
    assert given.first(3) is given.first(3)
    assert given.first(5) is given
    assert len(given.first(3).once(Shifted(one))) == 3


def gap(observed, reference, scale):
    return scale * (observed.samples.mean(0) - reference.mean(0)).norm()


def test_any_function_of_samples_is_a_metric():
    reference = torch.arange(12.0).reshape(6, 2)
    built = api.observed_metric(gap, reference=reference, scale=2)
    for piece in (reference[:1] + 3, reference[1:] + 3):
        built.update(piece)
    assert built.compute().item() == pytest.approx(6 * 2**0.5)
    built.reset()
    built.update(reference)
    assert built.compute() == 0
    assert built.compute().dtype == torch.float64


@pytest.mark.parametrize(
    ("reference", "about"),
    [
        *((name, "ring8") for name in ("modes", "hq", "jsd", "std_ratio", "w2[n=50]", "sliced_w2[n=50]", "mmd[n=50]")),
        *((name, "ring8") for name in ("recall[n=50]", "cross_entropy")),
        *((name, "swissroll") for name in ("reverse_kl", "curve_distance", "arc_coverage", "cross_entropy")),
        *((f"{name}[extractor=mnist-cnn,n=100]", "digits") for name in ("fd", "image_hq", "image_recall")),
        ("kd[extractor=mnist-cnn,n=100,size=50]", "digits"),
        ("train_distance[n=10]", "digits"),
    ],
)
def test_all_that_a_metric_holds_moves_with_it_and_with_no_other(reference, about, truth):
    about = Truth(digits()) if about == "digits" else truth(about)
    moved, stays = metrics.build(reference, about), metrics.build(reference, about)
    before = dict(tensors(stays.constants))
    moved.to("meta")
    after = dict(tensors(moved.constants))
    assert before.keys() == after.keys()
    assert before
    assert {tensor.device.type for tensor in after.values()} == {"meta"}
    assert [tensor.dtype for tensor in after.values()] == [tensor.dtype for tensor in before.values()]
    assert {tensor.device.type for _, tensor in tensors(stays.constants)} == {"cpu"}


def tensors(held, path=""):
    """Every tensor that a metric's constants hold, however deep, by where it is."""
    if isinstance(held, torch.Tensor):
        yield path, held
    elif isinstance(held, tuple | list):
        for i, part in enumerate(held):
            yield from tensors(part, f"{path}.{i}")
    else:
        parts = held if isinstance(held, dict) else getattr(held, "__dict__", {})
        for name, part in parts.items():
            yield from tensors(part, f"{path}.{name}")


@pytest.mark.parametrize("sizes", [[300], [1, 299], [100, 100, 100]], ids=str)
def test_pieces_do_not_matter(sizes, samples):
    metric = metrics.build("fd[extractor=mnist-cnn,n=300]", Truth(digits()))
    whole = metrics.build("fd[extractor=mnist-cnn,n=300]", Truth(digits()))
    whole.update(samples)
    for piece in samples.split(sizes):
        metric.update(piece)
    assert metric.compute().item() == pytest.approx(whole.compute().item(), rel=1e-6)


def test_identity_names_the_extractor_with_its_weights():
    found = Scorer(digits(), PROTOCOL).identities
    eye = extractor("mnist-cnn")
    assert {identity.extractor for identity in found.values()} == {f"mnist-cnn-1 {eye.sha256}"}
    assert {name: identity.n for name, identity in found.items()} == {
        "modes": 250,
        "confident": 250,
        "fd": 200,
        "fd_of_fewer": 100,
        "precision": 150,
        "recall": 150,
        "coverage": 120,
        "hq": 150,
    }
