"""Changes of the truth, from too mild to be told to gross: what power cards are measured with."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from genbench.datasets.base import Finite, Modes, Target
from genbench.distances import squared_distances
from genbench.scoring.power_cards import Change

STEP = 1.25
"""From one size to the next: a card is right within it."""

FEW = 1.1
"""So many times as many samples are drawn as are needed on average where some are left out."""


class Sizes(NamedTuple):
    """The sizes of a change, the mildest first, and their unit."""

    values: tuple[float, ...]
    unit: str


def _between(mildest: float, strongest: float) -> tuple[float, ...]:
    """Sizes that grow by the same factor, of at most `STEP`, both ends among them."""
    steps = math.ceil(math.log(strongest / mildest) / math.log(STEP))
    return tuple(mildest * (strongest / mildest) ** (i / steps) for i in range(steps + 1))


OF_POINTS: dict[Change, Sizes] = {
    "shift": Sizes(_between(0.02, 64), "stds"),
    "shrunken": Sizes(tuple(1 - size for size in _between(0.002, 1)), "the spread"),
    "widened": Sizes(tuple(1 + size for size in _between(0.002, 32)), "the spread"),
    "dropped": Sizes(_between(0.0005, 0.5), "of the mass"),
    "noise": Sizes(_between(0.0001, 1), "of the samples"),
}
OF_IMAGES: dict[Change, Sizes] = {
    "shift": Sizes((1, 2, 3, 4, 6, 8, 12), "pixels"),
    "shrunken": Sizes(tuple(1 - size for size in _between(0.005, 1)), "the distance from the mean image"),
    "widened": Sizes(tuple(1 + size for size in _between(0.005, 4)), "the distance from the mean image"),
    "dropped": Sizes(_between(0.001, 0.5), "of the mass"),
    "noise": Sizes(_between(0.0001, 1), "of the samples"),
}


def changed_points(target: Target, change: Change, size: float, n: int, rng: Generator) -> Tensor:
    """`n` samples of a target `(n, features)` that is changed so much.

    Modes are dropped one after the other: the last one that is touched only becomes rarer. A curve loses its end.
    """
    if change in ("shrunken", "widened"):
        return target.altered(n, rng, spread=size)
    if change == "dropped":
        if target.modes is None:
            return target.altered(n, rng, keep=1 - size)
        return _without_modes(target, target.modes, size, n, rng)
    samples = target.sample(n, rng)
    if change == "noise":
        return _with_noise(samples, size, rng)
    samples[:, 0] += size * _std(target)
    return samples


def changed_images(deal: Finite, change: Change, size: float, n: int, rng: Generator) -> Tensor:
    """`n` images `(n, channels, height, width)` of a dataset's deal that are changed so much.

    They are of the training part, which holds the more of each class: after dealing it is as good as the other. Classes
    are dropped one after the other: the last one that is touched only becomes rarer.
    """
    if change == "dropped":
        whole, rest = divmod(size * len(deal.classes), 1)
        left = range(int(whole), len(deal.classes))
        rarer = round(rest * n)
        parts = [deal.train.of_classes(left[1:]).distinct(rarer, rng)] if rarer else []
        return torch.cat([*parts, deal.train.of_classes(left).distinct(n - rarer, rng)])
    images = deal.train.distinct(n, rng)
    if change == "noise":
        return _with_noise(images, size, rng)
    if change == "shift":
        columns = (torch.arange(images.shape[-1]) - int(size)).clamp(min=0)
        return images[..., columns]
    mean = images.mean(0)
    return (mean + size * (images - mean)).clamp(-1, 1)


def _with_noise(samples: Tensor, share: float, rng: Generator) -> Tensor:
    """The samples with about that share of them replaced by uniform noise on their bounding box."""
    low, high = samples.amin(0), samples.amax(0)
    replaced = torch.rand(len(samples), generator=rng) < share
    count = int(replaced.sum())
    samples[replaced] = torch.rand(count, *samples.shape[1:], generator=rng) * (high - low) + low
    return samples


def _without_modes(target: Target, modes: Modes, share: float, n: int, rng: Generator) -> Tensor:
    whole, rest = divmod(share * len(modes.centres), 1)
    samples = target.sample(math.ceil(FEW * n / (1 - share)) + 100, rng)
    mode = squared_distances(samples, modes.centres).argmin(1)
    gone = (mode < whole) | ((mode == whole) & (torch.rand(len(mode), generator=rng) < rest))
    return samples[~gone][:n]


def _std(target: Target) -> float:
    structure = target.modes or target.curve
    assert structure is not None
    return structure.std
