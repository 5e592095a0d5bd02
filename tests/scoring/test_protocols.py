"""Protocols: what their columns are called, what they stand for, and how they score along training."""

import re
from dataclasses import replace

import pytest
from made_up import forgetful_registries

from genbench import seeding
from genbench.contract.digits import digits
from genbench.datasets.stacked import StackSet
from genbench.errors import GenbenchError
from genbench.references import Reference
from genbench.registry import datasets, extractors, metrics, protocols
from genbench.scoring.protocols import Protocol
from genbench.scoring.protocols import protocol as protocol_named
from genbench.scoring.scorer import Scorer

PROTOCOLS = {entry.name: protocol_named(entry.name) for entry in protocols}
ALL = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
IMAGES = [name for name in PROTOCOLS if protocols[name].origin.endswith("images")]
OF_IMAGES = pytest.mark.parametrize("protocol", [PROTOCOLS[name] for name in IMAGES], ids=IMAGES)
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
            seen = f"{parameters['extractor']}-{extractors[parameters['extractor']].version}"
            assert re.fullmatch(rf"(fd|fd_inf|kd|is)\[{re.escape(seen)}\]", column)


@OF_IMAGES
def test_distances_compare_as_many_samples_as_the_protocol_has(protocol):
    found = {parameters["n"] for _, metric, parameters in resolved(protocol) if metric in OF_FEATURES}
    assert found == (set() if protocol.name.startswith("meg2019") else {protocol.n})


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
    size = {"mnist-cnn": 64, "fashion-cnn": 64, "celeba-cnn": 128, "efficientnet-lite0": 1280, "inception": 2048}
    channels = 3 if "stacked" in protocol.name else 1
    for shown, names in ((protocol, protocol.headline), (protocol.along(), protocol.curve)):
        for column, metric, parameters in resolved(shown):
            if column in names and metric == "fd":
                assert parameters["n"] > channels * size[parameters["extractor"]], column


def test_photographs_are_seen_as_imagenet_sees_them():
    column = "fd[efficientnet-lite0-1]"
    assert {name for name in IMAGES if column in PROTOCOLS[name].headline} == {
        "celeba1", "celeba1-small", "images1", "images1-small",
    }  # fmt: skip
    assert PROTOCOLS["images1"].deciding == ("fid", column)
    assert PROTOCOLS["celeba1"].deciding == ("fid", "fd[celeba-cnn-2]", column)


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("mnist-smoke", digits()),
        ("stacked-mnist-smoke", StackSet(digits())),
        ("meg2019-smoke", StackSet(digits())),
    ],
    ids=["one", "three", "meg"],
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


FINE = {"n": 100, "columns": {"hq": "hq", "w2": "w2[n=50]"}, "headline": ("hq",), "deciding": ("w2", "hq")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 0}, "n=0 is no number of samples. Give a whole one of at least 1."),
        ({"n": 2.5}, "n=2.5 is no number of samples"),
        ({"n": True}, "n=True is no number of samples"),
        ({"curve_n": 0}, "curve_n=0 is no number of samples"),
        ({"curve_n": 101}, "curve_n=101 is more than the 100 samples there are"),
        ({"columns": {"hq": "hqq"}}, "The column 'hq': No metric is named 'hqq'. Did you mean hq"),
        ({"columns": {"hq": "hq["}}, "The column 'hq': 'hq[' is not a reference"),
        ({"columns": {"hq": "hq[kk=3]"}}, "The column 'hq': No parameter of metric hq is named 'kk'. Did you mean k"),
        ({"columns": {"hq": "hq[k=0]"}}, "The column 'hq': metric hq: parameter k can't be 0"),
        ({"columns": {"fd": "fd"}}, "The column 'fd': metric fd: parameter extractor is missing"),
        ({"columns": {"w2": "w2"}}, "The column 'w2': w2 looks at 2000 samples and there are 100. Give n=…"),
        ({"headline": ("hp",)}, "No column in headline is named 'hp'. Did you mean hq"),
        ({"deciding": ("w3",)}, "No column in deciding is named 'w3'. Did you mean w2"),
        ({"curve": ("modes",)}, "No column in curve is named 'modes'. Known: hq, w2."),
        ({"curve": "hq"}, "curve='hq' is one text. Write curve=('hq',)."),
        ({"headline": ("hq", "hq")}, "headline names a column twice: hq, hq."),
    ],
)
def test_protocol_is_checked_where_it_is_made(changes, message):
    Protocol(**FINE)
    with pytest.raises(GenbenchError) as refused:
        Protocol(**FINE | changes)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_registered_protocol_is_named_by_its_registration():
    with forgetful_registries():

        @protocols.register("mine", version=3)
        def mine():
            """A protocol of one's own."""
            return Protocol(**FINE)

        found = protocol_named("mine")
        assert (found.name, found.version, found.source) == ("mine", 3, protocols["mine"].source)
        assert found.source["sha256"]
        assert protocol_named("mine") is found
        assert replace(found, name="", version=1, source={}) == Protocol(**FINE)
        along = replace(found, curve=("w2",), curve_n=20).along()
        assert (along.n, along.columns, along.deciding, along.headline) == (20, {"w2": "w2[n=20]"}, ("w2",), ())


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: None, "The protocol 'mine' gave None. Let it return an api.Protocol."),
        (lambda: Protocol(**FINE | {"columns": {"hq": "hqq"}}), "The protocol 'mine': The column 'hq': No metric"),
        (lambda: Protocol(n=5, columns={}, headline=(), deciding=()), "The protocol 'mine' has no columns."),
    ],
)
def test_protocol_that_is_none_is_refused_by_name(made, message):
    with forgetful_registries():
        protocols.register("mine")(made)
        with pytest.raises(GenbenchError, match=re.escape(message)):
            protocol_named("mine")


def test_protocol_takes_no_parameters():
    with pytest.raises(GenbenchError, match=r"The protocol 'mine': a protocol has no parameters\. Leave k out\."):

        @protocols.register("mine")
        def mine(*, k: int = 3):
            """A protocol with a parameter."""


def test_scores_under_another_source_of_a_protocol_have_another_identity():
    way = replace(PROTOCOLS["pacgan2018"], columns={"hq": "hq"}, headline=(), deciding=(), curve=())
    plain, edited = (
        Scorer(datasets.build("ring8"), replace(way, source=source)).blanks[0].identity
        for source in ({}, {"sha256": "ab"})
    )
    assert plain != edited
    assert (plain.source, edited.source, edited.protocol_source) == ({}, {}, {"sha256": "ab"})
