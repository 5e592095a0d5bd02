"""One trial's training: stepping under the train clock, stopping on its budget, resumable to the same bits."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from genbench import seeding
from genbench.datasets.base import Dataset, DataStream
from genbench.engine.method import Method, Trainer
from genbench.engine.phases import PhaseTrainer
from genbench.engine.problem import Problem
from genbench.registry import trainers
from genbench.spec import Budget, Trial

CHECK_EVERY = 100
"""Losses are looked at once in so many steps: looking makes the host wait for the device."""

FIRST_MARK = 0.01
"""The share of the budget at which the first checkpoint lies."""


class Diverged(Exception):
    """Training left the finite numbers; the message says where."""


class Stopped(Exception):
    """Training was asked to stop before its budget was used up."""


@dataclass
class Meter:
    """What a trial has used so far, in every unit that a budget can have."""

    steps: int = 0
    updates: int = 0
    samples: int = 0
    seconds: float = 0.0

    def used(self, kind: str) -> float:
        return float(getattr(self, kind))


class Training:
    """Trains one trial from start to finish, as far as it is told each time.

    Args:
        trial: what to train.
        dataset: the trial's dataset, already built.
        device: where to train.
    """

    def __init__(self, trial: Trial, dataset: Dataset, device: torch.device | str = "cpu") -> None:
        self.budget = trial.budget
        self.meter = Meter()
        self.losses: Mapping[str, Tensor] = {}
        self.problem = Problem(dataset.event_shape, trial.seed, device)
        self.data = DataStream(dataset, self.problem.stream(seeding.TRAINING_DATA))
        built = trainers[trial.trainer.name].build(self.problem, **trial.trainer.parameters)
        self.trainer: Trainer = PhaseTrainer(built, self.problem) if isinstance(built, Method) else built

    @property
    def progress(self) -> float:
        """The share of the budget that is used up."""
        return self.meter.used(self.budget.kind) / self.budget.amount

    def run(self, until: float, stop: Callable[[Meter], bool] = lambda meter: False) -> None:
        """Steps until the share `until` of the budget is used. Raises Diverged; raises Stopped where `stop` says so.

        `stop` is asked after every step and sees the meter; it must not change anything that training reads.
        """
        started, before = time.perf_counter(), self.meter.seconds
        while self.progress < until:
            self.losses = self.trainer.step(self.data, self.progress)
            self.meter.steps += 1
            self.meter.updates += self.trainer.updates_per_step
            self.meter.samples = self.data.drawn
            self.meter.seconds = before + time.perf_counter() - started
            if self.meter.steps % CHECK_EVERY == 0:
                self._check_losses()
            if stop(self.meter):
                raise Stopped
        self._check_losses()
        self._check_weights()

    def weights_sha256(self) -> str:
        """SHA-256 over the networks' names, shapes, types and bytes, in the names' order."""
        digest = hashlib.sha256()
        for name, value in sorted(self.trainer.weights().items()):
            digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
            digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that the rest of the training depends on: tensors, and the meter's numbers."""
        tensors = {f"trainer.{key}": value for key, value in self.trainer.state_dict().items()}
        tensors |= {f"stream.{role}": rng.get_state() for role, rng in self.problem.streams.items()}
        return tensors, asdict(self.meter)

    def restore(self, tensors: Mapping[str, Tensor], meter: Mapping[str, Any]) -> None:
        """The inverse of `state`: what follows is bit for bit what would have followed."""
        self.meter = Meter(**meter)
        self.data.drawn = self.meter.samples
        prefix = "trainer."
        self.trainer.load_state_dict(
            {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        )
        for role in [key.removeprefix("stream.") for key in tensors if key.startswith("stream.")]:
            self.problem.stream(role).set_state(tensors[f"stream.{role}"].cpu())

    def _check_losses(self) -> None:
        for name, loss in self.losses.items():
            if not math.isfinite(value := float(loss)):
                raise Diverged(f"the {name}'s loss became {value} by generator step {self.meter.steps}")

    def _check_weights(self) -> None:
        for name, value in self.trainer.weights().items():
            if not bool(torch.isfinite(value).all()):
                raise Diverged(f"{name} is no longer finite at generator step {self.meter.steps}")


def marks(budget: Budget, count: int) -> list[float]:
    """Up to `count` shares of the budget, evenly spaced in the logarithm, the last one exactly 1.

    Where the budget counts whole things, marks that fall on the same one are merged.
    """
    spaced = [FIRST_MARK ** (1 - i / (count - 1)) for i in range(count)] if count > 1 else [1.0]
    if budget.kind == "seconds":
        return spaced
    return sorted({max(1, round(share * budget.amount)) / budget.amount for share in spaced})
