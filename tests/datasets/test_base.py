"""Datasets of one's own: what their classes lack is named, and what they leave out is done for them."""

import math

import pytest
import torch

from genbench import api, seeding
from genbench.datasets.base import check_dataset
from genbench.registry import controls, datasets
from genbench.scoring.protocols import protocol
from genbench.scoring.scorer import Scorer


class Blob(api.Target):
    """One Gaussian around a centre."""

    event_shape = (2,)

    def __init__(self, std=0.1):
        centre = torch.tensor([[1.0, -1.0]])
        self.modes = api.Modes(centre, std, torch.ones(1, dtype=torch.float64))
        self.layers = {"weights": [torch.ones(3)], "name": "blob"}

    def sample(self, n, rng):
        return self.modes.centres + self.modes.std * torch.randn(n, 2, generator=rng)

    def log_prob(self, x):
        squares = (x.double() - self.modes.centres.double()).square().sum(1)
        return -squares / (2 * self.modes.std**2) - 2 * math.log(self.modes.std * math.sqrt(2 * math.pi))


class Endless(api.Dataset):
    event_shape = (3,)

    def sample(self, n, rng):
        return torch.rand(n, 3, generator=rng)


def stream(seed=0):
    return seeding.stream(seed, "test")


@pytest.mark.parametrize(
    ("kind", "given", "lacking"),
    [
        (api.Dataset, {}, "Mine is an api.Dataset without sample: write what is missing"),
        (api.Target, {}, "Mine is an api.Target without log_prob, sample"),
        (api.Target, {"sample": lambda self, n, rng: None}, "Mine is an api.Target without log_prob"),
        (api.Finite, {}, "Mine is an api.Finite without dealt"),
    ],
)
def test_what_a_class_lacks_is_named(kind, given, lacking):
    with pytest.raises(api.GenbenchError, match=lacking):
        type("Mine", (kind,), given)()


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (object(), "mine gave <object.*which is none: let its class inherit from api.Dataset, from api.Target"),
        (None, "mine gave None, which is none"),
        (type("Mine", (Endless,), {"event_shape": 2})(), r"event_shape must be the shape of one sample.*not 2"),
        (type("Mine", (Endless,), {"event_shape": ()})(), r"event_shape must be the shape of one sample.*not \(\)"),
        (type("Mine", (Endless,), {"event_shape": (2.0,)})(), r"not \(2.0,\)"),
    ],
)
def test_what_is_no_dataset_is_refused(built, message):
    with pytest.raises(api.GenbenchError, match=message):
        check_dataset("mine", built)


def test_without_a_shape_it_is_refused():
    class Shapeless(api.Dataset):
        def sample(self, n, rng):
            return torch.rand(n, 3, generator=rng)

    with pytest.raises(api.GenbenchError, match=r"event_shape must be the shape of one sample.*not None"):
        check_dataset("mine", Shapeless())


@pytest.mark.parametrize("shape", [(1, 8, 9), (1, 64), (2, 4, 8), (1, -8, -8), (1.0, 8, 8), [1, 8, 8], 64], ids=str)
def test_images_that_its_samples_are_not_are_refused(shape):
    digits = datasets.build("flow-digits")
    assert check_dataset("mine", digits) is digits
    digits.image_shape = shape
    with pytest.raises(api.GenbenchError, match=r"image_shape must be \(channels, height, width\).*\(64,\)"):
        check_dataset("mine", digits)


def test_all_tensors_that_it_holds_move():
    moved = Blob().to("meta")
    assert moved.modes.centres.device.type == moved.modes.weights.device.type == "meta"
    assert moved.layers["weights"][0].device.type == "meta"
    assert moved.layers["name"] == "blob"
    assert Blob().modes.centres.device.type == "cpu"


def test_a_box_lies_around_modes_or_a_curve_and_is_asked_for_without():
    assert torch.equal(Blob().box.low, torch.tensor([1.0, -1.0]))
    bare = Blob()
    bare.modes = None
    with pytest.raises(api.GenbenchError, match="Blob has neither modes nor a curve: say its box"):
        _ = bare.box


def test_what_it_leaves_out_is_skipped_and_costs_nothing_else():
    """A target that says no more than it must is scored, and has the controls that need no more."""
    blob = Blob()
    assert check_dataset("blob", blob) is blob
    with pytest.raises(api.Skip, match="doesn't say how it is altered"):
        controls["half-dropped"].build(blob, 10, stream())
    with pytest.raises(api.Skip, match="no classes"):
        blob.labelled(3, stream())
    scores = {score.name: score for score in Scorer(blob, protocol("smoke"))(blob.sample(1_000, stream()))}
    assert scores["modes"].value == 1
    assert scores["hq"].value == pytest.approx(1 - math.exp(-4.5), abs=0.02)
    assert scores["arc_coverage"].state == "skipped"


def test_a_stream_meters_labelled_samples_as_well(printed):
    data = api.DataStream(datasets.build("printed"), stream())
    samples, labels = data.labelled(5)
    assert (len(samples), len(labels), data.drawn) == (5, 5, 5)
    data.next(2)
    assert data.drawn == 7
