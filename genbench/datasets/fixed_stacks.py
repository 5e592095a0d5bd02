"""Stacks of digits that were drawn once and for all, as Kumar et al., 2019, arXiv:1901.08508, train on."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import partial
from typing import Self

import numpy as np
import torch
from torch import Generator, Tensor

from genbench.datasets import digits
from genbench.datasets.files.splits import Split
from genbench.datasets.files.stock import silent
from genbench.datasets.images import Images, image_set, places_in
from genbench.datasets.stacked import CHANNELS, DIGITS, StackSet
from genbench.errors import Skip

SEED = 111
"""Of the code behind arXiv:1901.08508, which gives it to NumPy's legacy generator."""


class FixedStacks:
    """The stacks of a part's digits at `places` `(n, 3)`, a row a stack; `labels` `(n,)` are 100a + 10b + c."""

    def __init__(self, digits: Images, places: Tensor) -> None:
        if digits.labels is None:
            raise ValueError("digits that are stacked need labels")
        self.digits, self.places = digits, places.to(digits.index.device)
        self.labels = digits.labels[self.places] @ self.places.new_tensor([100, 10, 1])
        self.event_shape: tuple[int, ...] = (CHANNELS, *digits.event_shape[1:])

    def __len__(self) -> int:
        return len(self.places)

    def at(self, places: Tensor) -> Tensor:
        """The stacks at `places` `(n,)`, `(n, 3, height, width)`."""
        chosen = self.places[places.to(self.places.device)]
        return self.digits.at(chosen.flatten()).view(len(places), *self.event_shape)

    def sample(self, n: int, rng: Generator) -> Tensor:
        return self.at(places_in(self, n, rng))

    def labelled(self, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        places = places_in(self, n, rng)
        return self.at(places), self.labels[places.to(self.labels.device)].to(rng.device)

    def distinct(self, n: int, rng: Generator) -> Tensor:
        if n > len(self):
            raise Skip(f"{n} different stacks were asked for and there are {len(self)}")
        return self.at(torch.randperm(len(self), generator=rng, device=rng.device)[:n])

    def of_classes(self, classes: Sequence[int]) -> Self:
        """Raises Skip where no stack is of these classes."""
        kept = torch.isin(self.labels, self.labels.new_tensor(list(classes)))
        if not kept.any():
            raise Skip("no stack is of these classes")
        return type(self)(self.digits, self.places[kept])

    def to(self, device: torch.device | str) -> Self:
        """The same stacks, drawn on `device`."""
        return self.of(self.digits.to(device))

    def of(self, digits: Images) -> Self:
        """The same stacks of the same digits, wherever these are."""
        other, device = copy(self), digits.index.device
        other.digits, other.places, other.labels = digits, self.places.to(device), self.labels.to(device)
        return other


def fixed_stacks(stacks: int, size: int) -> StackSet:
    """`stacks` of all official training digits; every other test digit is held out, and the rest is the reference."""
    test = np.arange(digits.TRAINING, digits.TRAINING + digits.TEST)
    split = Split(np.arange(digits.TRAINING), test[::2], test[1::2])
    squares = image_set(digits.stock(size=size).prepare(silent), split, tuple(map(str, range(DIGITS))))
    return StackSet(squares, partial(FixedStacks, places=drawn(stacks, digits.TRAINING)))


def drawn(stacks: int, count: int) -> Tensor:
    """Which of `count` digits the stacks are made of, `(stacks, 3)`: uniform, with replacement, always the same."""
    legacy = np.random.RandomState(SEED)  # newer generators draw other stacks
    return torch.from_numpy(legacy.randint(0, count, (stacks, CHANNELS), dtype=np.int64))
