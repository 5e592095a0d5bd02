"""The unrolled GAN: Metz, Poole, Pfau and Sohl-Dickstein, 2017, arXiv:1611.02163."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Nets, Rate, Rule, Schedule, Width
from .recipes import UNROLLED, UNROLLED_NOTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@api.trainer("unrolled", version=3, citation="arXiv:1611.02163", recipes=UNROLLED, notes=UNROLLED_NOTES)
def unrolled(
    problem: api.Problem,
    *,
    steps: Annotated[int, Ge(1), Le(10), api.doc("K, the discriminator's updates that the generator looks ahead")] = 5,
    critic_steps: CriticSteps = 1,
    batch: Batch = 256,
    latent: Latent = 2,
    networks: Nets = "mlp",
    width: Width = 64,
    depth: Depth = 3,
    optimizer: Rule = "adam",
    lr: Rate = 1e-3,
    slower: Annotated[api.Share, api.doc("the discriminator's rate, as a share of the generator's")] = 1.0,
    beta1: Beta1 = 0.5,
    beta2: Beta2 = 0.999,
    schedule: Schedule = "linear",
) -> api.Method:
    """Minimax GAN whose generator learns from what the discriminator is going to be.

    Symbols as in the paper: D is `discriminator`, which gives logits, G is `generator`, z is `noise`, K is `steps`. G
    descends f_K, the game's value after K updates of D by D's own optimiser, all on one batch, and its gradient goes
    through them (equations 7 to 10): D's answer moves what it says of real samples too.
    """
    from torch.nn.functional import softplus

    def loss(discriminator: Callable[..., Tensor], real: Tensor, fake: Tensor) -> Tensor:
        of_real, of_fake = api.together(discriminator, real, fake)
        return softplus(-of_real).mean() + softplus(of_fake).mean()

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return loss(nets.discriminator, batch.real, nets.generator(batch.noise))

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        fake = nets.generator(batch.noise)
        ahead = nets.ahead("discriminator", steps, lambda copy: loss(copy, batch.real, fake))
        return -loss(ahead, batch.real, fake)

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
            api.Phase("generator", generator_loss, draws, looks_ahead=("discriminator",)),
        ],
        optimizers={"generator": adam, "discriminator": api.Optimizer(optimizer, slower * lr, beta1, beta2)},
        prior=noise,
        batch=batch,
        schedule=schedule,
        landscape="discriminator",
    )
