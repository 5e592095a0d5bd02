"""What an update may see: real samples, and noise of any kind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from genbench.errors import GenbenchError

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True)
class Real:
    """A batch of fresh samples from the training stream."""


@dataclass(frozen=True)
class Labels:
    """The classes of real samples as rows of zeros and a one, `(batch, classes)`.

    They are those of the phase's draw `of`, or without one, of its only `api.Real()`. A dataset without classes is
    refused; `problem.classes` says how many it has.
    """

    of: str | None = None


@runtime_checkable
class Noise(Protocol):
    """Random numbers of one shape a sample; a class of one's own with these two will do."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample's noise."""

    def sample(self, lead: tuple[int, ...], rng: Generator) -> Tensor:
        """Draws `(*lead, *shape)` on the stream's device, from that stream alone."""


@dataclass(frozen=True)
class Normal:
    """Standard normal noise of shape `(batch, *shape)`."""

    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _shape(self.shape, "api.Normal"))

    def sample(self, lead: tuple[int, ...], rng: Generator) -> Tensor:
        import torch

        return torch.randn(*lead, *self.shape, generator=rng, device=rng.device)


@dataclass(frozen=True)
class Uniform:
    """Uniform noise on [low, high) of shape `(batch, *shape)`."""

    low: float = 0.0
    high: float = 1.0
    shape: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _shape(self.shape, "api.Uniform"))
        numbers = all(isinstance(end, int | float) and math.isfinite(end) for end in (self.low, self.high))
        if not (numbers and self.low < self.high):
            raise GenbenchError(
                f"api.Uniform: low must be a number below high, and both finite, not {self.low!r} and {self.high!r}. "
                "Its shape comes third: api.Uniform(shape=(2,))."
            )

    def sample(self, lead: tuple[int, ...], rng: Generator) -> Tensor:
        import torch

        uniform = torch.rand(*lead, *self.shape, generator=rng, device=rng.device)
        return uniform if (self.low, self.high) == (0, 1) else self.low + (self.high - self.low) * uniform


@dataclass(frozen=True)
class Categorical:
    """One of several classes, as a row of zeros and a one, `(batch, classes)`; all equally likely unless weighted.

    `weights` are the classes' relative frequencies, one each.
    """

    classes: int
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not (type(self.classes) is int and self.classes >= 2):
            raise GenbenchError(
                f"api.Categorical: classes must be a whole number from 2 on, not {self.classes!r}. problem.classes "
                "says how many the dataset has."
            )
        if self.weights is not None:
            object.__setattr__(self, "weights", tuple(self.weights))
            positive = all(isinstance(w, int | float) and math.isfinite(w) and w >= 0 for w in self.weights)
            if not (positive and len(self.weights) == self.classes and sum(self.weights) > 0):
                raise GenbenchError(
                    f"api.Categorical: weights must be {self.classes} numbers from zero on, not {self.weights!r}."
                )

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.classes,)

    def sample(self, lead: tuple[int, ...], rng: Generator) -> Tensor:
        import torch

        shares = torch.tensor(self.weights or (1.0,) * self.classes, dtype=torch.float64)
        ends = (shares.cumsum(0) / shares.sum())[:-1].to(rng.device, torch.get_default_dtype())
        uniform = torch.rand(lead, generator=rng, device=rng.device)
        return one_hot(torch.bucketize(uniform, ends, right=True), self.classes)


@dataclass(frozen=True, init=False)
class Joint:
    """Several kinds of noise of one dimension a sample each, side by side: `api.Joint(api.Normal((2,)), …)`."""

    parts: tuple[Noise, ...]

    def __init__(self, *parts: Noise) -> None:
        for part in parts:
            if not (isinstance(part, Noise) and len(part.shape) == 1):
                raise GenbenchError(
                    f"api.Joint: its parts must be noise of one dimension such as api.Normal((2,)), not {part!r}."
                )
        if not parts:
            raise GenbenchError("api.Joint: name what lies side by side, say api.Normal((2,)), api.Categorical(10).")
        object.__setattr__(self, "parts", parts)

    @property
    def shape(self) -> tuple[int, ...]:
        return (sum(part.shape[0] for part in self.parts),)

    def sample(self, lead: tuple[int, ...], rng: Generator) -> Tensor:
        import torch

        return torch.cat([draw_noise(part, lead, rng) for part in self.parts], dim=-1)

    def split(self, noise: Tensor) -> tuple[Tensor, ...]:
        """Noise `(…, all)` as its parts, in their order."""
        import torch

        return tuple(torch.tensor_split(noise, list(accumulate(part.shape[0] for part in self.parts))[:-1], dim=-1))


Draw = Real | Labels | Noise


def draw_noise(noise: Noise, lead: tuple[int, ...], rng: Generator) -> Tensor:
    """Noise `(*lead, *shape)`; raises GenbenchError where what was drawn has another shape."""
    drawn = noise.sample(lead, rng)
    if tuple(drawn.shape) != (*lead, *noise.shape):
        raise GenbenchError(
            f"{noise!r} says its shape is {tuple(noise.shape)}, and drew {tuple(drawn.shape)} for {lead}: "
            f"return {(*lead, *noise.shape)}."
        )
    return drawn


def one_hot(classes: Tensor, count: int) -> Tensor:
    """Classes of any shape as rows of zeros and a one, `(…, count)`."""
    import torch

    return (classes[..., None] == torch.arange(count, device=classes.device)).to(torch.get_default_dtype())


def _shape(given: object, of: str) -> tuple[int, ...]:
    """A shape as a tuple; raises GenbenchError for what is none."""
    if isinstance(given, (tuple, list)) and all(type(size) is int and size > 0 for size in given):
        return tuple(given)
    raise GenbenchError(f"{of}: shape must be a tuple of whole numbers above zero, say (2,), not {given!r}.")
