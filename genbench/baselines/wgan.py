"""The Wasserstein GAN with weight clipping: Arjovsky, Chintala and Bottou, 2017, arXiv:1701.07875."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench import api

from .recipes import WGAN, WGAN_NOTES

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("wgan", citation="arXiv:1701.07875", recipes=WGAN, notes=WGAN_NOTES)
def wgan(
    problem: api.Problem,
    *,
    clip: api.Positive = 0.1,
    critic_steps: api.Count = 2,
    batch: api.Count = 256,
    latent: api.Count = 2,
    networks: api.PairName = "mlp",
    width: api.Count = 64,
    depth: api.Count = 3,
    optimizer: api.OptimizerName = "rmsprop",
    lr: api.Positive = 4e-3,
    beta1: api.Decay = 0.0,
    beta2: api.Decay = 0.99,
    schedule: api.ScheduleName = "linear",
) -> api.Method:
    """Wasserstein GAN with weight clipping and RMSProp.

    Symbols as in the paper: f is `critic`, g is `generator`, z is `noise`, c is `clip`. After each of its updates
    the critic's weights are clipped to [−c, c]. With `schedule=linear` the learning rate falls on a line that reaches
    5 % after 95 % of the budget and stays there; `cosine` is half a cosine, rescaled to end at 5 %.
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
