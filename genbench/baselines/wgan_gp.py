"""The Wasserstein GAN with gradient penalty: Gulrajani et al., 2017, arXiv:1704.00028."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Nets, Rate, Rule, Schedule, Width
from .recipes import WGAN_GP, WGAN_GP_NOTES

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("wgan-gp", citation="arXiv:1704.00028", recipes=WGAN_GP, notes=WGAN_GP_NOTES)
def wgan_gp(
    problem: api.Problem,
    *,
    penalty: Annotated[api.NonNegative, api.doc("λ, the weight of the gradient penalty")] = 0.1,
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
    """Wasserstein GAN with gradient penalty.

    Symbols as in the paper: D is `critic`, G is `generator`, z is `noise`, x̂ is `between`, ε is `mix`, λ is
    `penalty`. D learns D(G(z)) − D(x) + λ(‖∇D(x̂)‖ − 1)², with x̂ = εx + (1 − ε)G(z), and G learns −D(G(z)).
    The paper's λ is 10, and its D learns five times as often as G.
    """

    def critic_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        fake = nets.generator(batch.noise)
        between = fake.lerp(batch.real, batch.mix)
        slope: Tensor = api.input_gradient(nets.critic, between).flatten(1).norm(2, dim=1)
        fakes, reals = api.together(nets.critic, fake, batch.real)
        return fakes.mean() - reals.mean() + penalty * (slope - 1).square().mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return -nets.critic(nets.generator(batch.noise)).mean()

    noise, mix = api.Normal((latent,)), api.Uniform(shape=problem.number_shape)
    adam = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "critic": problem.critic(networks, width=width, depth=depth),
        },
        phases=[
            api.Phase("critic", critic_loss, {"real": api.Real(), "noise": noise, "mix": mix}, critic_steps),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "critic": adam},
        prior=noise,
        batch=batch,
        schedule=schedule,
        landscape="critic",
    )
