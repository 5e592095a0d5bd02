"""The catalogue of pairs of networks: a generator and the critic or discriminator that goes with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, NamedTuple

from genbench.errors import GenbenchError
from genbench.parameters import NameOf
from genbench.registry import networks

if TYPE_CHECKING:
    from torch.nn import Module

PairName = Annotated[str, NameOf(networks)]
"""The name of a registered pair."""


class Pair(NamedTuple):
    """`generator(latent, event_shape, width, depth, rng)` and `critic(event_shape, width, depth, rng)`."""

    generator: Callable[..., Module]
    critic: Callable[..., Module]


def pair(name: str) -> Pair:
    """The pair that `name` stands for; raises UnknownName, and GenbenchError for what is no pair."""
    made = networks[name].build()
    if not isinstance(made, Pair):
        raise GenbenchError(f"The networks {name!r} gave {made!r}. Let them return an api.Pair(generator, critic).")
    return made


def spectrally_normalised(network: Module) -> Module:
    """The network with the weights of its linear and convolutional layers divided by their largest singular values.

    Miyato et al., 2018, arXiv:1802.05957. The first vectors of the power iteration are drawn from torch's own stream.
    """
    from torch import nn
    from torch.nn.utils.parametrizations import spectral_norm

    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
            spectral_norm(layer)
    return network


@networks.register("mlp")
def plain() -> Pair:
    """The plain pair for points: ReLU layers with torch's default initialisation."""
    from genbench.networks import mlp

    return Pair(mlp.generator, mlp.critic)


@networks.register("mlp-he", citation="arXiv:1704.00028")
def he() -> Pair:
    """`mlp` as the toys of WGAN-GP's code start it.

    He's uniform weights before each ReLU, Glorot's in the last layer, biases of zero.
    """
    from genbench.networks import mlp

    return Pair(partial(mlp.generator, start=mlp.he_start), partial(mlp.critic, start=mlp.he_start))


@networks.register("mlp-orthogonal", citation="arXiv:1611.02163")
def orthogonal() -> Pair:
    """The pair of the unrolled GAN's toys and their code: tanh, and orthogonal weights 1.4 times as large."""
    from torch import nn

    from genbench.networks import mlp

    made, judged = (
        partial(build, start=mlp.orthogonal_start, activation=nn.Tanh) for build in (mlp.generator, mlp.critic)
    )
    return Pair(made, judged)


@networks.register("veegan", citation="arXiv:1705.07761")
def veegan() -> Pair:
    """The pair of VEEGAN's toys and their code: Glorot's weights, a discriminator of a layer less.

    ReLU layers, uniform weights, biases of zero.
    """
    from genbench.networks import mlp

    return Pair(partial(mlp.generator, start=mlp.glorot_start), mlp.veegan_discriminator)


@networks.register("pacgan", citation="arXiv:1712.04086")
def pacgan() -> Pair:
    """The pair of the PacGAN toys and their code: batch normalisation against maxout.

    A generator with batch normalisation and no biases before it, twice as wide as the discriminator and one layer
    deeper, against a maxout discriminator, all weights N(0, 0.02²).
    """
    from genbench.networks import mlp

    return Pair(mlp.pacgan_generator, mlp.pacgan_discriminator)


@networks.register("dcgan", citation="arXiv:1511.06434")
def convolutional() -> Pair:
    """The convolutional pair for images, with batch normalisation in both networks."""
    return _dcgan(normalised=True)


@networks.register("dcgan-gp", citation="arXiv:1511.06434")
def convolutional_gp() -> Pair:
    """`dcgan` without batch normalisation in the critic.

    So must one be whose gradient is penalised sample by sample.
    """
    return _dcgan(normalised=False)


@networks.register("meg", citation="arXiv:1901.08508")
def any_side() -> Pair:
    """The pair of MEG's stacked MNIST and its code, for images of any side.

    Convolutions of 5 × 5, batch normalisation in the generator alone.
    """
    from genbench.networks import meg

    return Pair(meg.generator, meg.critic)


def _dcgan(*, normalised: bool) -> Pair:
    from genbench.networks import dcgan

    return Pair(dcgan.generator, partial(dcgan.critic, normalised=normalised))
