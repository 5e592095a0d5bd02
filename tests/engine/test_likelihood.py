"""The likelihood that a method gives: of its networks in evaluation mode, alike on every path, a number a sample."""

import math

import pytest
import torch
from agreement import trained
from torch import nn

from genbench import api
from genbench.registry import datasets
from genbench.seeding import stream


class Affine(nn.Module):
    """x = Az + b, whose density is known: a flow of one layer."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.full((2,), 0.5))
        self.shift = nn.Parameter(torch.zeros(2))

    def forward(self, noise):
        return noise * self.scale.exp() + self.shift


def log_prob(nets, x):
    scale, shift = nets.generator(torch.ones_like(x)) - nets.generator(torch.zeros_like(x)), nets.generator(0 * x)
    return -0.5 * (((x - shift) / scale).square() + math.log(2 * math.pi)).sum(1) - scale.log().sum(1)


exact = log_prob


def drawing(nets, x):
    """A bound that draws: it differs from call to call but for the stream that it is given."""
    return log_prob(nets, x) - torch.rand(len(x), dtype=x.dtype)


def flow(problem, log_prob=log_prob, **more):
    """The method, trained on its own likelihood."""
    return api.Method(
        networks={"generator": problem.initialised("generator", lambda rng: Affine())},
        phases=[api.Phase("generator", lambda nets, batch: -exact(nets, batch.real).mean(), {"real": api.Real()})],
        optimizers={"generator": api.Optimizer("adam", 0.05)},
        prior=api.Normal((2,)),
        batch=64,
        log_prob=log_prob,
        **more,
    )


@pytest.fixture
def x():
    return datasets.build("ring8").sample(700, stream(0, "test"))


def test_it_is_of_the_trained_networks_on_every_path(assembled, eager, x):
    """A Gaussian that is fitted to the ring has the ring's own moments, and its density says so."""
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(1)
    for engine in ("plain", "compiled"):
        training = trained(assembled(flow, engine, seeds=(0,), budget="steps=300"))
        assert training.stack.log_prob(0, x) == pytest.approx(expected, abs=0.2)


def test_a_trainer_without_one_says_so(training):
    assert training("gan[width=8,batch=16]").stack.likelihood is None


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_what_it_draws_is_of_a_stream_of_the_trials_own(engine, assembled, eager, x):
    training = assembled(lambda problem: flow(problem, drawing, bound=1), engine)
    before = torch.get_rng_state()
    assert training.stack.likelihood.bound == 1
    one, two = training.stack.log_prob(0, x), training.stack.log_prob(0, x)
    assert torch.equal(one, two)
    assert torch.equal(before, torch.get_rng_state())
    assert not one.requires_grad


def test_anything_but_a_number_a_sample_is_refused(assembled, x):
    training = assembled(lambda problem: flow(problem, lambda nets, x: log_prob(nets, x)[:, None]))
    with pytest.raises(api.GenbenchError, match=r"one number a sample: \(700,\) of 700 samples, and not \(700, 1\)"):
        training.stack.log_prob(0, x)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"log_prob": 3}, "log_prob must be a function of networks and samples, not 3"),
        ({"log_prob": None, "bound": 5}, "bound must be how many draws log_prob takes"),
        ({"bound": 0}, "bound must be how many draws log_prob takes for each sample, not 0"),
    ],
)
def test_a_likelihood_that_cannot_be_is_refused(changes, message):
    with pytest.raises(api.GenbenchError, match=message):
        flow(api.Problem((2,), 0), **changes)
