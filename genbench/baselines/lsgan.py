"""The least-squares GAN: Mao et al., 2017, arXiv:1611.04076."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Nets, Rate, Rule, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("lsgan", citation="arXiv:1611.04076")
def lsgan(
    problem: api.Problem,
    *,
    coding: Annotated[Literal["binary", "pearson"], api.doc("(a, b, c): (0, 1, 1) or (−1, 1, 0)")] = "binary",
    critic_steps: CriticSteps = 1,
    batch: Batch = 256,
    latent: Latent = 2,
    networks: Nets = "mlp",
    width: Width = 64,
    depth: Depth = 3,
    optimizer: Rule = "adam",
    lr: Rate = 2e-3,
    beta1: Beta1 = 0.0,
    beta2: Beta2 = 0.999,
    schedule: Schedule = "linear",
) -> api.Method:
    """Least-squares GAN: the discriminator regresses on labels instead of classifying.

    Symbols as in the paper: D is `discriminator`, G is `generator`, z is `noise`. D learns ½(D(x) − b)² + ½(D(G(z)) −
    a)², G learns ½(D(G(z)) − c)². With `coding=pearson`, G minimises Pearson's χ² divergence (section 3.2.2);
    `binary` is equation 9. Networks, optimiser and rate are
    genbench's.
    """
    a, b, c = {"binary": (0.0, 1.0, 1.0), "pearson": (-1.0, 1.0, 0.0)}[coding]

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = api.together(nets.discriminator, batch.real, nets.generator(batch.noise))
        return 0.5 * (real - b).square().mean() + 0.5 * (fake - a).square().mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return 0.5 * (nets.discriminator(nets.generator(batch.noise)) - c).square().mean()

    noise = api.Normal((latent,))
    adam = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "discriminator": problem.critic(networks, width=width, depth=depth),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, {"real": api.Real(), "noise": noise}, critic_steps),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "discriminator": adam},
        prior=noise,
        batch=batch,
        schedule=schedule,
        landscape="discriminator",
    )
