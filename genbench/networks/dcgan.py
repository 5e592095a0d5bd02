"""Convolutional networks for images: Radford, Metz and Chintala, 2015, arXiv:1511.06434.

Between latent and image stand `depth` stages that double, or halve, the image's side; `width` is the number of channels
next to the image, and each stage away from it has twice as many. As in the paper: convolutions of 4 × 4 with stride 2,
ReLU in the generator, leaky ReLU in the critic, tanh at the image, all weights N(0, 0.02²). A critic without batch
normalisation starts from He's weights instead (arXiv:1502.01852, section 2.2), since nothing brings its signals back to
size.
"""

import math
from itertools import pairwise
from typing import Any

from torch import Generator, nn

from genbench.errors import BadParameter

STD = 0.02
SLOPE = 0.2
"""Of the leaky ReLU below zero."""


def generator(latent: int, event_shape: tuple[int, ...], width: int, depth: int, rng: Generator) -> nn.Module:
    """`(batch, latent)` to images in (−1, 1), with batch normalisation in every stage but the last."""
    bottom = _bottom(event_shape, depth)
    sizes = [width << stage for stage in reversed(range(depth))]
    layers: list[nn.Module] = [
        _empty(nn.Linear, latent, sizes[0] * math.prod(bottom), bias=False),
        nn.Unflatten(1, (sizes[0], *bottom)),
        nn.BatchNorm2d(sizes[0]),
        nn.ReLU(),
    ]
    for inputs, outputs in pairwise(sizes):
        layers.append(_empty(nn.ConvTranspose2d, inputs, outputs, 4, 2, 1, bias=False))
        layers += [nn.BatchNorm2d(outputs), nn.ReLU()]
    last = _empty(nn.ConvTranspose2d, width, event_shape[0], 4, 2, 1)
    return _initialised(nn.Sequential(*layers, last, nn.Tanh()), rng)


def critic(event_shape: tuple[int, ...], width: int, depth: int, rng: Generator, *, normalised: bool) -> nn.Module:
    """Images to one score; with `normalised`, batch normalisation in every stage but the first."""
    bottom = _bottom(event_shape, depth)
    sizes = [width << stage for stage in range(depth)]
    layers: list[nn.Module] = [_empty(nn.Conv2d, event_shape[0], width, 4, 2, 1), nn.LeakyReLU(SLOPE)]
    for inputs, outputs in pairwise(sizes):
        layers.append(_empty(nn.Conv2d, inputs, outputs, 4, 2, 1, bias=not normalised))
        layers += [nn.BatchNorm2d(outputs), nn.LeakyReLU(SLOPE)] if normalised else [nn.LeakyReLU(SLOPE)]
    last = _empty(nn.Linear, sizes[-1] * math.prod(bottom), 1)
    return _initialised(nn.Sequential(*layers, nn.Flatten(), last), rng, he=not normalised)


def _bottom(event_shape: tuple[int, ...], depth: int) -> tuple[int, int]:
    """The height and width that the stages end at; raises BadParameter for what they can't halve so often."""
    factor = 2**depth
    if len(event_shape) != 3:
        raise BadParameter(f"DCGAN's networks take images and the samples' shape is {event_shape}. Try networks=mlp.")
    if event_shape[1] % factor or event_shape[2] % factor:
        raise BadParameter(
            f"DCGAN's networks of depth={depth} halve an image's sides {depth} times, which {event_shape[1]} × "
            f"{event_shape[2]} pixels don't allow. Give another depth, or the dataset another size: size=64."
        )
    return event_shape[1] // factor, event_shape[2] // factor


def _empty(layer: Any, *sizes: int, bias: bool = True) -> nn.Module:
    """A layer whose weights nothing has drawn yet."""
    empty: nn.Module = layer(*sizes, bias=bias, device="meta").to_empty(device="cpu")
    return empty


def _initialised(network: nn.Module, rng: Generator, he: bool = False) -> nn.Module:
    """N(0, 0.02²) or He's for weights, N(1, 0.02²) for scales of normalisations, zero for biases."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, STD, generator=rng)
        elif isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if he:
                nn.init.kaiming_normal_(layer.weight, SLOPE, nonlinearity="leaky_relu", generator=rng)
            else:
                nn.init.normal_(layer.weight, 0.0, STD, generator=rng)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network
