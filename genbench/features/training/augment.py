"""Small changes that leave an image's label as it is, drawn for each image anew."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample


class Jitter(NamedTuple):
    """The largest changes: degrees of rotation, shares of the image for the rest."""

    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    flip: bool = False


def jittered(images: Tensor, jitter: Jitter, rng: Generator) -> Tensor:
    """Images `(n, channels, height, width)` in [−1, 1], each turned, scaled, sheared, shifted, flipped and relit."""
    n = len(images)

    def drawn(most: float) -> Tensor:
        return (2 * torch.rand(n, generator=rng) - 1) * most

    angle, shear = drawn(jitter.rotation * math.pi / 180), drawn(jitter.shear)
    wide, high = 1 + drawn(jitter.scale), 1 + drawn(jitter.scale)
    if jitter.flip:
        wide = wide * (2 * torch.randint(2, (n,), generator=rng) - 1)
    cos, sin = angle.cos(), angle.sin()
    across = torch.stack([wide * cos, wide * (shear * cos - sin), drawn(2 * jitter.shift)], 1)
    down = torch.stack([high * sin, high * (shear * sin + cos), drawn(2 * jitter.shift)], 1)
    grid = affine_grid(torch.stack([across, down], 1), list(images.shape), align_corners=False)
    images = grid_sample(images, grid, padding_mode="border", align_corners=False)
    if not (jitter.brightness or jitter.contrast):
        return images
    contrast, brightness = 1 + drawn(jitter.contrast), drawn(2 * jitter.brightness)
    return (images * contrast[:, None, None, None] + brightness[:, None, None, None]).clamp(-1, 1)
