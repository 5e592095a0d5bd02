"""The generative adversarial network: Goodfellow et al., 2014, arXiv:1406.2661.

Recipes: `pacgan2018` is the toy set-up of arXiv:1712.04086; `seed2020` (images) and `seed2020-toys` are those of the
write-up that genbench grew from; `small-images` trains on a processor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from genbench import api

if TYPE_CHECKING:
    from torch import Tensor

RECIPES = {
    "pacgan2018": {
        "loss": "non-saturating", "smoothing": False, "critic_steps": 1,
        "batch": 100, "latent": 2, "networks": "pacgan2018", "width": 200, "depth": 3,
        "optimizer": "adam", "lr": 1e-4, "beta1": 0.8, "beta2": 0.999, "schedule": "constant",
    },
    "seed2020-toys": {
        "loss": "non-saturating", "smoothing": True, "critic_steps": 1,
        "batch": 256, "latent": 2, "networks": "mlp", "width": 512, "depth": 3,
        "optimizer": "adam", "lr": 2e-4, "beta1": 0.5, "beta2": 0.999, "schedule": "constant",
    },
    "small-images": {
        "batch": 64, "latent": 10, "networks": "dcgan", "width": 16, "depth": 3, "lr": 1e-3, "beta1": 0.5,
    },
}  # fmt: skip
RECIPES["seed2020"] = RECIPES["seed2020-toys"] | {
    "batch": 128, "latent": 10, "networks": "dcgan", "width": 128, "depth": 4,
}  # fmt: skip


@api.trainer("gan", citation="arXiv:1406.2661", recipes=RECIPES)
def gan(
    problem: api.Problem,
    *,
    loss: Literal["non-saturating", "minimax"] = "non-saturating",
    smoothing: bool = False,
    batch: api.Count = 256,
    latent: api.Count = 2,
    networks: api.PairName = "mlp",
    width: api.Count = 64,
    depth: api.Count = 3,
    critic_steps: api.Count = 1,
    optimizer: api.OptimizerName = "adam",
    lr: api.Positive = 2e-3,
    beta1: api.Decay = 0.0,
    beta2: api.Decay = 0.999,
    schedule: api.ScheduleName = "linear",
) -> api.Method:
    """Generative adversarial network, non-saturating or minimax.

    Symbols as in the paper: D is `discriminator`, which gives logits, G is `generator`, z is `noise`.
    `smoothing` draws the real label uniformly from [.7, .9] and leaves the fake one at 0.
    """
    from torch.nn.functional import softplus

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = api.together(nets.discriminator, batch.real, nets.generator(batch.noise))
        truth = batch.label * softplus(-real) + (1 - batch.label) * softplus(real) if smoothing else softplus(-real)
        return truth.mean() + softplus(fake).mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        fake = nets.discriminator(nets.generator(batch.noise))
        return softplus(-fake).mean() if loss == "non-saturating" else -softplus(fake).mean()

    noise = api.Normal((latent,))
    draws: dict[str, api.Draw] = {"real": api.Real(), "noise": noise}
    if smoothing:
        draws["label"] = api.Uniform(0.7, 0.9)
    adam = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "discriminator": problem.critic(networks, width=width, depth=depth),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, draws, repeats=critic_steps),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "discriminator": adam},
        prior=noise,
        batch=batch,
        schedule=schedule,
        landscape="discriminator",
    )
