"""R1 regularisation: Mescheder, Geiger and Nowozin, 2018, arXiv:1801.04406."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Nets, Rate, Rule, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("r1", citation="arXiv:1801.04406")
def r1(
    problem: api.Problem,
    *,
    penalty: Annotated[api.NonNegative, api.doc("γ, twice the weight of the squared slope at real samples")] = 0.1,
    every: Annotated[api.Count, api.doc("generator steps from one penalty to the next")] = 1,
    critic_steps: CriticSteps = 1,
    batch: Batch = 256,
    latent: Latent = 2,
    networks: Nets = "mlp",
    width: Width = 64,
    depth: Depth = 3,
    optimizer: Rule = "adam",
    lr: Rate = 4e-3,
    beta1: Beta1 = 0.0,
    beta2: Beta2 = 0.999,
    schedule: Schedule = "linear",
) -> api.Method:
    """Non-saturating GAN whose discriminator is to be flat at real samples.

    Symbols as in the paper: D is `discriminator`, which gives logits, G is `generator`, z is `noise`, γ is `penalty`: D
    also learns γ/2 · E‖∇D(x)‖² at real x (equation 9). With `every` above 1 it is lazy (arXiv:1912.04958, appendix B):
    the penalty, times D's updates until the next one, is an update of its own each so many steps. There Adam's rate and
    decays are scaled for that, here they stay. The paper's γ is 10.
    """
    from torch.nn.functional import softplus

    def slope(nets: api.Networks, batch: api.Batch) -> Tensor:
        gradient = api.input_gradient(nets.discriminator, batch.real)
        return 0.5 * penalty * (every * critic_steps if every > 1 else 1) * gradient.flatten(1).square().sum(1).mean()

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = api.together(nets.discriminator, batch.real, nets.generator(batch.noise))
        loss = softplus(-real).mean() + softplus(fake).mean()
        return loss + slope(nets, batch) if every == 1 else loss

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return softplus(-nets.discriminator(nets.generator(batch.noise))).mean()

    lazy = [api.Phase("discriminator", slope, {"real": api.Real()}, every=every)] if every > 1 else []

    noise = api.Normal((latent,))
    adam = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "discriminator": problem.critic(networks, width=width, depth=depth),
        },
        phases=[
            *lazy,
            api.Phase("discriminator", discriminator_loss, {"real": api.Real(), "noise": noise}, critic_steps),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "discriminator": adam},
        prior=noise,
        batch=batch,
        schedule=schedule,
        landscape="discriminator",
    )
