"""Losses that look at what a network will be: its own optimiser's next updates, differentiated through."""

import copy

import pytest
import torch
from agreement import far_apart, trained
from torch import nn

from genbench import api

STEPS, RATE = 4, 1e-2
TORCHS = {
    "adam": lambda weights: torch.optim.Adam(weights, RATE, (0.5, 0.9), weight_decay=0.1),
    "adamw": lambda weights: torch.optim.AdamW(weights, RATE, (0.5, 0.9), weight_decay=0.1),
    "rmsprop": lambda weights: torch.optim.RMSprop(weights, RATE, alpha=0.9, weight_decay=0.1),
    "sgd": lambda weights: torch.optim.SGD(weights, RATE, momentum=0.5, weight_decay=0.1),
}
DECAYS = {
    "adam": {"beta1": 0.5, "beta2": 0.9},
    "adamw": {"beta1": 0.5, "beta2": 0.9},
    "rmsprop": {"beta2": 0.9},
    "sgd": {"beta1": 0.5},
}
pytestmark = pytest.mark.usefixtures("double")


def method(problem, optimizer="adam", ahead=3, seen=None, critic=None):
    """A critic that learns, and a generator that learns from what the critic will be; `seen` is told."""

    def loss(critic, nets, batch):
        return (critic(batch.real) - 1).square().mean() + critic(nets.generator(batch.noise)).square().mean()

    def looking(nets, batch):
        after = nets.ahead("critic", ahead, lambda copied: loss(copied, nets, batch))
        fake = nets.generator(batch.noise)
        if seen is not None:
            seen(nets, batch, after(fake.detach()))
        return (after(fake) - 1).square().mean()

    draws = {"real": api.Real(), "noise": api.Normal((2,))}
    spec = api.Optimizer(optimizer, RATE, **DECAYS[optimizer], weight_decay=0.1)
    return api.Method(
        networks={
            "generator": problem.initialised("generator", lambda rng: nn.Linear(2, 2)),
            "critic": problem.initialised("critic", lambda rng: critic() if critic else tanh()),
        },
        phases=[
            api.Phase("critic", lambda nets, batch: loss(nets.critic, nets, batch), draws),
            api.Phase("generator", looking, draws, looks_ahead="critic"),
        ],
        optimizers={"generator": api.Optimizer("sgd", 0.1, 0.0), "critic": spec},
        prior=api.Normal((2,)),
        batch=16,
    )


def tanh():
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))


def normalised():
    return nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))


def dying():
    """A network half of whose units are dead from the start: no gradient ever reaches their weights."""
    network = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        network[0].bias[:2] = -100.0
    return network


@pytest.mark.parametrize("name", TORCHS)
def test_it_is_what_torchs_optimiser_would_make_of_the_network(name, assembled):
    """Held against torch's optimiser on a copy of the network, from the same slots, after some updates."""
    checked = []

    def check(nets, batch, after):
        twin, fake = copy.deepcopy(nets.critic), nets.generator(batch.noise).detach()
        twin.requires_grad_(True)
        own = TORCHS[name](twin.parameters())
        held = training.stack._optimizers["critic"].state_dict()["state"]
        slots = {i: {slot: torch.as_tensor(x).clone() for slot, x in of.items()} for i, of in held.items()}
        own.load_state_dict({"state": slots, "param_groups": own.state_dict()["param_groups"]})
        for _ in range(3):
            own.zero_grad()
            ((twin(batch.real) - 1).square().mean() + twin(fake).square().mean()).backward()
            own.step()
        checked.append(float((twin(fake) - after).detach().abs().max()))

    armed = []
    training = assembled(lambda problem: method(problem, name, seen=lambda *told: armed and check(*told)))
    armed.append(True)
    trained(training, STEPS / 12)
    assert len(checked) == STEPS
    assert max(checked) < 1e-6


def vanishing():
    """A network of whose gradients some are so small that their squares are zero."""
    network = tanh()
    with torch.no_grad():
        network[2].weight[:, :2] = 1e-170
    return network


@pytest.mark.parametrize("name", TORCHS)
@pytest.mark.parametrize("critic", [tanh, normalised, dying, vanishing])
def test_all_paths_agree(name, critic, assembled, eager):
    def build(problem):
        return method(problem, name, critic=critic)

    plain, stacked = (trained(assembled(build, engine)) for engine in ("plain", "compiled"))
    assert not plain.diverged
    assert far_apart(stacked.stack.weights(0), plain.stack.weights(0)) < 1e-6


def test_generator_gradient_goes_through_the_updates(assembled):
    """Of the loss as a function of a weight: held against the slope between two close points, optimiser and all."""
    slopes = []

    def loss_of(shift, nets, batch):
        weights = {key: value.detach().clone() for key, value in nets.generator.named_parameters()}
        weights["weight"][0, 0] += shift

        def generator(noise):
            return torch.func.functional_call(nets.generator, weights, noise)

        def loss(critic):
            return (critic(batch.real) - 1).square().mean() + critic(generator(batch.noise)).square().mean()

        return float((nets.ahead("critic", 3, loss)(generator(batch.noise)) - 1).square().mean().detach())

    def seen(nets, batch, after):
        slopes.append((loss_of(1e-6, nets, batch) - loss_of(-1e-6, nets, batch)) / 2e-6)

    training = assembled(lambda problem: method(problem, "sgd", seen=seen))
    before = float(training.stack.weights(0)["generator.weight"][0, 0])
    slopes.clear()
    training.run(1 / 12)
    moved = before - float(training.stack.weights(0)["generator.weight"][0, 0])
    assert moved / 0.1 == pytest.approx(slopes[0], rel=1e-5)


def test_looking_ahead_changes_nothing_but_the_loss(assembled):
    """The critic, its slots and its running means are what they are without."""
    here, ahead = (
        trained(assembled(lambda problem, k=k: method(problem, critic=normalised, ahead=k)), 1 / 12) for k in (0, 5)
    )
    mine, theirs = (
        {key: value for key, value in training.stack.state(0).items() if "generator" not in key}
        for training in (here, ahead)
    )
    assert far_apart(mine, theirs) == 0
    assert not torch.equal(here.losses["generator"], ahead.losses["generator"])


def test_what_a_phase_does_not_look_ahead_of_is_refused(assembled):
    def build(problem):
        whole = method(problem)
        blind = [api.Phase(phase.networks, phase.loss, phase.draws) for phase in whole.phases]
        return api.Method(whole.networks, blind, whole.optimizers, whole.prior, whole.batch)

    with pytest.raises(api.GenbenchError, match=r"doesn't look ahead of 'critic': looks_ahead=\('critic',\)"):
        assembled(build).run(1.0)


@pytest.mark.parametrize(
    ("looks_ahead", "message"),
    [
        ("critc", "No network is named 'critc'.*A phase of this api.Method looks ahead"),
        (3, "looks_ahead must be names of networks"),
    ],
)
def test_looking_ahead_of_nothing_is_refused(looks_ahead, message):
    def build():
        net = nn.Linear(2, 2)
        phase = api.Phase("generator", lambda nets, batch: 0, {}, looks_ahead=looks_ahead)
        return api.Method({"generator": net}, [phase], {"generator": api.Optimizer("sgd", 1)}, api.Normal((2,)), 4)

    with pytest.raises(api.GenbenchError, match=message):
        build()
