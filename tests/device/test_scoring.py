"""A scoring pass waits for its device once, several replicas' samples go through together, and cores change no bits."""

from copy import copy, deepcopy

import numpy as np
import pytest
import torch
import torchmetrics
from torch._subclasses.fake_tensor import FakeTensor

from genbench import cores
from genbench.contract.digits import digits
from genbench.contract.metric_case import apart
from genbench.metrics.observed import ObservedMetric
from genbench.registry import datasets
from genbench.scoring.protocols import protocol
from genbench.scoring.scorer import Scorer

PLACES = {"ring8": "smoke", "swissroll": "smoke", "digits": "mnist-smoke"}
REPLICAS = 3


def judged(place, *, host=True):
    """A dataset's scorer, with or without the metric that needs the host, and samples of several replicas."""
    data = digits() if place == "digits" else datasets.build(place)
    way = protocol(PLACES[place])
    way = way if host else way.only([name for name in way.columns if name != "w2"])
    rngs = [torch.Generator().manual_seed(seed) for seed in range(REPLICAS)]
    samples = torch.stack([data.sample(way.n, rng) for rng in rngs])
    return Scorer(data, way, lasting=False), samples


def apart_from(scorer):
    """A copy of a scorer whose metrics may move."""
    other = copy(scorer)
    other._columns = [
        column if column.metric is None else column._replace(metric=apart(column.metric)) for column in scorer._columns
    ]
    return other


def moved(scorer):
    """The same scorer with its metrics on the device."""
    scorer.device = torch.device("cuda")
    for column in scorer._columns:
        if column.metric is not None:
            column.metric.to("cuda")
    return scorer


@pytest.mark.parametrize("place", PLACES)
def test_all_numbers_leave_the_device_at_once(place, request, travels, monkeypatch):
    scorer, samples = judged(place, host=False)
    own = apart_from(scorer)
    request.getfixturevalue("device")
    there = moved(own)
    brought = []

    def tolist(tensor):
        brought.append(tensor.shape)
        return [1.0] * len(tensor)

    monkeypatch.setattr(FakeTensor, "tolist", tolist)
    on_device = samples.to("cuda")
    there.begin(on_device)  # networks follow their first images
    with travels() as seen:
        begun = there.begin(on_device)
        assert brought == []
        scores = begun()
    assert seen == []
    assert len(brought) == 1
    applied = [column for column in scorer.blanks if column.reason is None]
    assert brought[0] == (REPLICAS * len(applied),)
    assert all({score.state for score in of} <= {"ok", "skipped"} for of in scores)


@pytest.mark.parametrize("place", PLACES)
def test_replicas_together_score_as_each_alone(place):
    scorer, samples = judged(place)
    alone = [scorer(each) for each in samples]
    for own, other in zip(alone, scorer.begin(samples)(), strict=True):
        for one, same in zip(own, other, strict=True):
            assert same.model_copy(update={"value": None}) == one.model_copy(update={"value": None})
            assert (same.value is None) == (one.value is None)
            assert (same.value or 0.0) == pytest.approx(one.value or 0.0, rel=1e-12)


def test_what_one_replica_leaves_undefined_is_not_the_others():
    scorer, samples = judged("ring8")
    samples[1] += 50
    scores = [{score.name: score for score in of} for of in scorer.begin(samples)()]
    assert [of["std_ratio"].state for of in scores] == ["ok", "undefined", "ok"]
    assert scores[1]["std_ratio"].reason == "no captured mode holds two samples"
    assert scores[1]["offset"].reason == "no mode is captured"
    assert scores[1]["reverse_kl"].state == "ok"


@pytest.mark.parametrize("place", PLACES)
def test_more_cores_change_no_bits(place):
    scorer, samples = judged(place)
    alone = scorer.begin(samples)()
    with cores.spared(3):
        assert scorer.begin(samples)() == alone


def of_one(metric):
    """A scorer of points by one metric that a test made."""
    data = datasets.build("ring8")
    way = protocol("smoke").only(["modes"])
    scorer = Scorer(data, way)
    scorer._columns = [column._replace(metric=metric) for column in scorer._columns]
    return scorer, data.sample(1_000, torch.Generator().manual_seed(0))


class Plain(torchmetrics.Metric):
    """A stranger's metric, which gives whatever it is told to."""

    def __init__(self, gives):
        super().__init__()
        self.gives = gives

    def update(self, samples):
        pass

    def compute(self):
        return self.gives


@pytest.mark.parametrize("gives", [4, 4.0, np.float32(4), np.array(4.0), torch.tensor(4), torch.tensor([4.0])[0]])
def test_any_number_is_a_value(gives):
    scorer, samples = of_one(Plain(gives))
    (score,) = scorer(samples)
    assert (score.state, score.value) == ("ok", 4.0)


def test_what_is_no_number_is_an_error():
    scorer, samples = of_one(Plain(None))
    with pytest.raises(TypeError):
        scorer(samples)


def test_what_needs_the_host_is_given_what_lies_there(request):
    """Its constants stay on the host too, and its features are extracted where the samples are."""
    places = []

    def function(observed, reference):
        places.append((observed.samples.device.type, reference.device.type))
        return 1.0

    metric = ObservedMetric(function, on_host=True, reference=torch.ones(3))
    scorer, samples = of_one(metric)
    request.getfixturevalue("device")
    scorer.device = torch.device("cuda")
    begun = scorer.begin(samples.to("cuda")[None])
    assert places == [("cpu", "cpu")]
    assert begun()[0][0].value == 1.0


def test_numbers_of_host_and_device_leave_the_device_at_once(request, monkeypatch):
    """W2's, which are there already, don't drag the others along one by one."""
    host = ObservedMetric(lambda observed: 2.0, on_host=True)
    there = ObservedMetric(lambda observed: observed.samples.mean())
    scorer, samples = of_one(host)
    (column,) = scorer._columns
    scorer._columns = [
        column._replace(blank=column.blank.model_copy(update={"name": name}), metric=metric)
        for name, metric in (("host", host), ("a", there), ("b", there))
    ]
    request.getfixturevalue("device")
    scorer.device = torch.device("cuda")
    brought = []
    monkeypatch.setattr(FakeTensor, "tolist", lambda tensor: brought.append(tuple(tensor.shape)) or [1.0] * len(tensor))
    scores = scorer.begin(samples.to("cuda")[None].repeat(2, 1, 1))()
    assert brought == [(4,)]
    assert [[score.value for score in of] for of in scores] == [[2.0, 1.0, 1.0]] * 2


def test_reference_samples_are_the_same_for_every_device(request):
    """They are drawn on the host, whatever device judges."""
    scorer, _ = judged("ring8")
    reference = deepcopy(scorer._truth.reference(100))
    assert torch.equal(reference, Scorer(datasets.build("ring8"), protocol("smoke"))._truth.reference(100))
