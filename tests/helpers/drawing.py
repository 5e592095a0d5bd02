"""A plugin of methods that draw where they need not: from the process's own random streams, each in its way."""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import nn

from genbench import api


def method(problem, generator=None, critic=None, jitter=lambda real: 0.0):
    """A small GAN of which a part may be another, and which adds something to its real samples."""
    noise = api.Normal((2,))

    def critic_loss(nets, batch):
        real, fake = nets.critic(batch.real + jitter(batch.real)), nets.critic(nets.generator(batch.noise))
        return nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean()

    def generator_loss(nets, batch):
        return nn.functional.softplus(-nets.critic(nets.generator(batch.noise))).mean()

    adam = api.Optimizer("adam", 1e-3)
    return api.Method(
        networks={
            "generator": generator or problem.generator("mlp", latent=2, width=8, depth=2),
            "critic": critic or problem.critic("mlp", width=8, depth=2),
        },
        phases=[
            api.Phase("critic", critic_loss, {"real": api.Real(), "noise": noise}),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "critic": adam},
        prior=noise,
        batch=16,
    )


@api.trainer("draws-in-a-loss")
def draws_in_a_loss(problem: api.Problem) -> api.Method:
    """Real samples are jittered by torch's global stream."""
    return method(problem, jitter=torch.randn_like)


@api.trainer("draws-by-numpy")
def draws_by_numpy(problem: api.Problem) -> api.Method:
    """Real samples are moved by NumPy's global stream."""
    return method(problem, jitter=lambda real: float(np.random.normal()))  # noqa: NPY002


@api.trainer("draws-by-python")
def draws_by_python(problem: api.Problem) -> api.Method:
    """Real samples are moved by Python's global stream."""
    return method(problem, jitter=lambda real: random.gauss(0, 1))


@api.trainer("drops-out")
def drops_out(problem: api.Problem) -> api.Method:
    """The critic has dropout."""
    return method(problem, critic=nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 1)))


@api.trainer("initialises-itself")
def initialises_itself(problem: api.Problem) -> api.Method:
    """Both networks are made without a word to the problem."""
    return method(problem, nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2)), nn.Linear(2, 1))


class Restless(nn.Module):
    """A generator that adds noise of its own wherever it is called."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, noise):
        return self.layer(noise) + 0.1 * torch.randn(len(noise), 2)


@api.trainer("draws-while-sampling")
def draws_while_sampling(problem: api.Problem) -> api.Method:
    """The generator draws, in training and in evaluation."""
    return method(problem, generator=Restless())


class Walk:
    """A trainer of the wider contract whose shift walks about, and which samples as it likes."""

    updates_per_step = 1

    def __init__(self):
        self.shift = torch.randn(2)

    def step(self, data, progress):
        self.shift = self.shift.lerp(data.next(4).mean(0), 0.1) + 0.1 * torch.randn(2) + random.random() * 0.1
        return {"generator": self.shift.sum()}

    def sample(self, n, rng):
        return self.shift + torch.randn(n, 2)

    def weights(self):
        return {"generator.shift": self.shift}

    def state_dict(self):
        return {"shift": self.shift}

    def load_state_dict(self, state):
        self.shift = state["shift"]


@api.trainer("walks")
def walks(problem: api.Problem) -> api.Trainer:
    """A trainer that is no list of phases."""
    return Walk()
