"""A GAN as larger models are trained: AdamW, weight decay, a warm-up, and a rate of its own for each network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench import api

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("adamw-gan", citation="arXiv:1711.05101")
def adamw_gan(
    problem: api.Problem,
    *,
    latent: api.Count = 2,
    width: api.Count = 64,
    depth: api.Count = 3,
    batch: api.Count = 256,
    networks: api.PairName = "mlp",
    lr: api.Positive = 1e-3,
    ratio: api.Positive = 4.0,
    weight_decay: api.NonNegative = 1e-3,
    warmup: api.Count = 200,
    r1: api.NonNegative = 0.1,
    every: api.Count = 16,
) -> api.Method:
    """Non-saturating GAN with AdamW (arXiv:1711.05101) and two time scales (arXiv:1706.08500).

    The discriminator's rate is `ratio` times the generator's `lr`; both rise over `warmup` generator steps, and the
    generator's then falls on half a cosine. R1 (arXiv:1801.04406) is lazy (arXiv:1912.04958): its own phase has its
    turn in one of `every` steps, with its weight γ = `r1` as many times as large.
    """
    from torch.nn.functional import softplus

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = api.together(nets.discriminator, batch.real, nets.generator(batch.noise))
        return softplus(-real).mean() + softplus(fake).mean()

    def penalty(nets: api.Networks, batch: api.Batch) -> Tensor:
        slope = api.input_gradient(nets.discriminator, batch.real).flatten(1)
        return 0.5 * r1 * every * slope.square().sum(1).mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return softplus(-nets.discriminator(nets.generator(batch.noise))).mean()

    noise = api.Normal((latent,))
    slow = api.Optimizer("adamw", lr, 0.0, 0.99, weight_decay=weight_decay, warmup=warmup, schedule="cosine")
    fast = api.Optimizer("adamw", ratio * lr, 0.0, 0.99, weight_decay=weight_decay, warmup=warmup)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "discriminator": problem.critic(networks, width=width, depth=depth),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, {"real": api.Real(), "noise": noise}),
            api.Phase("discriminator", penalty, {"real": api.Real()}, every=every),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": slow, "discriminator": fast},
        prior=noise,
        batch=batch,
        landscape="discriminator",
    )
