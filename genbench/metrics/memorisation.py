"""Whether samples are copies of training images."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.cores import side_by_side
from genbench.datasets.base import Part
from genbench.datasets.fixed_stacks import FixedStacks
from genbench.datasets.images import HALF_RANGE, Images, as_floats
from genbench.datasets.stacked import Stacks
from genbench.errors import Skip
from genbench.metrics.observed import Observed

BLOCK = 2_000
"""So many training images are held as floats at a time."""

FEW = 100
"""So many samples' candidates are compared exactly at a time."""

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

    def candidates(start: int) -> tuple[Tensor, Tensor]:
        rows = torch.arange(start, min(start + BLOCK, len(train)), device=images.device)
        others = train.at(rows).flatten(1)
        squares = torch.addmm(own + others.square().sum(1), images, others.T, alpha=-2)
        best, order = squares.topk(min(k + SPARE, len(rows)), largest=False)
        return best, rows[order]

    def exact(those: slice) -> Tensor:
        others = train.at(places[those].flatten()).reshape(*places[those].shape, -1)
        return (others - images[those, None]).square().mean(2)

    # Nobody knows what a stranger's part does when it is asked for images.
    alone = images.device.type != "cpu" or not isinstance(train, Images | Stacks | FixedStacks)
    best, places = (
        torch.cat(parts, 1)
        for parts in zip(*side_by_side(candidates, range(0, len(train), BLOCK), alone=alone), strict=True)
    )
    places = places.gather(1, best.topk(min(k + SPARE, best.shape[1]), largest=False).indices)
    few = [slice(start, start + FEW) for start in range(0, len(images), FEW)]
    squares, order = torch.cat(side_by_side(exact, few, alone=alone)).topk(k, largest=False)
    return squares.sqrt().double() * HALF_RANGE, places.gather(1, order)
