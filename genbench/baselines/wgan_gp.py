"""The Wasserstein GAN with gradient penalty: Gulrajani et al., 2017, arXiv:1704.00028."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench import api

from .recipes import WGAN_GP, WGAN_GP_NOTES

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("wgan-gp", citation="arXiv:1704.00028", recipes=WGAN_GP, notes=WGAN_GP_NOTES)
def wgan_gp(
    problem: api.Problem,
    *,
    penalty: api.NonNegative = 0.1,
    critic_steps: api.Count = 2,
    batch: api.Count = 256,
    latent: api.Count = 2,
    networks: api.PairName = "mlp",
    width: api.Count = 64,
    depth: api.Count = 3,
    optimizer: api.OptimizerName = "adam",
    lr: api.Positive = 4e-3,
    beta1: api.Decay = 0.0,
    beta2: api.Decay = 0.9,
    schedule: api.ScheduleName = "linear",
) -> api.Method:
    """Wasserstein GAN with gradient penalty.

    Symbols as in the paper: D is `critic`, G is `generator`, z is `noise`, x̂ is `between`, ε is `mix`, λ is
    `penalty`. With `schedule=linear` the learning rate falls on a line that reaches 5 % after 95 % of the budget and
    stays there; `cosine` is half a cosine, rescaled to end at 5 %.
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
