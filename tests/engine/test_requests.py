"""What each trainer asks the engine for, written down by hand: a twin of its losses takes these over from it."""

import pytest
from torch import nn

from genbench.api import Normal, Real, Uniform
from genbench.engine.problem import Problem
from genbench.registry import trainers

GIVEN = {
    "latent": 5, "critic_steps": 3, "lr": 0.003, "beta1": 0.3, "beta2": 0.8, "batch": 12, "slower": 0.5,
    "width": 8, "pack": 2, "steps": 4, "schedule": "cosine",
}  # fmt: skip
LATENT, POINT, TIME = Normal((5,)), Normal((2,)), Uniform(0.0, 1.0, (1,))
SEEN = {"real": Real(), "noise": LATENT}

ADVERSARIAL = [("discriminator", 3, SEEN), ("generator", 1, {"noise": LATENT})]
OF_A_CRITIC = [("critic", 3, SEEN), ("generator", 1, {"noise": LATENT})]
INFERRED = {**SEEN, "epsilon": LATENT}
"""What an encoder or a reconstructor adds noise to."""

PHASES = {
    "gan": ADVERSARIAL,
    "wgan": OF_A_CRITIC,
    "wgan-gp": [("critic", 3, {**SEEN, "mix": TIME}), OF_A_CRITIC[1]],
    "lsgan": ADVERSARIAL,
    "hinge": OF_A_CRITIC,
    "sngan": OF_A_CRITIC,
    "r1": ADVERSARIAL,
    "rpgan": [ADVERSARIAL[0], ("generator", 1, SEEN)],
    "dragan": [("discriminator", 3, {**SEEN, "around": POINT}), ADVERSARIAL[1]],
    "pacgan": ADVERSARIAL,
    "unrolled": [ADVERSARIAL[0], ("generator", 1, SEEN)],
    "veegan": [("discriminator", 3, INFERRED), ("generator+reconstructor", 1, {"noise": LATENT})],
    "ali": [("discriminator", 3, INFERRED), ("generator+encoder", 1, INFERRED)],
    "vae": [("generator+encoder", 1, {"real": Real(), "epsilon": LATENT})],
    "realnvp": [("flow", 1, {"real": Real()})],
    "nsf": [("flow", 1, {"real": Real()})],
    "ddpm": [("denoiser", 1, {"real": Real(), "epsilon": POINT, "time": TIME})],
    "flow-matching": [("velocity", 1, {"real": Real(), "noise": POINT, "time": TIME})],
}
SLOWER = {"unrolled": "discriminator"}
"""Whose rate is `slower` times the others'."""


@pytest.fixture(params=[entry.name for entry in trainers if entry.is_own])
def name(request):
    return request.param


@pytest.fixture
def method(name):
    own = {key: value for key, value in GIVEN.items() if key in trainers[name].annotations}
    if name == "wgan":
        del own["beta1"]  # RMSProp has none
    return trainers.build(f"{name}[{','.join(f'{key}={value}' for key, value in own.items())}]", Problem((2,), 0))


def test_who_learns_from_what_and_how_often(name, method):
    found = [("+".join(phase.networks), phase.repeats, dict(phase.draws)) for phase in method.phases]
    assert found == PHASES[name]
    assert {phase.every for phase in method.phases} == {1}


def test_rates_and_decays_reach_every_network(name, method):
    assert set(method.optimizers) == set(method.networks)
    for network, optimizer in method.optimizers.items():
        assert optimizer.name == ("rmsprop" if name == "wgan" else "adam")
        assert optimizer.lr == (0.0015 if SLOWER.get(name) == network else 0.003)
        decays = ("beta1" in trainers[name].annotations, "beta2" in trainers[name].annotations)
        assert optimizer.beta1 == (0.0 if name == "wgan" else 0.3 if decays[0] else 0.9)
        assert optimizer.beta2 == (0.8 if decays[1] else 0.999)


def test_batch_and_schedule_are_those_given(name, method):
    assert method.batch == 12 * (2 if name == "pacgan" else 1)
    assert method.schedule == "cosine"


def test_wgan_alone_clips_and_sngan_alone_normalises(name, method):
    assert [phase.after is not None for phase in method.phases] == [
        name == "wgan" and p.repeats == 3 for p in method.phases
    ]
    for role, network in method.networks.items():
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
        normalised = {nn.utils.parametrize.is_parametrized(layer, "weight") for layer in layers}
        assert normalised == {(name, role) == ("sngan", "critic")}


def test_a_lazy_penalty_has_its_turn_every_so_many_steps():
    lazy, *others = trainers.build("r1[every=4,critic_steps=3]", Problem((2,), 0)).phases
    assert (lazy.networks, lazy.repeats, lazy.every, dict(lazy.draws)) == (("discriminator",), 1, 4, {"real": Real()})
    assert [(phase.repeats, phase.every) for phase in others] == [(3, 1), (1, 1)]
