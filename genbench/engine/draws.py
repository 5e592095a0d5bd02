"""What an update may see: real samples, and noise of any kind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from genbench.errors import GenbenchError

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True)
class Real:
    """A batch of fresh samples from the training stream."""


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


Draw = Real | Noise


def draw_noise(noise: Noise, lead: tuple[int, ...], rng: Generator) -> Tensor:
    """Noise `(*lead, *shape)`; raises GenbenchError where what was drawn has another shape."""
    found = noise.sample(lead, rng)
    if tuple(found.shape) != (*lead, *noise.shape):
        raise GenbenchError(
            f"{noise!r} says its shape is {tuple(noise.shape)}, and drew {tuple(found.shape)} for {lead}: "
            f"return {(*lead, *noise.shape)}."
        )
    return found


def _shape(given: object, of: str) -> tuple[int, ...]:
    """A shape as a tuple; raises GenbenchError for what is none."""
    if isinstance(given, (tuple, list)) and all(type(size) is int and size > 0 for size in given):
        return tuple(given)
    raise GenbenchError(f"{of}: shape must be a tuple of whole numbers above zero, say (2,), not {given!r}.")
