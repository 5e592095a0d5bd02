"""DCGAN's networks: a critic step of WGAN-GP against the eager loop of the public codes, and drawing its batch; and a
whole step of a GAN with batch normalisation, compiled against plain.

Rounds of both alternate, so that a busy machine slows both: what counts is `reference_ratio`.
"""

from dataclasses import replace

import pytest
import torch
from reference.loops import EagerLoop
from rounds import compare, timed

from genbench import networks
from genbench.datasets.images import Images, ImageSet
from genbench.engine import Numerics
from genbench.engine.feed import Feed, Feeds
from genbench.engine.plain import Plain
from genbench.engine.problem import Problem
from genbench.engine.training import Training
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial

SIZES = {"small": ((1, 32, 32), "recipe=small-images", 64), "seed2020": ((3, 64, 64), "recipe=seed2020", 16)}
"""Image shapes, recipes, and batches that a processor gets through within seconds."""

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
FASTEST = {"cpu": "compiled", "cuda": "graph"}


def dataset(event, device):
    pixels = torch.randint(256, (2_000, *event), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    part = Images(pixels, torch.arange(len(pixels)))
    return ImageSet(part, part, part).to(device)


def engine(reference, data, device, numerics):
    """The trainer with its critic's phase alone, one update a step."""
    problem = Problem(data.event_shape, 0, device)
    method = trainers.build(reference, problem)
    method = replace(method, phases=[replace(method.phases[0], repeats=1)])
    return Plain(method, Feeds([Feed(method, data, problem)]), device, numerics)


@pytest.mark.parametrize("layout", ["channels first", "channels last"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("device", DEVICES)
def test_critic_step(benchmark, size, device, layout):
    event, recipe, batch = SIZES[size]
    batch = batch if device == "cpu" else trainers["wgan-gp"].resolve({"recipe": recipe.partition("=")[2]})["batch"]
    parameters = trainers["wgan-gp"].resolve({"recipe": recipe.partition("=")[2], "batch": batch})
    data, rng = dataset(event, device), torch.Generator().manual_seed(0)
    pair = networks.pair(parameters["networks"])
    width, depth = parameters["width"], parameters["depth"]
    nets = pair.generator(parameters["latent"], event, width, depth, rng), pair.critic(event, width, depth, rng)
    loop = EagerLoop("wgan-gp", parameters, device, data, nets)
    own = engine(f"wgan-gp[{recipe},batch={batch}]", data, device, Numerics(channels_last=layout == "channels last"))
    compare(benchmark, lambda: own.step(0.0), loop.critic_step, device, 1)
    drawing = timed(lambda: data.sample(batch, loop.rng), device)
    benchmark.group = f"wgan-gp critic step, DCGAN {size}, {device}"
    benchmark.extra_info.update(
        trainer="wgan-gp",
        phase="critic",
        size=size,
        batch=batch,
        layout=layout,
        device=device,
        drawing_share=drawing / benchmark.extra_info["seconds"],
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("device", DEVICES)
def test_step_with_batch_normalisation(benchmark, size, device):
    """A generator step of one seed, both phases; the reference is the plain path."""
    event, recipe, batch = SIZES[size]
    trial = Trial(
        dataset=Component.resolve(datasets, "ring8"),  # which names the trial alone: it trains on noise for images
        trainer=Component.resolve(trainers, f"gan[{recipe},batch={batch}]"),
        budget=Budget(kind="steps", amount=1_000_000),
        seed=0,
    )
    data = dataset(event, device)
    plain, other = (Training([trial], data, device, engine).stack for engine in ("plain", FASTEST[device]))
    compare(benchmark, lambda: other.step(0.0), lambda: plain.step(0.0), device, 1)
    benchmark.group = f"gan step with batch normalisation, DCGAN {size}, {device}"
    benchmark.extra_info.update(
        trainer="gan", phase="step", size=size, batch=batch, engine=FASTEST[device], device=device
    )
