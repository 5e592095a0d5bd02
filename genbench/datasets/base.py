"""What a dataset is: a source of fresh real samples. A target also knows its density, and perhaps its modes.

Each kind is a class to inherit from, which says what it needs and brings what it can. Imports no torch.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from genbench.errors import GenbenchError, Skip

if TYPE_CHECKING:
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


class Dataset(ABC):
    """A source of samples of one event shape.

    A class of one's own says its `event_shape` and how to `sample`. `classes` are the names of the samples' classes,
    empty without any; with some, `labelled` says which sample is of which.
    """

    event_shape: tuple[int, ...]
    classes: tuple[str, ...] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Raises GenbenchError where the class lacks what its kind of dataset must have."""
        if lacking := sorted(cls.__abstractmethods__):
            kind = next(base.__name__ for base in cls.__mro__ if base.__module__ == __name__)
            raise GenbenchError(
                f"The dataset {cls.__name__} is an api.{kind} without {', '.join(lacking)}: write what is missing."
            )
        return super().__new__(cls)

    @abstractmethod
    def sample(self, n: int, rng: Generator) -> Tensor:
        """Draws `(n, *event)` fresh samples with `rng` alone, on its device."""

    def labelled(self, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        """Draws the samples that `sample` draws and their classes, `(n,)` whole numbers from 0 on.

        Raises Skip where the samples have no classes.
        """
        raise Skip("the dataset's samples have no classes")

    def to(self, device: torch.device | str) -> Self:
        """The same dataset, drawing on `device`: here, with each tensor that it holds moved there."""
        other = copy(self)
        other.__dict__ |= {name: _moved(value, device) for name, value in self.__dict__.items()}
        return other


class Target(Dataset):
    """A dataset whose truth is known: it says its `log_prob`, and its modes or the curve that it lies along if any.

    Where its samples are rows of pixels, `image_shape` is the channels, height and width that pictures show them in.
    """

    modes: Modes | None = None
    curve: Curve | None = None
    image_shape: tuple[int, int, int] | None = None
    _box: Box | None = None

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """The true log density in nats, `(n, features)` to `(n,)`, computed in double precision."""

    @property
    def box(self) -> Box:
        """Where the target lies: the box that it was given, or the one around its modes' centres or its curve."""
        if self._box is not None:
            return self._box
        if self.modes is not None:
            points = self.modes.centres
        elif self.curve is not None:
            points = self.curve.points
        else:
            raise GenbenchError(f"The dataset {type(self).__name__} has neither modes nor a curve: say its box.")
        return Box(points.amin(0).float(), points.amax(0).float())

    @box.setter
    def box(self, box: Box) -> None:
        self._box = box

    def altered(self, n: int, rng: Generator, *, keep: float = 1.0, spread: float = 1.0) -> Tensor:
        """Draws `(n, features)` samples of the truth changed: what controls and power cards are made of.

        `keep` is the share of the modes (or of the curve) that is left, evenly taken, and `spread` multiplies the noise
        around them; `keep=1, spread=1` is what `sample` draws. Raises Skip where nobody said how.
        """
        raise Skip("the dataset doesn't say how it is altered")


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

    def labelled(self, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        """Draws the samples that `sample` draws, and their classes `(n,)`; raises Skip where there are none."""

    def distinct(self, n: int, rng: Generator) -> Tensor:
        """Draws `(n, *event)` different samples in random order; raises Skip where there are fewer."""

    def at(self, places: Tensor) -> Tensor:
        """The samples at `places` `(n,)`, `(n, *event)`."""

    def of_classes(self, classes: Sequence[int]) -> Self:
        """The samples of those classes alone."""


class Finite(Dataset):
    """A dataset of finitely many samples, in parts that share none; `sample` draws from `train`.

    What judges never sees `train`, but to look for copies of it: metrics compare with `reference`, and `held_out`
    stands for the truth's own fresh samples, of which `dealt` gives others. Of a `private` dataset no sample leaves the
    machine: records and reports hold none.
    """

    def __init__(
        self, train: Part, held_out: Part, reference: Part, *, classes: tuple[str, ...] = (), private: bool = False
    ) -> None:
        self.train, self.held_out, self.reference = train, held_out, reference
        self.classes, self.private = classes, private
        self.event_shape = train.event_shape

    def sample(self, n: int, rng: Generator) -> Tensor:
        """Draws `(n, *event)` training samples with replacement."""
        return self.train.sample(n, rng)

    def labelled(self, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        return self.train.labelled(n, rng)

    @abstractmethod
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

    def labelled(self, n: int) -> tuple[Tensor, Tensor]:
        """The next `n` samples, `(n, *event)`, and their classes `(n,)`; raises Skip where there are none."""
        self.drawn += n
        return self._dataset.labelled(n, self.rng)


def check_dataset(name: str, built: object) -> Dataset:
    """What a registered function built, which must be a dataset of a shape; raises GenbenchError where it isn't."""
    if not isinstance(built, Dataset):
        raise GenbenchError(
            f"The dataset {name} gave {built!r}, which is none: let its class inherit from api.Dataset, from "
            "api.Target if its density is known, or from api.Finite if its samples are finitely many."
        )
    shape = getattr(built, "event_shape", None)
    if not (isinstance(shape, tuple) and shape and all(type(size) is int and size > 0 for size in shape)):
        raise GenbenchError(
            f"The dataset {name}: event_shape must be the shape of one sample, say (2,) for points in the plane, not "
            f"{shape!r}."
        )
    named = isinstance(built.classes, tuple) and all(isinstance(each, str) for each in built.classes)
    if not named or len(set(built.classes)) < len(built.classes):
        raise GenbenchError(f"The dataset {name}: classes must be a tuple of different names, not {built.classes!r}.")
    if built.classes and type(built).labelled is Dataset.labelled:
        raise GenbenchError(f"The dataset {name} names classes and doesn't say which sample is of which: add labelled.")
    if isinstance(built, Target) and (image := built.image_shape) is not None:
        _check_image_shape(name, image, shape)
    return built


def _check_image_shape(name: str, image: object, event_shape: tuple[int, ...]) -> None:
    sizes = image if isinstance(image, tuple) else ()
    fits = all(type(size) is int and size > 0 for size in sizes) and (math.prod(sizes),) == event_shape
    if len(sizes) != 3 or sizes[0] not in (1, 3) or not fits:
        raise GenbenchError(
            f"The dataset {name}: image_shape must be (channels, height, width) with 1 or 3 channels, whose product is "
            f"the length of a sample, {event_shape}; not {image!r}."
        )


def _moved(value: Any, device: torch.device | str) -> Any:
    """A tensor on `device`, also one within tuples, lists and dictionaries; anything else as it is."""
    from torch import Tensor

    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_moved(part, device) for part in value))
    if type(value) in (tuple, list):
        return type(value)(_moved(part, device) for part in value)
    if type(value) is dict:
        return {key: _moved(part, device) for key, part in value.items()}
    return value
