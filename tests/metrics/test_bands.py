"""Null bands: shipped ones fit the present metrics, and say what fresh draws of the truth say."""

from dataclasses import replace

import pytest

from genbench.metrics import bands
from genbench.metrics.scoring import Scorer
from genbench.protocols import POINTS, protocol
from genbench.registry import datasets
from genbench.spec import Component, canonical_json

CHEAP = ("modes", "modes_any", "hq", "reverse_kl", "arc_coverage", "curve_distance")


def only(whole, columns):
    return replace(whole, columns={name: whole.columns[name] for name in columns})


def shipped(name):
    return bands._shipped()[canonical_json(Component.resolve(datasets, name).identity)]


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
