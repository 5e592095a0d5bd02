"""The generative adversarial network: Goodfellow et al., 2014, arXiv:1406.2661."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Nets, Rate, Rule, Schedule, Width
from .recipes import GAN, GAN_NOTES

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("gan", citation="arXiv:1406.2661", recipes=GAN, notes=GAN_NOTES)
def gan(
    problem: api.Problem,
    *,
    loss: Annotated[Literal["non-saturating", "minimax"], api.doc("what the generator learns")] = "non-saturating",
    smoothing: Annotated[bool, api.doc("whether real labels are drawn uniformly from [.7, .9]")] = False,
    batch: Batch = 256,
    latent: Latent = 2,
    networks: Nets = "mlp",
    width: Width = 64,
    depth: Depth = 3,
    critic_steps: CriticSteps = 1,
    optimizer: Rule = "adam",
    lr: Rate = 2e-3,
    beta1: Beta1 = 0.0,
    beta2: Beta2 = 0.999,
    schedule: Schedule = "linear",
) -> api.Method:
    """Generative adversarial network, non-saturating or minimax.

    Symbols as in the paper: D is `discriminator`, which gives logits, G is `generator`, z is `noise`.
    D learns −ln σ(D(x)) − ln(1 − σ(D(G(z)))), and G −ln σ(D(G(z))), or ln(1 − σ(D(G(z)))) where it is minimax.
    `smoothing` makes real labels less than 1 and leaves fake ones at 0.
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
