"""Networks of a sample and a time, for diffusion and flow matching."""

import math

import torch
from torch import Generator, Tensor, nn

from genbench.networks.mlp import layered

FREQUENCIES = 8
"""How many octaves of sines and cosines a time is seen as."""


class Denoiser(nn.Module):
    """Samples `(n, *event)` at times `(n, 1)` in [0, 1] to `(n, *event)`: fully connected, with SiLU between layers.

    It sees a time t as sin(2ᵏπt/2) and cos(2ᵏπt/2), k = 0 … 7.
    """

    def __init__(self, event_shape: tuple[int, ...], width: int, depth: int, rng: Generator) -> None:
        super().__init__()
        self.event_shape, size = event_shape, math.prod(event_shape)
        self.layers = layered(size + 2 * FREQUENCIES, size, width, depth, rng, nn.SiLU)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        angles = torch.cat([time * (math.pi / 2 * 2.0**k) for k in range(FREQUENCIES)], dim=1)
        seen = torch.cat([x.flatten(1), angles.sin(), angles.cos()], dim=1)
        result: Tensor = self.layers(seen).unflatten(1, self.event_shape)
        return result
