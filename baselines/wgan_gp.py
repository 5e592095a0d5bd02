"""The Wasserstein GAN with gradient penalty: Gulrajani et al., 2017, arXiv:1704.00028.

Recipes: `gulrajani2017` is the toy set-up of the paper's code; `seed2020` (images) and `seed2020-toys` are those of the
write-up that genbench grew from; `small-images` trains on a processor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench import api

if TYPE_CHECKING:
    from torch import Tensor

RECIPES = {
    "gulrajani2017": {
        "penalty": 0.1, "critic_steps": 5, "batch": 256, "latent": 2, "networks": "mlp", "width": 512, "depth": 3,
        "optimizer": "adam", "lr": 1e-4, "beta1": 0.5, "beta2": 0.9, "schedule": "constant",
    },
    "small-images": {
        "penalty": 1.0, "batch": 64, "latent": 10, "networks": "dcgan-gp", "width": 16, "depth": 3, "lr": 2e-3,
    },
}  # fmt: skip
RECIPES["seed2020-toys"] = RECIPES["gulrajani2017"] | {"lr": 2e-4, "beta2": 0.999}
RECIPES["seed2020"] = RECIPES["seed2020-toys"] | {
    "penalty": 10.0, "batch": 128, "latent": 10, "networks": "dcgan-gp", "width": 128, "depth": 4,
}  # fmt: skip


@api.trainer("wgan-gp", citation="arXiv:1704.00028", recipes=RECIPES)
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
    `penalty`.
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
