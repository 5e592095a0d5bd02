"""The conditional GAN: Mirza and Osindero, 2014, arXiv:1411.1784."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench import api

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("conditional-gan", citation="arXiv:1411.1784")
def conditional_gan(
    problem: api.Problem,
    *,
    latent: api.Count = 2,
    width: api.Count = 64,
    batch: api.Count = 256,
    lr: api.Positive = 1e-3,
    beta1: api.Decay = 0.5,
) -> api.Method:
    """Conditional GAN for points with classes: generator and discriminator are told which class is wanted.

    Symbols as in the paper: D is `discriminator`, G is `generator`, z is the first part of the noise, y its second, a
    row of zeros and a one; of real samples y is `label`.
    """
    import torch
    from torch import nn
    from torch.nn.functional import softplus

    features = problem.event_shape[0]
    noise = api.Joint(api.Normal((latent,)), api.Categorical(problem.classes))

    def network(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
        )

    def fake_logits(nets: api.Networks, batch: api.Batch) -> Tensor:
        _, label = noise.split(batch.noise)
        return nets.discriminator(torch.cat([nets.generator(batch.noise), label], dim=1))

    def discriminator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        real = nets.discriminator(torch.cat([batch.real, batch.label], dim=1))
        return softplus(-real).mean() + softplus(fake_logits(nets, batch)).mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return softplus(-fake_logits(nets, batch)).mean()

    adam = api.Optimizer("adam", lr, beta1)
    return api.Method(
        networks={
            "generator": problem.initialised("generator", lambda rng: network(*noise.shape, features)),
            "discriminator": problem.initialised("critic", lambda rng: network(features + problem.classes, 1)),
        },
        phases=[
            api.Phase("discriminator", discriminator_loss, {"real": api.Real(), "label": api.Labels(), "noise": noise}),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "discriminator": adam},
        prior=noise,
        batch=batch,
    )
