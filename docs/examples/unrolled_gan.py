"""The unrolled GAN: Metz, Poole, Pfau and Sohl-Dickstein, 2017, arXiv:1611.02163."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench import api

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@api.trainer("unrolled-gan", citation="arXiv:1611.02163")
def unrolled_gan(
    problem: api.Problem,
    *,
    unroll: api.Count = 5,
    latent: api.Count = 2,
    width: api.Count = 64,
    depth: api.Count = 3,
    batch: api.Count = 256,
    lr: api.Positive = 1e-3,
    beta1: api.Decay = 0.5,
    networks: api.PairName = "mlp",
) -> api.Method:
    """Unrolled GAN: the generator learns from what the discriminator will be, `unroll` of its updates ahead.

    Symbols as in the paper: D is `discriminator`, G is `generator`, k is `unroll`, z is `noise`. The updates ahead are
    made by the discriminator's own optimiser, on one batch, and the generator's gradient goes through them.
    """
    from torch.nn.functional import softplus

    def loss(discriminator: Callable[..., Tensor], generator: Callable[..., Tensor], batch: api.Batch) -> Tensor:
        real, fake = api.together(discriminator, batch.real, generator(batch.noise))
        return softplus(-real).mean() + softplus(fake).mean()

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return loss(nets.discriminator, nets.generator, batch)

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        ahead = nets.ahead("discriminator", unroll, lambda copy: loss(copy, nets.generator, batch))
        return softplus(-ahead(nets.generator(batch.noise))).mean()

    noise = api.Normal((latent,))
    draws = {"real": api.Real(), "noise": noise}
    adam = api.Optimizer("adam", lr, beta1)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "discriminator": problem.critic(networks, width=width, depth=depth),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, draws),
            api.Phase("generator", generator_loss, draws, looks_ahead=("discriminator",)),
        ],
        optimizers={"generator": adam, "discriminator": adam},
        prior=noise,
        batch=batch,
        landscape="discriminator",
    )
