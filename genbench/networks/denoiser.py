"""Networks of a sample and a time, for diffusion and flow matching."""

import math

import torch
from torch import Generator, Tensor, nn

from genbench.networks.mlp import layered

FREQUENCIES = 8
"""How many octaves of sines and cosines a time is seen as."""

SLOW = 2
"""Of these, how many the share of the sample depends on: with all, it shakes at the rates that suit the layers."""


class Denoiser(nn.Module):
    """Samples `(n, *event)` at times `(n, 1)` in [0, 1] to `(n, *event)`: fully connected, with SiLU between layers.

    It sees a time t as sin(2ᵏπt/2) and cos(2ᵏπt/2), k = 0 … 7. To what the layers say a share of the sample is added,
    which depends linearly on the slowest of those and is 0 at first: a skip as in arXiv:2206.00364, equation 7, but
    learned. Without it the layers would have to let all of a sample's noise through.
    """

    def __init__(self, event_shape: tuple[int, ...], width: int, depth: int, rng: Generator) -> None:
        super().__init__()
        self.event_shape, size = event_shape, math.prod(event_shape)
        self.layers = layered(size + 2 * FREQUENCIES, size, width, depth, rng, activation=nn.SiLU)
        self.share = nn.Parameter(torch.zeros(2 * SLOW, 1))

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        angles = torch.cat([time * (math.pi / 2 * 2.0**k) for k in range(FREQUENCIES)], dim=1)
        sines, cosines, flat = angles.sin(), angles.cos(), x.flatten(1)
        share = torch.cat([sines[:, :SLOW], cosines[:, :SLOW]], dim=1) @ self.share
        said: Tensor = self.layers(torch.cat([flat, sines, cosines], dim=1)) + share * flat
        return said.view(-1, *self.event_shape)
