"""The generative adversarial network: Goodfellow et al., 2014, arXiv:1406.2661."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from genbench import api

from .recipes import GAN, GAN_NOTES

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("gan", citation="arXiv:1406.2661", recipes=GAN, notes=GAN_NOTES)
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
    `smoothing` draws the real label uniformly from [.7, .9] and leaves the fake one at 0. With `schedule=linear` the
    learning rate falls on a line that reaches 5 % after 95 % of the budget and stays there; `cosine` is half a cosine,
    rescaled to end at 5 %.
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
