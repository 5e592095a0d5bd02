"""What a method hands to the engine: its networks and an ordered list of phases. A method is data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Module

    from genbench.datasets.base import DataStream

ScheduleName = Literal["constant", "linear", "cosine"]
OptimizerName = Literal["adam", "rmsprop", "sgd"]
Params = Mapping[str, "Tensor"]


class Networks:
    """A method's networks by attribute, `networks.critic(x)`; each takes and returns plain tensors."""

    def __init__(self, networks: Mapping[str, Callable[..., Tensor]]) -> None:
        self.__dict__.update(networks)

    def __getattr__(self, name: str) -> Callable[..., Tensor]:
        raise AttributeError(f"This method has no network {name!r}; it has {', '.join(self.__dict__)}.")

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)


class Batch:
    """What one update sees, by attribute: `batch.real` and every noise tensor that its phase asked for.

    Each has the shape `(batch, *event)`, with the event shape that the phase's draw names.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.__dict__.update(tensors)

    def __getattr__(self, name: str) -> Tensor:
        raise AttributeError(f"This phase draws no {name!r}; add it to the phase's draws.")


@dataclass(frozen=True)
class Real:
    """A batch of fresh samples from the training stream."""


@dataclass(frozen=True)
class Normal:
    """Standard normal noise of shape `(batch, *shape)`."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Uniform:
    """Uniform noise on [low, high) of shape `(batch, *shape)`."""

    low: float = 0.0
    high: float = 1.0
    shape: tuple[int, ...] = (1,)


Draw = Real | Normal | Uniform


@dataclass(frozen=True)
class Phase:
    """One network's turn to learn, `repeats` times in a row, each time on a fresh batch.

    `loss` takes the networks and the batch and returns a scalar. It is pure: it draws nothing, changes nothing
    and reduces over the batch. `after` maps the network's parameters to what they become after each update
    (weight clipping). Gradients reach the phase's own network alone.
    """

    network: str
    loss: Callable[[Networks, Batch], Tensor]
    draws: Mapping[str, Draw]
    repeats: int = 1
    after: Callable[[Params], Params] | None = None


@dataclass(frozen=True)
class Optimizer:
    """A torch optimiser by name; `beta1` is Adam's first decay or SGD's momentum, `beta2` the second-moment decay."""

    name: OptimizerName
    lr: float
    beta1: float = 0.9
    beta2: float = 0.999


@dataclass(frozen=True)
class Method:
    """A method as data: networks, phases, one optimiser a network, the prior and the batch size.

    `networks["generator"]` maps prior noise to samples. `landscape` names the network whose level sets are worth
    a picture, if one maps samples to `(batch, 1)` scores. One generator step is one pass over all phases.
    """

    networks: Mapping[str, Module]
    phases: Sequence[Phase]
    optimizers: Mapping[str, Optimizer]
    prior: Normal
    batch: int
    schedule: ScheduleName = "constant"
    landscape: str | None = None

    @property
    def updates_per_step(self) -> int:
        """How many network updates a generator step is."""
        return sum(phase.repeats for phase in self.phases)

    @property
    def samples_per_step(self) -> int:
        """How many real samples a generator step sees."""
        return self.batch * sum(
            phase.repeats for phase in self.phases for draw in phase.draws.values() if isinstance(draw, Real)
        )


class Trainer(Protocol):
    """What no list of phases can say: the wider contract. The engine gives it data and asks it for samples."""

    updates_per_step: int

    def step(self, data: DataStream, progress: float) -> Mapping[str, Tensor]:
        """One generator step; `progress` is the used share of the budget, in [0, 1). Returns losses by name."""

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """Generates `(n, *event)` samples with noise from `rng` alone, changing nothing."""

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that a step reads and changes, as named tensors."""

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state_dict`."""

    def weights(self) -> dict[str, Tensor]:
        """The networks' parameters and buffers alone, as `network.parameter`."""
