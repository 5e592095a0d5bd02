"""Pairs of networks by name: a generator and the critic or discriminator that goes with it.

`mlp` is the plain pair for points: ReLU layers with torch's default initialisation. `mlp-he` is the same pair as the
toys of WGAN-GP's code start it (arXiv:1704.00028): He's uniform weights before each ReLU, Glorot's in the last layer,
biases of zero. `pacgan` is the pair of the PacGAN toys and their code (arXiv:1712.04086): a generator with batch
normalisation and no biases before it, twice as wide as the discriminator and one layer deeper, against a maxout
discriminator, all weights N(0, 0.02²). `dcgan` is the convolutional pair for images (arXiv:1511.06434) with batch
normalisation in both networks; `dcgan-gp` is the same pair without any in the critic, as one must be whose gradient is
penalised sample by sample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from genbench.errors import UnknownName

if TYPE_CHECKING:
    from torch.nn import Module

PairName = Literal["mlp", "mlp-he", "pacgan", "dcgan", "dcgan-gp"]


class Pair(NamedTuple):
    """`generator(latent, event_shape, width, depth, rng)` and `critic(event_shape, width, depth, rng)`."""

    generator: Callable[..., Module]
    critic: Callable[..., Module]


def pair(name: str) -> Pair:
    """The pair that `name` stands for; raises UnknownName."""
    from functools import partial

    from genbench.networks import dcgan, mlp

    pairs = {
        "mlp": Pair(mlp.generator, mlp.critic),
        "mlp-he": Pair(mlp.he_generator, mlp.he_critic),
        "pacgan": Pair(mlp.pacgan_generator, mlp.pacgan_discriminator),
        "dcgan": Pair(dcgan.generator, partial(dcgan.critic, normalised=True)),
        "dcgan-gp": Pair(dcgan.generator, partial(dcgan.critic, normalised=False)),
    }
    if name not in pairs:
        raise UnknownName("pair of networks", name, pairs)
    return pairs[name]
