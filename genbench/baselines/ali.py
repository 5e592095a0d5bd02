"""Adversarially learned inference: Dumoulin et al., 2017, arXiv:1606.00704."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Rate, Rule, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("ali", citation="arXiv:1606.00704")
def ali(
    problem: api.Problem,
    *,
    critic_steps: CriticSteps = 1,
    batch: Batch = 256,
    latent: Latent = 2,
    width: Width = 64,
    depth: Depth = 3,
    optimizer: Rule = "adam",
    lr: Rate = 2e-3,
    beta1: Beta1 = 0.0,
    beta2: Beta2 = 0.999,
    schedule: Schedule = "linear",
) -> api.Method:
    """Adversarially learned inference: the discriminator sees samples and their latents, of either direction.

    BiGAN (arXiv:1605.09782) is the same with an encoder that draws nothing.

    Symbols as in the paper: G_x is `generator`, G_z is `encoder`, which gives a mean and a log standard deviation, D is
    `discriminator`, which gives logits, z is `noise`, ε is `epsilon`. D tells pairs (x, G_z(x)) from pairs (G_x(z), z);
    generator and encoder learn together to swap them (section 2.3, without the saturating loss). Networks are plain
    and fully connected; in the authors' toy D has maxout and dropout, the others batch normalisation.
    """
    import torch
    from torch.nn.functional import softplus

    def logits(nets: api.Networks, batch: api.Batch) -> tuple[Tensor, ...]:
        """Of pairs with real samples, and of pairs with real latents."""
        mean, log_std = nets.encoder(batch.real.flatten(1)).chunk(2, dim=1)
        real = torch.cat([batch.real.flatten(1), mean + log_std.exp() * batch.epsilon], dim=1)
        fake = torch.cat([nets.generator(batch.noise).flatten(1), batch.noise], dim=1)
        return api.together(nets.discriminator, real, fake)

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = logits(nets, batch)
        return softplus(-real).mean() + softplus(fake).mean()

    def swapped_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = logits(nets, batch)
        return softplus(real).mean() + softplus(-fake).mean()

    noise, size = api.Normal((latent,)), problem.size
    draws: dict[str, api.Draw] = {"real": api.Real(), "noise": noise, "epsilon": noise}
    adam = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator("mlp", latent=latent, width=width, depth=depth),
            "encoder": problem.mlp("encoder", size, 2 * latent, width=width, depth=depth),
            "discriminator": problem.mlp("critic", size + latent, 1, width=width, depth=depth),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, draws, critic_steps),
            api.Phase(("generator", "encoder"), swapped_loss, draws),
        ],
        optimizers={"generator": adam, "encoder": adam, "discriminator": adam},
        prior=noise,
        batch=batch,
        schedule=schedule,
    )
