"""Metrics that look through one extractor look once."""

from dataclasses import replace

import pytest
import torch
from made_up_images import digits

from genbench.datasets.images import as_pixels
from genbench.features import extractor
from genbench.metrics import perceived
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
def looks(monkeypatch):
    """At how many samples each look was."""
    found = []

    def look(eye, pixels):
        found.append(len(pixels))
        return look_at(eye, pixels)

    look_at = perceived.look
    monkeypatch.setattr(perceived, "look", look)
    return found


def values(scores):
    assert {score.state for score in scores} == {"ok"}
    return {score.name: score.value for score in scores}


def test_all_metrics_of_an_extractor_look_once_though_they_want_different_numbers(samples, looks):
    values(Scorer(digits(), PROTOCOL)(samples))
    assert looks == [250]


def test_each_metric_scores_what_it_scores_alone(samples):
    together = values(Scorer(digits(), PROTOCOL)(samples))
    for name, reference in OF_PROTOCOL.items():
        alone = Scorer(digits(), replace(PROTOCOL, columns={name: reference}))
        assert values(alone(samples)) == {name: together[name]}


def test_a_metric_sees_no_more_than_its_own_number(samples):
    """What comes after the first n changes those alone that look at more."""
    changed = samples.clone()
    changed[150:] = 0
    before, after = (values(Scorer(digits(), PROTOCOL)(each)) for each in (samples, changed))
    assert {name for name in before if before[name] != after[name]} == {"modes", "confident", "fd"}


def test_scores_are_of_the_samples_given_last(samples, looks):
    scorer = Scorer(digits(), PROTOCOL)
    first = scorer(samples)
    assert scorer(255 - samples) != first
    assert scorer(samples) == first
    assert looks == [250] * 3


def test_order_of_columns_does_not_matter(samples, looks):
    backwards = replace(PROTOCOL, columns=dict(reversed(OF_PROTOCOL.items())))
    assert values(Scorer(digits(), backwards)(samples)) == values(Scorer(digits(), PROTOCOL)(samples))
    assert looks == [250, 250]


def test_floats_are_scored_as_the_pixels_that_are_stored_of_them(samples):
    scorer = Scorer(digits(), PROTOCOL)
    assert scorer(digits().held_out.at(torch.arange(300))) == scorer(samples)


def test_manifold_is_searched_once_for_metrics_of_one_number(samples, monkeypatch):
    from genbench.metrics import manifold

    searched = []
    blocks = manifold.blocks
    scorer = Scorer(digits(), PROTOCOL)
    monkeypatch.setattr(manifold, "blocks", lambda x, y: (searched.append((len(x), len(y))), blocks(x, y))[1])
    scorer(samples)
    assert sorted(searched) == [(120, 120)] * 2 + [(150, 150)] * 2


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
