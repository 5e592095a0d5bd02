"""What only a real CUDA device can show: numbers that agree, graphs that replay, and a host that doesn't wait."""

from contextlib import contextmanager

import pytest
import torch

from genbench import seeding
from genbench.engine.training import Training
from genbench.registry import datasets, trainers
from genbench.scoring.protocols import protocol
from genbench.scoring.scorer import Scorer
from genbench.spec import Budget, Component, Trial
from genbench.trials import bench

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is at hand")

SEEDS = range(4)


@contextmanager
def never_waiting():
    """Within, whatever makes the host wait for its device raises."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def training(engine, device="cuda"):
    dataset, trainer = Component.resolve(datasets, "grid25"), Component.resolve(trainers, "wgan-gp[width=16,batch=32]")
    trials = [Trial(dataset=dataset, trainer=trainer, budget=Budget.parse("steps=400"), seed=s) for s in SEEDS]
    return Training(trials, datasets.build("grid25"), device, engine)


@pytest.mark.parametrize("measured", bench.agreement("cuda") if torch.cuda.is_available() else [], ids=lambda m: m.name)
def test_it_says_what_the_processor_says(measured):
    assert measured.met


def test_a_captured_step_never_makes_the_host_wait():
    ready = training("graph")
    assert ready.path.name == "graph"
    ready.run(0.5)
    with never_waiting():
        for _ in range(10):
            ready.stack.step(0.5)


def test_a_captured_step_is_an_eager_one():
    captured, eager = training("graph"), training("compiled")
    for ready in (captured, eager):
        ready.run(0.1)
    for replica in SEEDS:
        for name, own in captured.stack.weights(replica).items():
            torch.testing.assert_close(own, eager.stack.weights(replica)[name], rtol=1e-3, atol=1e-4)


def test_scoring_waits_once():
    data, way = datasets.build("grid25"), protocol("genbench1")
    judge = Scorer(data, way.only([name for name in way.columns if name != "w2"]), device="cuda")
    rng = seeding.stream(0, seeding.EVALUATION_NOISE)
    samples = torch.stack([data.sample(way.n, rng) for _ in SEEDS]).cuda()
    judge.begin(samples)()
    with never_waiting():
        begun = judge.begin(samples)
    assert len(begun()) == len(SEEDS)
