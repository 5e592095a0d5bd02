"""The relativistic GAN with two gradient penalties: Huang et al., 2024, arXiv:2501.05441."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Nets, Rate, Rule, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("rpgan", citation="arXiv:2501.05441")
def rpgan(
    problem: api.Problem,
    *,
    relativistic: Annotated[bool, api.doc("whether D compares a fake with a real sample, or judges each")] = True,
    r1: Annotated[api.NonNegative, api.doc("γ of the squared slope at real samples; 0 leaves it out")] = 0.1,
    r2: Annotated[api.NonNegative, api.doc("γ of the squared slope at fake samples; 0 leaves it out")] = 0.1,
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
    """Relativistic pairing GAN with R1 and R2, the losses of R3GAN, each part to be switched off.

    Symbols as in the paper: D is `discriminator`, G is `generator`, z is `noise`, γ is `r1` and `r2`. D learns
    softplus(D(G(z)) − D(x)), one fake for one real sample, and G the reverse (equation 2); without `relativistic` they
    learn what those of the non-saturating GAN do. D also learns γ/2 · E‖∇D‖² at real samples (R1) and at fakes (R2).
    The paper's networks for images are none of it.
    """
    from torch.nn.functional import softplus

    def slope(nets: api.Networks, x: Tensor) -> Tensor:
        return api.input_gradient(nets.discriminator, x).flatten(1).square().sum(1).mean()

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        fakes = nets.generator(batch.noise)
        real, fake = api.together(nets.discriminator, batch.real, fakes)
        loss = softplus(fake - real).mean() if relativistic else softplus(-real).mean() + softplus(fake).mean()
        at_real = 0.5 * r1 * slope(nets, batch.real) if r1 else 0.0
        at_fake = 0.5 * r2 * slope(nets, fakes) if r2 else 0.0
        return loss + at_real + at_fake

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        fakes = nets.generator(batch.noise)
        if not relativistic:
            return softplus(-nets.discriminator(fakes)).mean()
        real, fake = api.together(nets.discriminator, batch.real, fakes)
        return softplus(real - fake).mean()

    noise = api.Normal((latent,))
    draws: dict[str, api.Draw] = {"real": api.Real(), "noise": noise}
    adam = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "discriminator": problem.critic(networks, width=width, depth=depth),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, draws, critic_steps),
            api.Phase("generator", generator_loss, draws if relativistic else {"noise": noise}),
        ],
        optimizers={"generator": adam, "discriminator": adam},
        prior=noise,
        batch=batch,
        schedule=schedule,
        landscape="discriminator",
    )
