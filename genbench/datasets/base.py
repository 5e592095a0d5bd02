"""What a dataset is: a source of fresh real samples. A target also knows its density, and perhaps its modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self, runtime_checkable

import torch
from torch import Generator, Tensor


class Box(NamedTuple):
    """The smallest axis-parallel box around a target's support, noise aside: `low` and `high`, `(features,)` each."""

    low: Tensor
    high: Tensor


class Modes(NamedTuple):
    """A target's modes: `centres` `(modes, features)`, one isotropic standard deviation, `weights` that sum to 1."""

    centres: Tensor
    std: float
    weights: Tensor


class Curve(NamedTuple):
    """A target's one-dimensional support, finely sampled.

    `points` `(points, features)` lie along it from end to end; `mass` and `arc` `(points,)` are the probability and
    the arc length up to each; `std` is that of the isotropic noise around the curve.
    """

    points: Tensor
    mass: Tensor
    arc: Tensor
    std: float


class Dataset(Protocol):
    """A source of samples of one event shape."""

    event_shape: tuple[int, ...]

    def sample(self, n: int, rng: Generator) -> Tensor:
        """Draws `(n, *event)` fresh samples with `rng`, on its device."""

    def to(self, device: torch.device | str) -> Self:
        """The same dataset, drawing on `device`."""


@runtime_checkable
class Target(Dataset, Protocol):
    """A dataset whose truth is known."""

    @property
    def modes(self) -> Modes | None:
        """The modes, of a target that has any."""

    @property
    def curve(self) -> Curve | None:
        """The curve that the target lies along, if it does."""

    @property
    def box(self) -> Box:
        """Where the target lies."""

    def sample(self, n: int, rng: Generator, *, keep: float = 1.0, spread: float = 1.0) -> Tensor:
        """Draws `(n, features)` samples; `keep` is the share of the modes (or of the curve) that is left, evenly
        taken, and `spread` multiplies the noise around them. `keep=1, spread=1` is the truth."""

    def log_prob(self, x: Tensor) -> Tensor:
        """The true log density in nats, `(n, features)` to `(n,)`, computed in double precision."""


class Part(Protocol):
    """Some of a finite dataset's samples, each `(*event)`."""

    event_shape: tuple[int, ...]

    @property
    def labels(self) -> Tensor | None:
        """The samples' classes `(n,)`, where there are classes and the samples can be listed."""

    def __len__(self) -> int:
        """How many samples there are."""

    def sample(self, n: int, rng: Generator) -> Tensor:
        """Draws `(n, *event)` samples with replacement."""

    def distinct(self, n: int, rng: Generator) -> Tensor:
        """Draws `(n, *event)` different samples in random order; raises Skip where there are fewer."""

    def at(self, places: Tensor) -> Tensor:
        """The samples at `places` `(n,)`, `(n, *event)`."""

    def of_classes(self, classes: Sequence[int]) -> Self:
        """The samples of those classes alone."""


@runtime_checkable
class Finite(Dataset, Protocol):
    """A dataset of finitely many samples, in parts that share none; `sample` draws from `train`.

    What judges never sees `train`, but to look for copies of it: metrics compare with `reference`, and `held_out`
    stands for the truth's own fresh samples, of which `dealt` gives others. `classes` are the classes' names, empty
    without any. Of a `private` dataset no sample leaves the machine: records and reports hold none.
    """

    @property
    def train(self) -> Part:
        """What training draws from."""

    @property
    def held_out(self) -> Part:
        """What stands for fresh samples of the truth."""

    @property
    def reference(self) -> Part:
        """What metrics compare with."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names."""

    @property
    def private(self) -> bool:
        """Whether records and reports must hold none of its samples."""

    def dealt(self, rng: Generator) -> Self:
        """The same dataset with the samples of `train` and `held_out` dealt anew between the two, as large as they are.

        So what stands for the truth can be drawn again and again, though there is no more of it; `reference` stays, as
        models are compared with it too. What looks for copies of the training set has to look at the new one."""


class DataStream:
    """An endless, metered stream of fresh samples, drawn from a random stream of its own."""

    def __init__(self, dataset: Dataset, rng: Generator) -> None:
        self.rng = rng
        self.drawn = 0
        self._dataset = dataset.to(rng.device)

    def next(self, n: int) -> Tensor:
        """The next `n` samples, `(n, *event)`."""
        self.drawn += n
        return self._dataset.sample(n, self.rng)
