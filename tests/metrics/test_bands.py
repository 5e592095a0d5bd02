"""Null bands: shipped ones fit the present metrics, and say what fresh draws of the truth say."""

from dataclasses import replace

import pytest
import torch
from made_up_images import digits

from genbench import seeding
from genbench.datasets.images import Images, ImageSet
from genbench.datasets.stacked import StackSet
from genbench.metrics import bands
from genbench.metrics.scoring import Scorer
from genbench.metrics.shipped import all_bands
from genbench.protocols import POINTS, protocol
from genbench.registry import datasets
from genbench.spec import Component, canonical_json

OF_IMAGES = replace(
    protocol("mnist-smoke"),
    n=200,
    columns={
        "fd": "fd[extractor=mnist-cnn,n=200]",
        "modes": "class_modes[extractor=mnist-cnn]",
        "precision": "image_precision[extractor=mnist-cnn,n=200]",
    },
)
DRAWS = 20
CHEAP = ("modes", "modes_any", "hq", "reverse_kl", "arc_coverage", "curve_distance")


def only(whole, columns):
    return replace(whole, columns={name: whole.columns[name] for name in columns})


def shipped(name):
    return all_bands()[canonical_json(Component.resolve(datasets, name).identity)]


@pytest.mark.parametrize("name", bands.SHIPPED_TARGETS)
@pytest.mark.parametrize("protocol_name", [p.name for p in POINTS])
def test_shipped_bands_fit_every_metric_as_it_is(name, protocol_name):
    scorer = Scorer(datasets.build(name), protocol(protocol_name))
    found = {band.name: band.identity for band in shipped(name) if band.identity.protocol == protocol_name}
    assert found == scorer.identities


@pytest.mark.parametrize("name", bands.SHIPPED_TARGETS)
def test_measuring_a_shipped_band_again_gives_nearly_the_same(name):
    dataset = datasets.build(name)
    again = bands.measure(dataset, Scorer(dataset, only(protocol("genbench1"), CHEAP)), bands.SHIPPED_DRAWS)
    for band in shipped(name):
        if band.identity.protocol == "genbench1" and band.name in CHEAP and band.state == "ok":
            fresh = again[band.name]
            assert (band.null_low, band.null_high) == pytest.approx((fresh.null_low, fresh.null_high), rel=1e-6)


def test_an_unknown_target_is_measured():
    component = Component.resolve(datasets, "ring[modes=5]")
    dataset = datasets.build("ring[modes=5]")
    found = bands.bands(component, dataset, Scorer(dataset, protocol("pacgan2018")))
    assert found["modes"].null_low == found["modes"].null_high == 5
    assert 0.98 < found["hq"].null_low < found["hq"].null_high < 0.995


def test_a_metric_that_never_applies_has_no_band():
    dataset = datasets.build("swissroll")
    found = bands.measure(dataset, Scorer(dataset, only(protocol("smoke"), ("modes",))), 2)
    assert found["modes"].null_low is None


@pytest.fixture(scope="module")
def of_images():
    return bands.measure(digits(), Scorer(digits(), OF_IMAGES), DRAWS)


def test_bands_of_finitely_many_images_have_a_width(of_images):
    """Though there are no fresh images, which are held out and which are the reference is drawn anew each time."""
    for name in ("fd", "precision"):
        assert of_images[name].null_low < of_images[name].null_high
    assert of_images["modes"].null_low <= of_images["modes"].null_high <= 10
    assert {band.value for band in of_images.values()} == {None}


def test_bands_hold_most_fresh_deals(of_images):
    found = []
    for seed in range(100, 100 + DRAWS):
        rng = seeding.stream(seed, "fresh deal")
        again = digits().dealt(rng)
        scores = Scorer(again, OF_IMAGES)(again.held_out.distinct(200, rng))
        found += [
            of_images[s.name].null_low <= s.value <= of_images[s.name].null_high for s in scores if s.name == "fd"
        ]
    assert sum(found) >= 0.7 * DRAWS


def test_bands_of_images_fit_scores_of_the_dataset_as_it_is(of_images):
    scorer = Scorer(digits(), OF_IMAGES)
    scores = scorer(digits().held_out.distinct(200, seeding.stream(0, "test")), of_images)
    assert all((score.null_low, score.null_high) != (None, None) for score in scores)


def test_bands_do_not_depend_on_the_training_images(of_images):
    whole = digits()
    blank = Images(whole.train.pixels, torch.zeros(5, dtype=torch.long), torch.zeros(5, dtype=torch.long))
    other = ImageSet(blank, whole.held_out, whole.reference, whole.classes)
    assert bands.measure(other, Scorer(other, OF_IMAGES), 3) == bands.measure(whole, Scorer(whole, OF_IMAGES), 3)


def test_deals_leave_nothing_on_disk(tmp_path, monkeypatch):
    """Forty deals of ten thousand images, seen through Inception, would be gigabytes."""
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    scorer = Scorer(digits(), OF_IMAGES)
    before = sorted(tmp_path.rglob("*"))
    bands.measure(digits(), scorer, 3)
    assert sorted(tmp_path.rglob("*")) == before
    assert before


def test_dealt_parts_share_nothing_and_lose_nothing():
    whole = digits()
    again = whole.dealt(seeding.stream(0, "test"))
    before = torch.cat([whole.held_out.index, whole.reference.index])
    after = torch.cat([again.held_out.index, again.reference.index])
    assert torch.equal(after.sort().values, before.sort().values)
    assert not torch.equal(again.held_out.index.sort().values, whole.held_out.index.sort().values)
    assert torch.equal(again.train.index, whole.train.index)
    labels = torch.empty(len(whole.train.pixels), dtype=torch.long)
    labels[before] = torch.cat([whole.held_out.labels, whole.reference.labels])
    assert torch.equal(labels[after], torch.cat([again.held_out.labels, again.reference.labels]))


def test_bands_of_stacks_are_measured_too():
    dataset = StackSet(digits())
    columns = {"fd": "fd[extractor=mnist-cnn,n=250]", "reverse_kl": "class_reverse_kl[extractor=mnist-cnn]"}
    found = bands.measure(dataset, Scorer(dataset, replace(OF_IMAGES, n=250, columns=columns)), 3)
    assert all(0 < band.null_low < band.null_high for band in found.values())


def test_images_that_are_too_few_have_no_band_and_say_why():
    found = bands.measure(digits(), Scorer(digits(), replace(OF_IMAGES, n=801)), 2)
    assert found["modes"].null_low is None
    assert found["modes"].reason == "needs 801 samples and got 800"


def test_the_more_samples_a_protocol_scores_the_fewer_draws_make_a_band():
    draws = [bands.dealt_draws(protocol(name)) for name in ("mnist-smoke", "mnist1", "stacked-mnist1")]
    assert draws == sorted(draws, reverse=True)
    assert draws[0] == bands.MEASURED_DRAWS
    assert draws[-1] == bands.FEWEST_DRAWS
