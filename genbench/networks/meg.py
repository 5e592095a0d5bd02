"""Convolutional networks for images of any side: those of Kumar et al., 2019, arXiv:1901.08508, in their code.

Between latent and image stand `depth` stages that double, or halve, the image's side, half a pixel rounded up: 2, 4, 7,
14, 28. `width` is the number of channels next to the image, and each stage away from it has twice as many. Convolutions
are of 5 × 5 with stride 2. The generator's weights are N(0, 0.02²); its linear layer and biases, and all of the critic,
start as torch's layers do.
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
    """`(batch, latent)` to images in (−1, 1), with batch normalisation before every stage; no bias where it goes."""
    sides = _sides(event_shape, depth)[::-1]
    channels = [*(width << stage for stage in reversed(range(depth))), event_shape[0]]
    layers: list[nn.Module] = [
        _made(nn.Linear(latent, channels[0] * math.prod(sides[0]), device="meta"), rng),
        nn.Unflatten(1, (channels[0], *sides[0])),
    ]
    for (inputs, outputs), (below, side) in zip(pairwise(channels), pairwise(sides), strict=True):
        # Twice as many pixels, less one where the side is odd.
        more = side[0] - 2 * below[0] + 1, side[1] - 2 * below[1] + 1
        stage = nn.ConvTranspose2d(inputs, outputs, 5, 2, 2, more, bias=side is sides[-1], device="meta")
        layers += [_normalisation(inputs, rng), nn.ReLU(), _made(stage, rng, STD)]
    return nn.Sequential(*layers, nn.Tanh())


def critic(event_shape: tuple[int, ...], width: int, depth: int, rng: Generator) -> nn.Module:
    """Images to one score `(batch, 1)`, without normalisation."""
    bottom = _sides(event_shape, depth)[-1]
    channels = [event_shape[0], *(width << stage for stage in range(depth))]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        layers += [_made(nn.Conv2d(inputs, outputs, 5, 2, 2, device="meta"), rng), nn.LeakyReLU(SLOPE)]
    last = nn.Linear(channels[-1] * math.prod(bottom), 1, device="meta")
    return nn.Sequential(*layers, nn.Flatten(), _made(last, rng))


def _sides(event_shape: tuple[int, ...], depth: int) -> list[tuple[int, int]]:
    """Height and width of the image and of each stage from there; raises BadParameter for what is no image."""
    if len(event_shape) != 3:
        raise BadParameter(f"MEG's networks take images and the samples' shape is {event_shape}. Try networks=mlp.")
    return [(-(-event_shape[1] >> stage), -(-event_shape[2] >> stage)) for stage in range(depth + 1)]


def _made(layer: Any, rng: Generator, std: float | None = None) -> nn.Module:
    """A layer on the processor, with torch's first weights, U(−1/√fan-in, 1/√fan-in), or N(0, std²) and such biases."""
    fan_in = layer.weight[0].numel()
    made: nn.Module = layer.to_empty(device="cpu")
    bound = 1 / math.sqrt(fan_in)
    for name, parameter in made.named_parameters():
        if std is not None and name == "weight":
            nn.init.normal_(parameter, 0.0, std, generator=rng)
        else:
            nn.init.uniform_(parameter, -bound, bound, generator=rng)
    return made


def _normalisation(channels: int, rng: Generator) -> nn.Module:
    layer = nn.BatchNorm2d(channels)
    nn.init.normal_(layer.weight, 1.0, STD, generator=rng)
    return layer
