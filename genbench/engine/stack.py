"""What the training loop drives: replicas of one trainer, of different seeds, that take their steps together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Generator, Tensor

from genbench import seeding
from genbench.datasets.base import DataStream
from genbench.engine.draws import Noise
from genbench.engine.method import Trainer
from genbench.engine.problem import Problem
from genbench.errors import GenbenchError

BLOCK_NUMBERS = 16_384
SMALLEST_BLOCK = 256
"""Networks are evaluated on samples of so many numbers at a time, and on so many samples, so that memory stays flat."""


class Likelihood(NamedTuple):
    """A likelihood that is exact, or a bound by so many draws."""

    bound: int | None


class Stack(Protocol):
    """Replicas of one trainer; what a replica does depends on its own seed alone, but for rounding."""

    @property
    def prior(self) -> Noise | None:
        """The noise that samples are made of; None where a trainer takes none."""

    @property
    def evaluations(self) -> int | None:
        """How often networks were evaluated for each of the last samples; None before any, and where nobody knows."""

    @property
    def size(self) -> int:
        """How many replicas there are."""

    @property
    def updates(self) -> int:
        """Updates that each replica has had."""

    @property
    def samples(self) -> int:
        """Real samples that each replica has seen."""

    def step(self, progress: float) -> Mapping[str, Tensor]:
        """One generator step of each replica at `progress` in [0, 1): every phase once, in order.

        Returns each phase's last losses by its name, `(replicas,)`.
        """

    def sample(self, n: int, rngs: Sequence[Generator], first: int | None = None) -> Tensor:
        """Generates `(replicas, n, *event)` samples, each replica's with noise from its own stream.

        With `first`, so many of them, which are the first of all but for rounding.
        """

    def generate(self, replica: int, noise: Tensor) -> Tensor | None:
        """A replica's samples `(n, *event)` for noise `(n, *prior)`; None where a trainer takes none."""

    @property
    def likelihood(self) -> Likelihood | None:
        """What the trainer says of its likelihood; None for one that says nothing."""

    def log_prob(self, replica: int, x: Tensor) -> Tensor:
        """A replica's log densities, in nats, or lower bounds of them, at `x` `(n, *event)`: `(n,)`.

        Only of a trainer with a likelihood.
        """

    def landscape(self, points: Tensor) -> Tensor | None:
        """Each critic's scores `(replicas, n)` at `points` `(n, *event)`; None without a critic."""

    def makers(self, replica: int) -> dict[str, Tensor]:
        """The parameters, not copies, of a replica's networks that make samples, as `network.parameter`.

        Raises GenbenchError for a trainer that has none that the engine knows of.
        """

    def weights(self, replica: int) -> dict[str, Tensor]:
        """A replica's parameters and buffers, as `network.parameter`."""

    def state(self, replica: int) -> dict[str, Tensor]:
        """Everything that a replica's next steps depend on; every path uses the same names."""

    def restore(self, replica: int, steps: int, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`, after so many steps. All replicas must be restored to the same one."""


class Solo:
    """A stack of one for a trainer that is no list of phases."""

    size = 1
    prior = None
    evaluations = None
    likelihood = None

    def __init__(self, trainer: Trainer, problem: Problem, data: DataStream) -> None:
        self.trainer = trainer
        self._problem, self._data, self._steps = problem, data, 0

    @property
    def updates(self) -> int:
        return self._steps * self.trainer.updates_per_step

    @property
    def samples(self) -> int:
        return self._data.drawn

    def step(self, progress: float) -> Mapping[str, Tensor]:
        losses = self.trainer.step(self._data, progress)
        self._steps += 1
        return {name: loss.detach().reshape(1) for name, loss in losses.items()}

    def sample(self, n: int, rngs: Sequence[Generator], first: int | None = None) -> Tensor:
        (rng,) = rngs
        with self._problem.global_streams(seeding.GLOBAL_EVALUATION):
            samples = self.trainer.sample(n, rng)
        check_samples(samples, n, self._problem, "the trainer's sample")
        return samples[None, :first]

    def generate(self, replica: int, noise: Tensor) -> None:
        return None

    def log_prob(self, replica: int, x: Tensor) -> Tensor:
        raise NotImplementedError("the trainer is no list of phases, and says nothing of its likelihood")

    def landscape(self, points: Tensor) -> None:
        return None

    def makers(self, replica: int) -> dict[str, Tensor]:
        raise GenbenchError("The trainer is no list of phases, so its generator can't be averaged. Leave out --ema.")

    def weights(self, replica: int) -> dict[str, Tensor]:
        return self.trainer.weights()

    def state(self, replica: int) -> dict[str, Tensor]:
        state = {f"trainer.{key}": value for key, value in self.trainer.state_dict().items()}
        streams = {f"stream.{role}": rng.get_state() for role, rng in self._problem.streams.items()}
        return state | streams | {"drawn": torch.tensor(self._data.drawn)}

    def restore(self, replica: int, steps: int, state: Mapping[str, Tensor]) -> None:
        self.trainer.load_state_dict(below(state, "trainer."))
        for role, value in below(state, "stream.").items():
            self._problem.stream(role).set_state(value.cpu())
        self._data.drawn, self._steps = int(state["drawn"]), steps


def check_samples(samples: Tensor, n: int, problem: Problem, maker: str) -> None:
    """Raises GenbenchError where what `maker` made are not n samples of the problem's event shape."""
    if tuple(samples.shape) != (n, *problem.event_shape):
        raise GenbenchError(
            f"{n} samples of the dataset have the shape {(n, *problem.event_shape)}, and {maker} made "
            f"{tuple(samples.shape)}."
        )
    if not samples.is_floating_point():
        raise GenbenchError(f"Samples are real numbers, and {maker} made {samples.dtype}: make them torch.float32.")


def sample_block(event_shape: Sequence[int]) -> int:
    """On how many samples of that shape to evaluate a network at a time."""
    return max(SMALLEST_BLOCK, BLOCK_NUMBERS // math.prod(event_shape))


def below(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The part of a state that `prefix` names, without the prefix."""
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
