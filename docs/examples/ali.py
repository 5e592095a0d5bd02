"""Adversarially learned inference (ALI): Dumoulin et al., 2017, arXiv:1606.00704; the same idea is BiGAN's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench import api

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("ali", citation="arXiv:1606.00704")
def ali(
    problem: api.Problem,
    *,
    latent: api.Count = 2,
    width: api.Count = 64,
    batch: api.Count = 256,
    lr: api.Positive = 1e-3,
    beta1: api.Decay = 0.5,
) -> api.Method:
    """Adversarially learned inference, for points.

    Symbols as in the paper: G_x is `generator`, G_z is `encoder`, D is `discriminator`, z is `noise`. The discriminator
    tells pairs (x, G_z(x)) from pairs (G_x(z), z); generator and encoder learn together to swap them.
    """
    import torch
    from torch import nn
    from torch.nn.functional import softplus

    features = problem.event_shape[0]

    def network(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
        )

    def logits(nets: api.Networks, batch: api.Batch) -> tuple[Tensor, Tensor]:
        """Of pairs with real samples, and of pairs with real latents."""
        mean, log_std = nets.encoder(batch.real).chunk(2, dim=1)
        real = torch.cat([batch.real, mean + log_std.exp() * batch.epsilon], dim=1)
        fake = torch.cat([nets.generator(batch.noise), batch.noise], dim=1)
        return nets.discriminator(real), nets.discriminator(fake)

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = logits(nets, batch)
        return softplus(-real).mean() + softplus(fake).mean()

    def swapped_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real, fake = logits(nets, batch)
        return softplus(real).mean() + softplus(-fake).mean()

    noise = api.Normal((latent,))
    draws = {"real": api.Real(), "noise": noise, "epsilon": noise}
    adam = api.Optimizer("adam", lr, beta1)
    return api.Method(
        networks={
            "generator": problem.initialised("generator", lambda rng: network(latent, features)),
            "encoder": problem.initialised("encoder", lambda rng: network(features, 2 * latent)),
            "discriminator": problem.initialised("critic", lambda rng: network(features + latent, 1)),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, draws),
            api.Phase(("generator", "encoder"), swapped_loss, draws),
        ],
        optimizers={"generator": adam, "encoder": adam, "discriminator": adam},
        prior=noise,
        batch=batch,
    )
