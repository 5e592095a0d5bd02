"""The GAN with spectral normalisation: Miyato et al., 2018, arXiv:1802.05957."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Nets, Rate, Rule, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("sngan", citation="arXiv:1802.05957")
def sngan(
    problem: api.Problem,
    *,
    critic_steps: CriticSteps = 2,
    batch: Batch = 256,
    latent: Latent = 2,
    networks: Nets = "mlp",
    width: Width = 64,
    depth: Depth = 3,
    optimizer: Rule = "adam",
    lr: Rate = 4e-3,
    beta1: Beta1 = 0.0,
    beta2: Beta2 = 0.9,
    schedule: Schedule = "linear",
) -> api.Method:
    """GAN with the hinge loss and a spectrally normalised critic.

    Symbols as in the paper: D is `critic`, G is `generator`, z is `noise`. Each of D's weights is divided by its
    largest singular value, which a step of the power iteration at each pass follows, so that D's slope is about 1 at
    most; batch normalisation, where the networks have it, stays. D learns max(0, 1 − D(x)) + max(0, 1 + D(G(z))), G
    learns −D(G(z)) (equations 16 and 17). Networks, optimiser and rate are genbench's.
    """
    from torch.nn.functional import relu

    def critic_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = api.together(nets.critic, batch.real, nets.generator(batch.noise))
        return relu(1 - real).mean() + relu(1 + fake).mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return -nets.critic(nets.generator(batch.noise)).mean()

    noise = api.Normal((latent,))
    adam = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "critic": problem.critic(networks, width=width, depth=depth, spectral=True),
        },
        phases=[
            api.Phase("critic", critic_loss, {"real": api.Real(), "noise": noise}, critic_steps),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "critic": adam},
        prior=noise,
        batch=batch,
        schedule=schedule,
        landscape="critic",
    )
