"""The GAN with a penalty around the data: Kodali et al., 2017, arXiv:1705.07215."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Nets, Rate, Rule, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("dragan", citation="arXiv:1705.07215")
def dragan(
    problem: api.Problem,
    *,
    penalty: Annotated[api.NonNegative, api.doc("λ, the weight of the gradient penalty")] = 0.1,
    spread: Annotated[
        api.Positive, api.doc("√c, the noise around real samples, in units of the batch's own std")
    ] = 0.5,
    critic_steps: CriticSteps = 1,
    batch: Batch = 256,
    latent: Latent = 2,
    networks: Nets = "mlp",
    width: Width = 64,
    depth: Depth = 3,
    optimizer: Rule = "adam",
    lr: Rate = 8e-3,
    beta1: Beta1 = 0.0,
    beta2: Beta2 = 0.999,
    schedule: Schedule = "linear",
) -> api.Method:
    """Non-saturating GAN with a gradient penalty in the neighbourhood of real samples.

    Symbols as in the paper: D is `discriminator`, which gives logits, G is `generator`, z is `noise`, λ is `penalty`, δ
    is `around`: D also learns λ · E(‖∇D(x + δ)‖ − 1)², δ ~ N(0, c). c is in units of the batch's variance, all numbers
    taken together, so that it suits data of any scale; that, and half a std, are as in the authors' code. Its λ is 10,
    and its δ is not normal: a point at random on the way from x to x + ½ std · U[0, 1), so it lies to one side.
    """
    from torch.nn.functional import softplus

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = api.together(nets.discriminator, batch.real, nets.generator(batch.noise))
        near = batch.real + spread * batch.real.std() * batch.around
        slope: Tensor = api.input_gradient(nets.discriminator, near).flatten(1).norm(2, dim=1)
        return softplus(-real).mean() + softplus(fake).mean() + penalty * (slope - 1).square().mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return softplus(-nets.discriminator(nets.generator(batch.noise))).mean()

    noise = api.Normal((latent,))
    draws: dict[str, api.Draw] = {"real": api.Real(), "noise": noise, "around": api.Normal(problem.event_shape)}
    adam = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "discriminator": problem.critic(networks, width=width, depth=depth),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, draws, critic_steps),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "discriminator": adam},
        prior=noise,
        batch=batch,
        schedule=schedule,
        landscape="discriminator",
    )
