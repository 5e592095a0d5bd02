"""Packing: Lin et al., 2018, arXiv:1712.04086."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from genbench import api

from .parameters import Beta1, Beta2, CriticSteps, Depth, Latent, Nets, Rate, Rule, Schedule, Width
from .recipes import PACGAN, PACGAN_NOTES

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("pacgan", citation="arXiv:1712.04086", recipes=PACGAN, notes=PACGAN_NOTES)
def pacgan(
    problem: api.Problem,
    *,
    pack: Annotated[int, Ge(2), Le(10), api.doc("m, the samples that the discriminator sees at once")] = 2,
    critic_steps: CriticSteps = 1,
    batch: Annotated[api.Count, api.doc("packs in a batch, each of m samples")] = 256,
    latent: Latent = 2,
    networks: Nets = "mlp",
    width: Width = 64,
    depth: Depth = 3,
    optimizer: Rule = "adam",
    lr: Rate = 4e-3,
    beta1: Beta1 = 0.5,
    beta2: Beta2 = 0.999,
    schedule: Schedule = "linear",
) -> api.Method:
    """Non-saturating GAN whose discriminator judges several samples at once, all real or all fake.

    Symbols as in the paper: D is `discriminator`, which gives logits for `pack` samples side by side, G is `generator`,
    z is `noise`, m is `pack`. A batch holds so many packs, as in the authors' code, so a step sees `pack` times as many
    samples as one of `gan`.
    """
    from torch.nn.functional import softplus

    def packed(x: Tensor) -> Tensor:
        return x.reshape(-1, pack * x.shape[1], *x.shape[2:])

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = api.together(nets.discriminator, packed(batch.real), packed(nets.generator(batch.noise)))
        return softplus(-real).mean() + softplus(fake).mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return softplus(-nets.discriminator(packed(nets.generator(batch.noise)))).mean()

    noise = api.Normal((latent,))
    adam = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "discriminator": problem.critic(networks, width=width, depth=depth, pack=pack),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, {"real": api.Real(), "noise": noise}, critic_steps),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "discriminator": adam},
        prior=noise,
        batch=pack * batch,
        schedule=schedule,
    )
