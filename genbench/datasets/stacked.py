"""Stacked MNIST: three digits as the channels of one image, 1 000 classes (arXiv:1611.02163, arXiv:1712.04086)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Self

import torch
from torch import Generator, Tensor

from genbench.datasets.base import Finite
from genbench.datasets.images import Images, ImageSet, places_in
from genbench.errors import Skip

if TYPE_CHECKING:
    from genbench.datasets.fixed_stacks import FixedStacks

CHANNELS, DIGITS = 3, 10
CLASSES = tuple(f"{i:03}" for i in range(DIGITS**CHANNELS))


class Stacks:
    """All stacks of three of a part's digits, class by class; `kept` names the classes that there are, else all.

    The class of the digits a, b and c is 100a + 10b + c. There are too many stacks to list their `labels`:
    `classes_at` gives those of some.
    """

    labels: Tensor | None = None

    def __init__(self, digits: Images, kept: Sequence[int] | None = None) -> None:
        """Raises Skip where no stack is of these classes."""
        if digits.labels is None:
            raise ValueError("digits that are stacked need labels")
        self.digits, self.kept = digits, range(len(CLASSES)) if kept is None else kept
        self.event_shape: tuple[int, ...] = (CHANNELS, *digits.event_shape[1:])
        self._sorted = digits.labels.argsort(stable=True)
        self._counts = digits.labels.bincount(minlength=DIGITS)
        self._firsts = self._counts.cumsum(0) - self._counts
        self._kept = torch.tensor(self.kept, dtype=torch.long, device=digits.labels.device)
        self._ends = self._counts[_digits(self._kept)].prod(1).cumsum(0)
        self._size = int(self._ends[-1]) if len(self.kept) else 0
        if not self._size:
            raise Skip("no stack is of these classes")

    def __len__(self) -> int:
        return self._size

    def classes_at(self, places: Tensor) -> Tensor:
        """The classes `(n,)` of the stacks at `places` `(n,)`."""
        return self._kept[torch.searchsorted(self._ends, places.to(self._ends.device), right=True)]

    def at(self, places: Tensor) -> Tensor:
        """The stacks at `places` `(n,)`, `(n, 3, height, width)`."""
        places = places.to(self._ends.device)
        classes = torch.searchsorted(self._ends, places, right=True)
        wanted = _digits(self._kept[classes])
        counts = self._counts[wanted]
        # A stack's place among those of its class is a number with three digits, each to its own base.
        rest = places - self._ends[classes] + counts.prod(1)
        among = torch.empty_like(wanted)
        for channel in reversed(range(CHANNELS)):
            among[:, channel] = rest % counts[:, channel]
            rest = rest // counts[:, channel]
        chosen = self._sorted[self._firsts[wanted] + among]
        return self.digits.at(chosen.flatten()).view(len(places), *self.event_shape)

    def sample(self, n: int, rng: Generator) -> Tensor:
        return self.at(places_in(self, n, rng))

    def labelled(self, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        places = places_in(self, n, rng)
        return self.at(places), self.classes_at(places).to(rng.device)

    def distinct(self, n: int, rng: Generator) -> Tensor:
        """Draws as `sample` does: of so many stacks, two are hardly ever the same."""
        if n > len(self):
            raise Skip(f"{n} different stacks were asked for and there are {len(self)}")
        return self.sample(n, rng)

    def of_classes(self, classes: Sequence[int]) -> Self:
        return type(self)(self.digits, tuple(number for number in classes if number in self.kept))

    def to(self, device: torch.device | str) -> Self:
        """The same stacks, drawn on `device`."""
        return self.of(self.digits.to(device))

    def of(self, digits: Images) -> Self:
        """The same stacks of the same digits, wherever these are."""
        other = copy(self)
        other.digits, device = digits, digits.index.device
        for name in ("_sorted", "_counts", "_firsts", "_kept", "_ends"):
            setattr(other, name, getattr(self, name).to(device))
        return other


class StackSet(Finite):
    """The stacks of a dataset's digits, each part's of its own digits alone; `trained` makes those to train on."""

    train: Stacks | FixedStacks
    held_out: Stacks
    reference: Stacks

    def __init__(self, digits: ImageSet, trained: Callable[[Images], Stacks | FixedStacks] = Stacks) -> None:
        self.digits, self.trained = digits, trained
        super().__init__(trained(digits.train), Stacks(digits.held_out), Stacks(digits.reference), classes=CLASSES)

    def to(self, device: torch.device | str) -> StackSet:
        """The same dataset, whose parts draw on `device` and share one copy of the digits there."""
        other = copy(self)
        other.digits = digits = self.digits.to(device)
        other.train, other.held_out = self.train.of(digits.train), self.held_out.of(digits.held_out)
        other.reference = self.reference.of(digits.reference)
        return other

    def dealt(self, rng: Generator) -> StackSet:
        """The same dataset with the digits of `train` and `held_out` dealt anew between the two."""
        return StackSet(self.digits.dealt(rng), self.trained)


def stacked_mnist(size: int) -> StackSet:
    """The stacks of MNIST's digits."""
    from genbench.datasets import digits

    return StackSet(digits.image_set_of(digits.stock(size=size)))


def _digits(classes: Tensor) -> Tensor:
    """`(n,)` classes as `(n, 3)` digits."""
    return torch.stack([classes // 100, classes // 10 % 10, classes % 10], 1)
