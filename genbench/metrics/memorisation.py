"""Whether samples are copies of training images."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.datasets.base import Part
from genbench.datasets.images import HALF_RANGE, as_floats
from genbench.errors import Skip
from genbench.metrics.observed import Observed

BLOCK = 2_000
"""So many training images are held as floats at a time."""

MOST = 10**7

SPARE = 8
"""So many more are compared exactly: among nearly equal images, a copy too, products in single precision err."""


def train_distance(observed: Observed, train: Part) -> Tensor:
    """The mean distance of images to their nearest training image, root mean square over pixels, in grey levels."""
    return nearest(observed.samples, train, 1)[0].mean()


def nearest(pixels: Tensor, train: Part, k: int) -> tuple[Tensor, Tensor]:
    """The distances in grey levels and the places of the k nearest images of `train`, both `(n, k)`, nearest first.

    `pixels` are images `(n, channels, height, width)` of uint8. Of a smaller training set all are found. Raises Skip
    where there are too many to look through.
    """
    if len(train) > MOST:
        raise Skip(f"there are {len(train)} training images, too many to look through")
    images, k = as_floats(pixels).flatten(1), min(k, len(train))
    own = images.square().sum(1, keepdim=True)
    best, places = images.new_empty(len(images), 0), torch.empty(len(images), 0, dtype=torch.long, device=images.device)
    for start in range(0, len(train), BLOCK):
        rows = torch.arange(start, min(start + BLOCK, len(train)), device=images.device)
        others = train.at(rows).flatten(1)
        squares = torch.cat([best, torch.addmm(own + others.square().sum(1), images, others.T, alpha=-2)], 1)
        best, order = squares.topk(min(k + SPARE, squares.shape[1]), largest=False)
        places = torch.cat([places, rows.expand(len(images), -1)], 1).gather(1, order)
    exact = torch.stack(
        [(train.at(row).flatten(1) - image).square().mean(1) for row, image in zip(places, images, strict=True)]
    )
    squares, order = exact.topk(k, largest=False)
    return squares.sqrt().double() * HALF_RANGE, places.gather(1, order)
