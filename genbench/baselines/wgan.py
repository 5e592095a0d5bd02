"""The Wasserstein GAN with weight clipping: Arjovsky, Chintala and Bottou, 2017, arXiv:1701.07875."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from genbench import api

from .parameters import Batch, Beta1, Beta2, CriticSteps, Depth, Latent, Nets, Rate, Rule, Schedule, Width
from .recipes import WGAN, WGAN_NOTES

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("wgan", citation="arXiv:1701.07875", recipes=WGAN, notes=WGAN_NOTES)
def wgan(
    problem: api.Problem,
    *,
    clip: Annotated[api.Positive, api.doc("c, the largest size of a critic's weight")] = 0.1,
    critic_steps: CriticSteps = 2,
    batch: Batch = 256,
    latent: Latent = 2,
    networks: Nets = "mlp",
    width: Width = 64,
    depth: Depth = 3,
    optimizer: Rule = "rmsprop",
    lr: Rate = 4e-3,
    beta1: Beta1 = 0.0,
    beta2: Beta2 = 0.99,
    schedule: Schedule = "linear",
) -> api.Method:
    """Wasserstein GAN with weight clipping and RMSProp.

    Symbols as in the paper: f is `critic`, g is `generator`, z is `noise`, c is `clip`. f learns
    f(g(z)) − f(x), after each of its updates its weights are clipped to [−c, c], and g learns −f(g(z)). The paper's c
    is .01, and its f learns five times as often as g.
    """

    def critic_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        fakes, reals = api.together(nets.critic, nets.generator(batch.noise), batch.real)
        return fakes.mean() - reals.mean()

    def generator_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return -nets.critic(nets.generator(batch.noise)).mean()

    def clip_weights(weights: api.Params) -> api.Params:
        return {name: weight.clamp(-clip, clip) for name, weight in weights.items()}

    noise = api.Normal((latent,))
    rmsprop = api.Optimizer(optimizer, lr, beta1, beta2)
    return api.Method(
        networks={
            "generator": problem.generator(networks, latent=latent, width=width, depth=depth),
            "critic": problem.critic(networks, width=width, depth=depth),
        },
        phases=[
            api.Phase("critic", critic_loss, {"real": api.Real(), "noise": noise}, critic_steps, clip_weights),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": rmsprop, "critic": rmsprop},
        prior=noise,
        batch=batch,
        schedule=schedule,
        landscape="critic",
    )
