"""VEEGAN: Srivastava et al., 2017, arXiv:1705.07761."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Rate, Rule, Schedule, Width
from .recipes import VEEGAN, VEEGAN_NOTES

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("veegan", version=3, citation="arXiv:1705.07761", recipes=VEEGAN, notes=VEEGAN_NOTES)
def veegan(
    problem: api.Problem,
    *,
    reconstruction: Annotated[api.NonNegative, api.doc("the weight of ½‖z − F(G(z))‖²")] = 1.0,
    critic_steps: CriticSteps = 1,
    batch: Batch = 256,
    latent: Latent = 2,
    networks: Annotated[Literal["mlp", "veegan"], api.doc("veegan is as in the paper's code")] = "mlp",
    width: Width = 64,
    depth: Depth = 3,
    optimizer: Rule = "adam",
    lr: Rate = 8e-3,
    beta1: Beta1 = 0.0,
    beta2: Beta2 = 0.999,
    schedule: Schedule = "linear",
) -> api.Method:
    """VEEGAN: a reconstructor maps samples back to noise, and the generator answers for what it can't tell apart.

    Symbols as in the paper: G is `generator`, F is `reconstructor`, D is `discriminator`, the logit that a pair (z, x)
    was generated, z is `noise`. D tells (z, G(z)) from (F(x) + ε, x), ε normal as z is; G learns D(z, G(z)) +
    d(z, F(G(z))), and F learns d alone, d the negative log density of z about F(G(z)) up to a constant (algorithm 1).
    """
    import torch
    from torch.nn.functional import softplus

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real = batch.real.flatten(1)
        made = torch.cat([nets.generator(batch.noise).flatten(1), batch.noise], dim=1)
        mapped = torch.cat([real, nets.reconstructor(real) + batch.epsilon], dim=1)
        generated, other = api.together(nets.discriminator, made, mapped)
        return softplus(-generated).mean() + softplus(other).mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        """Both networks' loss: D's part doesn't depend on F."""
        made = nets.generator(batch.noise).flatten(1)
        missed = 0.5 * (batch.noise - nets.reconstructor(made)).square().sum(1).mean()
        return nets.discriminator(torch.cat([made, batch.noise], dim=1)).mean() + reconstruction * missed

    noise, size = api.Normal((latent,)), problem.size
    draws: dict[str, api.Draw] = {"real": api.Real(), "noise": noise, "epsilon": noise}
    adam = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "reconstructor": problem.generator(
                networks, latent=size, width=width, depth=depth, role="encoder", event=(latent,)
            ),
            "discriminator": problem.critic(networks, width=width, depth=depth, event=(size + latent,)),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, draws, critic_steps),
            api.Phase(("generator", "reconstructor"), generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "reconstructor": adam, "discriminator": adam},
        prior=noise,
        batch=batch,
        schedule=schedule,
    )
