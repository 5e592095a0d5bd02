"""A GAN with spectral normalisation (Miyato et al., 2018, arXiv:1802.05957) and batch normalisation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from genbench import api

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("spectral-gan", citation="arXiv:1802.05957")
def spectral_gan(
    problem: api.Problem,
    *,
    latent: api.Count = 2,
    width: api.Count = 64,
    batch: api.Count = 256,
    critic_steps: api.Count = 2,
    lr: api.Positive = 1e-3,
    beta1: api.Decay = 0.0,
) -> api.Method:
    """Hinge GAN whose critic is normalised by spectral norms and whose generator is by batches.

    Symbols as in the paper: D is `critic`, G is `generator`. The power iteration's vectors and the running means are
    buffers, which the engine keeps for each seed; samples are made with the running means.
    """
    from torch import nn
    from torch.nn.functional import relu
    from torch.nn.utils.parametrizations import spectral_norm

    features = math.prod(problem.event_shape)

    def generator() -> nn.Module:
        return nn.Sequential(
            nn.Linear(latent, width), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Linear(width, features), nn.Unflatten(1, problem.event_shape),
        )  # fmt: skip

    def critic() -> nn.Module:
        return nn.Sequential(
            nn.Flatten(),
            spectral_norm(nn.Linear(features, width)), nn.LeakyReLU(0.1),
            spectral_norm(nn.Linear(width, width)), nn.LeakyReLU(0.1),
            spectral_norm(nn.Linear(width, 1)),
        )  # fmt: skip

    def critic_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = api.together(nets.critic, batch.real, nets.generator(batch.noise))
        return relu(1 - real).mean() + relu(1 + fake).mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return -nets.critic(nets.generator(batch.noise)).mean()

    noise = api.Normal((latent,))
    adam = api.Optimizer("adam", lr, beta1, 0.9)
    return api.Method(
        networks={
            "generator": problem.initialised("generator", lambda rng: generator()),
            "critic": problem.initialised("critic", lambda rng: critic()),
        },
        phases=[
            api.Phase("critic", critic_loss, {"real": api.Real(), "noise": noise}, repeats=critic_steps),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "critic": adam},
        prior=noise,
        batch=batch,
        landscape="critic",
    )
