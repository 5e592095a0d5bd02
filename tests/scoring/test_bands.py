"""Null bands: shipped ones fit the present metrics, and say what fresh draws of the truth say."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import forgetful_registries
from scipy.stats import betabinom, norm

from genbench import seeding
from genbench.contract.digits import digits
from genbench.datasets.stacked import StackSet
from genbench.registry import controls, datasets, extractors
from genbench.scoring import bands
from genbench.scoring.protocols import Protocol, protocol
from genbench.scoring.scorer import Scorer
from genbench.scoring.shipped import all_bands
from genbench.spec import Component, canonical_json

OF_IMAGES = Protocol(
    n=200,
    headline=(),
    deciding=(),
    columns={
        "fd": "fd[extractor=mnist-cnn,n=200]",
        "modes": "class_modes[extractor=mnist-cnn]",
        "precision": "image_precision[extractor=mnist-cnn,n=200]",
    },
)
SLOW_WAY = {
    "fd": "fd[extractor=mnist-cnn,n=300]",
    "modes": "class_modes[extractor=mnist-cnn]",
    "precision": "image_precision[extractor=mnist-cnn,n=200]",
    "confidence": "confidence[extractor=mnist-cnn]",
}
DRAWS, FRESH, FRESH_DEALS = 40, 200, 40
COUNTS = ("modes", "class_modes", "arc_coverage", "hq", "precision", "recall", "coverage")
JUMPS = (*COUNTS, "confident", "image_hq", "image_precision", "image_recall", "image_coverage")
"""Metrics that count: many draws share a value, and where it is an end of the band it may hold more than it must."""

CHEAP = ("modes", "modes_any", "hq", "reverse_kl", "arc_coverage", "curve_distance")


def shipped(name):
    return all_bands()[canonical_json(Component.resolve(datasets, name).identity)]


@pytest.mark.parametrize("name", bands.SHIPPED_TARGETS)
@pytest.mark.parametrize("protocol_name", bands.OF_POINTS)
def test_shipped_bands_fit_every_metric_as_it_is(name, protocol_name):
    scorer = Scorer(datasets.build(name), protocol(protocol_name))
    found = {band.name: band.identity for band in shipped(name) if band.identity.protocol == protocol_name}
    assert found == scorer.identities


@pytest.mark.parametrize("name", [*bands.SHIPPED_TARGETS, *bands.SHIPPED_OWN])
def test_shipped_bands_hold_95_percent_of_other_draws(name):
    """Within 1.5 % where thousands were drawn, elsewhere as far as so few draws can tell."""
    for band in shipped(name):
        if band.null_low is None:
            continue
        where, draws = f"{band.identity.protocol} {band.name}", bands.shipped_draws(band, name)
        assert band.null_draws == draws.band, where
        assert draws.check >= (100 if name in bands.SHIPPED_OWN else 2_000), where
        low, high = likely(draws)
        assert band.null_coverage >= low, where
        assert band.null_coverage <= high or band.identity.metric in JUMPS, where


def likely(draws):
    """Between which shares of the draws that check a band all but one in a thousand lie.

    A band between the places p(m + 1) of m draws holds a share that is distributed as a beta variable, so the draws
    inside it are beta-binomial; a normal approximation is wrong for the hundred that check images.
    """
    if draws.check >= 2_000:
        return bands.MASS - 0.015, bands.MASS + 0.015
    inside = betabinom(draws.check, bands.MASS * (draws.band + 1), (1 - bands.MASS) * (draws.band + 1))
    return inside.ppf(0.0005) / draws.check, inside.ppf(0.9995) / draws.check


@pytest.mark.parametrize("name", bands.SHIPPED_TARGETS)
def test_shipped_bands_hold_draws_that_nobody_drew_before(name):
    dataset = datasets.build(name)
    judge = Scorer(dataset, protocol("genbench1").only(CHEAP))
    found = {band.name: band for band in shipped(name) if band.identity.protocol == "genbench1"}
    draws = [judge(dataset.sample(10_000, seeding.stream(seed, "a third role"))) for seed in range(FRESH)]
    for column in zip(*draws, strict=True):
        band = found[column[0].name]
        if band.null_low is not None:
            inside = sum(band.null_low <= score.value <= band.null_high for score in column)
            assert inside >= (0.95 - 4 * math.sqrt(0.95 * 0.05 / FRESH)) * FRESH, band.name


@pytest.mark.slow
@pytest.mark.parametrize("name", bands.SHIPPED_TARGETS)
def test_measuring_a_shipped_band_again_gives_nearly_the_same(name):
    dataset = datasets.build(name)
    judge = Scorer(dataset, protocol("genbench1").only(CHEAP))
    again = bands.measure(dataset, judge, bands.SHIPPED_DRAWS.band)
    again = bands.checked(dataset, judge, again, bands.SHIPPED_DRAWS.check)
    for band in shipped(name):
        if band.identity.protocol == "genbench1" and band.name in CHEAP and band.state == "ok":
            fresh = again[band.name]
            assert (band.null_low, band.null_high) == pytest.approx((fresh.null_low, fresh.null_high), rel=1e-6)
            assert band.null_coverage == pytest.approx(fresh.null_coverage, abs=2 / bands.SHIPPED_DRAWS.check)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=99), st.floats(0.5, 2))
@settings(derandomize=True, deadline=None)
def test_the_ends_of_a_band_stand_at_the_places_of_m_plus_1(values, scale):
    """Of m draws in order, at 0.025(m + 1) and 0.975(m + 1), or the first and the last."""
    way = protocol("pacgan2018").only(("hq",))
    blank = Scorer(datasets.build("ring8"), way)(torch.zeros(0, 2))[0]
    found = bands._band([blank.model_copy(update={"value": value * scale}) for value in values])
    ordered = sorted(value * scale for value in values)
    for share, end in ((0.025, found.null_low), (0.975, found.null_high)):
        place = min(max(share * (len(values) + 1), 1), len(values))
        low, high = ordered[math.floor(place) - 1], ordered[math.ceil(place) - 1]
        assert end == pytest.approx(low + (place % 1) * (high - low), abs=1e-9)


def test_a_band_of_so_few_draws_holds_95_percent_on_average():
    """Interpolated at p(m − 1) + 1, as is usual, 40 draws would hold 91 %."""
    rng = np.random.default_rng(0)
    blank = Scorer(datasets.build("ring8"), protocol("pacgan2018").only(("hq",)))(torch.zeros(0, 2))[0]
    held = []
    for _ in range(300):
        found = bands._band([blank.model_copy(update={"value": value}) for value in rng.normal(size=40)])
        held.append(norm.cdf(found.null_high) - norm.cdf(found.null_low))
    assert np.mean(held) == pytest.approx(0.95, abs=4 * np.std(held) / math.sqrt(300))


def test_coverage_is_the_share_of_draws_from_another_stream():
    dataset = datasets.build("ring8")
    judge = Scorer(dataset, protocol("smoke").only(("hq", "modes", "arc_coverage")))
    found = bands.checked(dataset, judge, bands.measure(dataset, judge, 20), 40)
    drawn = [judge(dataset.sample(1_000, seeding.stream(seed, seeding.NULL_CHECK))) for seed in range(40)]
    values = [{score.name: score.value for score in scores}["hq"] for scores in drawn]
    band = found["hq"]
    assert band.null_coverage == sum(band.null_low <= value <= band.null_high for value in values) / 40
    assert (band.null_draws, found["modes"].null_coverage) == (20, 1)
    assert found["arc_coverage"].null_coverage is None


def test_an_unknown_target_is_measured():
    component = Component.resolve(datasets, "ring[modes=5]")
    dataset = datasets.build("ring[modes=5]")
    found = bands.bands(component, dataset, Scorer(dataset, protocol("pacgan2018")))
    assert found["modes"].null_low == found["modes"].null_high == 5
    assert 0.98 < found["hq"].null_low < found["hq"].null_high < 0.995


def test_a_metric_that_never_applies_has_no_band():
    dataset = datasets.build("swissroll")
    found = bands.measure(dataset, Scorer(dataset, protocol("smoke").only(("modes",))), 2)
    assert found["modes"].null_low is None


@pytest.fixture(scope="module")
def of_images():
    return bands.measure(digits(), Scorer(digits(), OF_IMAGES), DRAWS)


def test_costly_extractors_look_at_no_draws_of_a_band():
    looks = []

    def dear():
        return lambda images: looks.append(len(images)) or images[:, 0, :2, 0]

    with forgetful_registries():
        extractors.register("dear", costly=True)(dear)
        way = Protocol(
            n=200,
            columns={"fd": "fd[extractor=dear,n=200]", "confidence": "confidence[extractor=mnist-cnn]"},
            headline=(),
            deciding=(),
        )
        other = Component.resolve(datasets, "ring8")  # which has bands of points alone
        scorer = Scorer(digits(), way)
        looks.clear()  # it has seen the reference
        assert bands.bands(other, digits(), scorer).keys() == {"confidence"}
        assert not looks


def test_bands_of_finitely_many_images_have_a_width(of_images):
    """Though there are no fresh images, which are held out and which are the reference is drawn anew each time."""
    for name in ("fd", "precision"):
        assert of_images[name].null_low < of_images[name].null_high
    assert of_images["modes"].null_low <= of_images["modes"].null_high <= 10
    assert {band.value for band in of_images.values()} == {None}


def oracle_draws(dataset, way, draws, role="fresh deal"):
    """As controls are drawn: the dataset dealt anew, and what is held out of it then."""
    for seed in range(draws):
        rng = seeding.stream(seed, role)
        again = dataset.dealt(rng)
        yield again, controls["oracle"].build(again, way.n, rng)


def test_about_95_percent_of_oracle_draws_lie_in_the_band(of_images):
    """The band is made of the comparison that is made: other deals against the one reference."""
    judge, inside = Scorer(digits(), OF_IMAGES), Counter()
    for again, samples in oracle_draws(digits(), OF_IMAGES, FRESH_DEALS):
        for score in judge.dealt(again)(samples):
            band = of_images[score.name]
            inside[score.name] += band.null_low <= score.value <= band.null_high
    for name, count in inside.items():
        assert count >= 0.8 * FRESH_DEALS, name


@pytest.mark.parametrize("dataset", [digits(), StackSet(digits())], ids=["digits", "stacks"])
def test_dealt_scores_are_those_of_the_slow_way(dataset):
    """Looked at once and found again by their pixels, images score as if all were looked at anew."""
    way = replace(OF_IMAGES, n=300, columns=SLOW_WAY)
    judge = Scorer(dataset, way)
    for again, samples in oracle_draws(dataset, way, 3):
        plain = Scorer(again, way, lasting=False)(samples)
        for ours, theirs in zip(judge.dealt(again)(samples), plain, strict=True):
            assert ours == theirs.model_copy(update={"value": pytest.approx(theirs.value, rel=1e-6, abs=1e-9)})


def test_a_dealt_scorer_looks_for_copies_of_the_training_set_as_it_was_dealt():
    way = replace(OF_IMAGES, columns={"train_distance": "train_distance[n=100]"})
    judge = Scorer(digits(), way)
    ((again, samples),) = oracle_draws(digits(), way, 1)
    assert judge(samples)[0].value < 0.6 * judge.dealt(again)(samples)[0].value
    (copies,) = judge.dealt(again)(again.train.distinct(200, seeding.stream(0, "test")))
    assert copies.value == 0


def test_bands_of_images_fit_scores_of_the_dataset_as_it_is(of_images):
    scorer = Scorer(digits(), OF_IMAGES)
    scores = scorer(digits().held_out.distinct(200, seeding.stream(0, "test")), of_images)
    assert all((score.null_low, score.null_high) != (None, None) for score in scores)


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
    before = torch.cat([whole.held_out.index, whole.train.index])
    after = torch.cat([again.held_out.index, again.train.index])
    assert torch.equal(after.sort().values, before.sort().values)
    assert not torch.equal(again.held_out.index.sort().values, whole.held_out.index.sort().values)
    assert again.reference is whole.reference
    labels = torch.empty(len(whole.train.pixels), dtype=torch.long)
    labels[before] = torch.cat([whole.held_out.labels, whole.train.labels])
    assert torch.equal(labels[after], torch.cat([again.held_out.labels, again.train.labels]))


def test_bands_of_stacks_are_measured_too():
    dataset = StackSet(digits())
    columns = {"fd": "fd[extractor=mnist-cnn,n=250]", "reverse_kl": "class_reverse_kl[extractor=mnist-cnn]"}
    found = bands.measure(dataset, Scorer(dataset, replace(OF_IMAGES, n=250, columns=columns)), 3)
    assert all(0 < band.null_low < band.null_high for band in found.values())


def test_images_that_are_too_few_have_no_band_and_say_why():
    found = bands.measure(digits(), Scorer(digits(), replace(OF_IMAGES, n=801)), 2)
    assert found["modes"].null_low is None
    assert found["modes"].reason == "needs 801 samples and got 800"
