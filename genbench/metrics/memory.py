"""Whether samples are copies of training images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genbench.datasets.base import Part
from genbench.datasets.images import HALF_RANGE, as_floats
from genbench.errors import Skip
from genbench.metrics.samples import SampleMetric

BLOCK = 2_000
"""So many training images are held as floats at a time."""

MOST = 10**7


class TrainDistance(SampleMetric):
    """The mean distance of samples to their nearest training image, root mean square over pixels, in grey levels."""

    def __init__(self, training_set: Part, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.training_set = training_set

    def evaluate(self, samples: Tensor) -> Tensor:
        return nearest(samples, self.training_set, 1)[0].mean()


def nearest(pixels: Tensor, train: Part, k: int) -> tuple[Tensor, Tensor]:
    """The distances in grey levels and the places of the k nearest images of `train`, both `(n, k)`, nearest first.

    `pixels` are images `(n, channels, height, width)` of uint8. Raises Skip where there are too many to look through.
    """
    if len(train) > MOST:
        raise Skip(f"there are {len(train)} training images, too many to look through")
    images = as_floats(pixels).flatten(1)
    own = images.square().sum(1, keepdim=True)
    best = torch.full((len(images), k), torch.inf)
    places = torch.zeros(len(images), k, dtype=torch.long)
    for start in range(0, len(train), BLOCK):
        rows = torch.arange(start, min(start + BLOCK, len(train)))
        others = train.at(rows).flatten(1)
        squares = torch.addmm(own + others.square().sum(1), images, others.T, alpha=-2)
        best, order = torch.cat([best, squares], 1).topk(k, largest=False)
        places = torch.cat([places, rows.expand(len(images), -1)], 1).gather(1, order)
    # Of the few that were found, exactly: what addmm lost to rounding makes a copy look like none.
    found = torch.stack([train.at(row).flatten(1) for row in places])
    exact = (found - images[:, None]).square().mean(2).sqrt() * HALF_RANGE
    return exact.double(), places
