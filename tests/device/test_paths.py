"""Every way of training, sampling, averaging and looking back runs where the networks are.

Without a CUDA device torch can't differentiate on one, not even on a fake: it asks for its streams. So updates run on
`meta`, which is another device that isn't the host's; all else runs on a fake `cuda`.
"""

from pathlib import Path

import made_up
import pytest
import torch

from genbench import seeding
from genbench.contract.digits import digits
from genbench.datasets.images import stored
from genbench.engine import Numerics
from genbench.engine.average import Average
from genbench.engine.feed import Feed, Feeds
from genbench.engine.method import Method
from genbench.engine.paths import build
from genbench.engine.plain import Plain
from genbench.engine.problem import Problem
from genbench.engine.stack import Solo
from genbench.engine.stacked import Stacked
from genbench.plugins import load_plugin
from genbench.registry import datasets, trainers
from genbench.spec import Component
from genbench.trials.latents import for_pictures

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
PLACES = {"ring8": lambda: datasets.build("ring8"), "digits": digits}
SMALL = {"ring8": {"width": 8, "batch": 16}, "digits": {"width": 4, "batch": 8}}
BASELINES = [entry.name for entry in trainers if entry.build.__module__.startswith("genbench.")]

CASES = [(name, "ring8") for name in BASELINES]
CASES += [(name, "digits") for name in BASELINES if "small-images" in trainers[name].recipes or name in ("vae", "ddpm")]
"""Every trainer in the plane, and of images those that convolve and one of each other kind."""


def stack(reference, place, device, seeds=3, plain=False, numerics=None):
    """A stack of a trainer's replicas on a device, ready to train."""
    data = place.to(device)
    problems = [Problem(data.event_shape, seed, device, len(data.classes)) for seed in range(seeds)]
    methods = [build(Component.resolve(trainers, reference), problem) for problem in problems]
    assert all(isinstance(method, Method) for method in methods)
    feeds = Feeds([Feed(method, data, problem) for method, problem in zip(methods, problems, strict=True)])
    if plain:
        return Plain(methods[0], feeds, device, numerics or Numerics())
    return Stacked(methods, feeds, device)


def reference(name, place):
    """The trainer, small, of digits by the recipe for images that it has, if any."""
    convolves = place == "digits" and name in trainers and "small-images" in trainers[name].recipes
    own = SMALL[place] | ({"recipe": "small-images"} if convolves else {})
    own |= {"steps": 3} if "steps" in trainers[name].annotations else {}
    return f"{name}[{','.join(f'{key}={value}' for key, value in own.items())}]"


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "stacked"])
@pytest.mark.parametrize(("name", "place"), CASES)
def test_a_step_meets_no_tensor_of_the_host_and_waits_for_nothing(name, place, plain, device, travels):
    """What is captured as a graph may do neither: numbers for the host, and tensors from it, are no part of a step."""
    ready = stack(reference(name, place), PLACES[place](), "meta", seeds=1 if plain else 3, plain=plain)
    average = Average(ready, 0.9)
    ready.step(0.0)
    with travels() as seen:
        losses = ready.step(0.5)
        average.update()
    assert seen == []
    assert {loss.device.type for loss in losses.values()} == {"meta"}


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request):
    """A worked example's trainer, registered for one test."""
    with made_up.forgetful_registries():
        before = {entry.name for entry in trainers}
        load_plugin(str(request.param))
        (name,) = {entry.name for entry in trainers} - before
        yield name


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "stacked"])
def test_so_does_that_of_a_worked_example(example, plain, request, travels):
    place = PLACES["ring8"]()
    request.getfixturevalue("device")
    ready = stack(reference(example, "ring8"), place, "meta", seeds=1 if plain else 2, plain=plain)
    ready.step(0.0)
    with travels() as seen:
        losses = ready.step(0.5)
    assert seen == []
    assert {loss.device.type for loss in losses.values()} == {"meta"}


@pytest.mark.parametrize(("name", "place"), CASES)
def test_samples_averages_and_landscapes_are_made_on_the_device(name, place, request, travels):
    data = PLACES[place]()
    request.getfixturevalue("device")
    ready = stack(reference(name, place), data, "cuda")
    average = Average(ready, 0.9)
    rngs = [seeding.stream(seed, seeding.EVALUATION_NOISE, "cuda") for seed in range(3)]
    with travels() as seen:
        average.update()
        samples = stored(ready.sample(300, rngs), replicas=True)
        with average.in_place():
            ready.sample(10, rngs)
    assert seen == []
    assert (samples.device.type, tuple(samples.shape)) == ("cuda", (3, 300, *data.event_shape))
    assert samples.dtype == (torch.uint8 if place == "digits" else torch.float32)
    if place == "ring8" and ready.method.landscape:
        assert ready.landscape(torch.zeros(20, 2)).device.type == "cuda"


def test_portraits_come_to_the_host(request):
    """Ways through the latent space of a network that is on the device, and the training images nearest to samples."""
    images = PLACES["digits"]()
    request.getfixturevalue("device")
    ready = stack(reference("wgan-gp", "digits"), images, "cuda")
    pixels = torch.zeros(9, *images.event_shape, dtype=torch.uint8)
    pictured = for_pictures(ready, 0, images, pixels, seed=0)
    assert {tensor.device.type for tensor in pictured.values()} == {"cpu"}


class Alone:
    """A trainer of the wider contract, with its network where it is told to be."""

    updates_per_step = 1

    def __init__(self, device):
        self.network = torch.nn.Linear(2, 2).to(device)

    def step(self, data, progress):
        return {"loss": (self.network(data.next(4)) ** 2).mean()}

    def sample(self, n, rng):
        return self.network(torch.randn(n, 2, generator=rng, device=rng.device))


def test_a_trainer_of_its_own_is_fed_there(device):
    from genbench.datasets.base import DataStream

    data = PLACES["ring8"]().to("cuda")
    problem = Problem((2,), 0, "cuda")
    ready = Solo(Alone("cuda"), problem, DataStream(data, problem.stream(seeding.TRAINING_DATA)))
    assert ready.step(0.0)["loss"].device.type == "cuda"
    assert ready.sample(5, [seeding.stream(0, seeding.EVALUATION_NOISE, "cuda")]).device.type == "cuda"
