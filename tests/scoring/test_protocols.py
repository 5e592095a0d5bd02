"""Protocols: what their columns are called, what they stand for, and how they score along training."""

import re

import pytest
from made_up_images import digits

from genbench import seeding
from genbench.datasets.stacked import StackSet
from genbench.features import VERSIONS
from genbench.registry import Reference, metrics
from genbench.scoring.protocols import IMAGES, PROTOCOLS
from genbench.scoring.scorer import Scorer

ALL = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
OF_IMAGES = pytest.mark.parametrize("protocol", IMAGES, ids=[protocol.name for protocol in IMAGES])
OF_FEATURES = {"fd", "fd_infinity", "kd", "class_score"}
LITERATURE = {"fid": "fd", "fid_inf": "fd_infinity", "kid": "kd", "is": "class_score"}


def resolved(protocol):
    """Each column's metric and all of its parameters."""
    for column, reference in protocol.columns.items():
        parsed = Reference.parse(reference)
        yield column, parsed.name, metrics[parsed.name].resolve(parsed.parameters)


@ALL
def test_columns_resolve_and_ask_for_no_more_samples_than_there_are(protocol):
    for _, _, parameters in resolved(protocol):
        assert parameters.get("n", protocol.n) <= protocol.n
        assert parameters.get("size", 0) <= parameters.get("n", protocol.n)


@ALL
def test_headline_and_curve_are_columns_that_stand_once(protocol):
    for names in (protocol.headline, protocol.curve):
        assert set(names) <= protocol.columns.keys()
        assert len(set(names)) == len(names)
    assert protocol.headline


@OF_IMAGES
def test_only_inceptions_have_the_literatures_names(protocol):
    for column, metric, parameters in resolved(protocol):
        if metric in OF_FEATURES:
            assert (column in LITERATURE) == (parameters["extractor"] == "inception")
        if column in LITERATURE:
            assert LITERATURE[column] == metric


@OF_IMAGES
def test_other_distances_carry_their_extractors_version(protocol):
    for column, metric, parameters in resolved(protocol):
        if metric in OF_FEATURES and parameters["extractor"] != "inception":
            assert re.fullmatch(rf"(fd|fd_inf|kd|is)\[{re.escape(VERSIONS[parameters['extractor']])}\]", column)


@OF_IMAGES
def test_distances_compare_as_many_samples_as_the_protocol_has(protocol):
    assert {parameters["n"] for _, metric, parameters in resolved(protocol) if metric in OF_FEATURES} == {protocol.n}


@ALL
def test_along_training_the_curves_metrics_look_at_a_part_of_the_samples(protocol):
    along = protocol.along()
    most = protocol.curve_n or protocol.n
    assert along.n == most <= protocol.n
    assert tuple(along.columns) == protocol.curve
    whole = {column: (metric, parameters) for column, metric, parameters in resolved(protocol)}
    for column, metric, parameters in resolved(along):
        expected = dict(whole[column][1])
        if "n" in expected:
            expected["n"] = min(expected["n"], most)
        assert (metric, parameters) == (whole[column][0], expected)


@OF_IMAGES
def test_what_is_always_shown_can_be_measured(protocol):
    """A covariance of d features needs more than d samples."""
    size = {"mnist-cnn": 64, "celeba-cnn": 128, "inception": 2048}
    channels = 3 if "stacked" in protocol.name else 1
    for shown, names in ((protocol, protocol.headline), (protocol.along(), protocol.curve)):
        for column, metric, parameters in resolved(shown):
            if column in names and metric == "fd":
                assert parameters["n"] > channels * size[parameters["extractor"]], column


@pytest.mark.parametrize(
    ("name", "dataset"), [("mnist-smoke", digits()), ("stacked-mnist-smoke", StackSet(digits()))], ids=["one", "three"]
)
def test_smoke_protocol_scores_few_samples(name, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    monkeypatch.delenv("GENBENCH_INCEPTION", raising=False)
    samples = dataset.held_out.distinct(500, seeding.stream(0, "test"))
    for protocol in (PROTOCOLS[name], PROTOCOLS[name].along()):
        scores = {score.name: score for score in Scorer(dataset, protocol)(samples)}
        for column, score in scores.items():
            assert score.state == ("skipped" if column in LITERATURE else "ok"), (column, score.reason)
            assert column not in LITERATURE or "inception" in score.reason
    assert scores.keys() == set(PROTOCOLS[name].curve)


def test_smoke_protocol_of_faces_scores_few_samples(tmp_path, monkeypatch):
    """Printed digits in three colours are no faces, but can be looked at."""
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    dataset = digits(3)
    scores = Scorer(dataset, PROTOCOLS["celeba-smoke"])(dataset.held_out.distinct(300, seeding.stream(0, "test")))
    assert {score.name for score in scores if score.state == "skipped"} <= LITERATURE.keys()
