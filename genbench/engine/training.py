"""The training loop: stepping under the train clock, stopping on the budget, resumable to the same bits."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genbench.datasets.base import Dataset
from genbench.engine import EXACT, Engine, Numerics
from genbench.engine.average import Average
from genbench.engine.paths import assemble
from genbench.spec import Budget, Trial

CHECK_EVERY = 100
"""Losses are looked at once in so many steps: looking makes the host wait for the device."""

FIRST_MARK = 0.01
"""The share of the budget at which the first checkpoint lies."""


class Stopped(Exception):
    """Training was asked to stop before its budget was used up."""


class Traced(NamedTuple):
    """The losses at a moment of training: each network's, a number a replica."""

    steps: int
    updates: int
    losses: dict[str, list[float]]


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
    """Trains trials that differ in their seeds alone, in step, as far as it is told each time.

    Args:
        trials: what to train, the replicas of one stack.
        dataset: the trials' dataset, already built.
        device: where to train.
        engine: the path, or `auto` for the one that pays.
        numerics: how numbers are held and multiplied.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        dataset: Dataset,
        device: torch.device | str = "cpu",
        engine: Engine = "auto",
        numerics: Numerics = EXACT,
    ) -> None:
        self.budget = trials[0].budget
        self.device = device
        self.meter = Meter()
        self.losses: Mapping[str, Tensor] = {}
        self.trace: list[Traced] = []
        self.diverged: dict[int, str] = {}
        """The replicas that left the finite numbers, and where. They go on as nonsense that nobody reads."""
        self.stack, self.path = assemble(trials, dataset, device, engine, numerics)
        self.average = Average(self.stack, trials[0].ema) if trials[0].ema else None

    @property
    def progress(self) -> float:
        """The share of the budget that is used up."""
        return self.meter.used(self.budget.kind) / self.budget.amount

    def run(self, until: float, stop: Callable[[Meter], bool] = lambda meter: False) -> None:
        """Steps until the share `until` of the budget is used, or until no replica is finite any more.

        `stop` is asked after every step and sees the meter; it must not change anything that training reads. Where
        it says so, Stopped is raised.
        """
        started, before = time.perf_counter(), self.meter.seconds
        while self.progress < until and len(self.diverged) < self.stack.size:
            self.losses = self.stack.step(self.progress)
            if self.average is not None:
                self.average.update()
            self.meter.steps += 1
            self.meter.updates += self.stack.updates_per_step
            self.meter.samples = self.stack.samples
            self.meter.seconds = before + time.perf_counter() - started
            if self.meter.steps % CHECK_EVERY == 0:
                losses = self._check_losses()
                self.trace.append(Traced(self.meter.steps, self.meter.updates, losses))
            if stop(self.meter):
                raise Stopped
        self._check_losses()
        self._check_weights()

    def weights_sha256(self, replica: int = 0) -> str:
        """SHA-256 over the networks' names, shapes, types and bytes, in the names' order."""
        digest = hashlib.sha256()
        for name, value in sorted(self.stack.weights(replica).items()):
            digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
            digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    def state(self, replica: int = 0) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that the rest of a replica's training depends on: tensors, and the meter's numbers."""
        averaged = self.average.state(replica) if self.average else {}
        return self.stack.state(replica) | averaged, asdict(self.meter)

    def restore(self, tensors: Mapping[str, Tensor], meter: Mapping[str, Any], replica: int = 0) -> None:
        """The inverse of `state`: what follows is bit for bit what would have followed."""
        self.meter = Meter(**meter)
        self.stack.restore(replica, self.meter.steps, tensors)
        if self.average is not None:
            self.average.restore(replica, tensors)

    def _check_losses(self) -> dict[str, list[float]]:
        """The losses as numbers; a replica with one that isn't finite has diverged."""
        found = {name: losses.tolist() for name, losses in self.losses.items()}
        for name, losses in found.items():
            for replica, loss in enumerate(losses):
                if not math.isfinite(loss):
                    self.diverged.setdefault(
                        replica, f"the {name}'s loss became {loss} by generator step {self.meter.steps}"
                    )
        return found

    def _check_weights(self) -> None:
        for replica in range(self.stack.size):
            for name, value in self.stack.weights(replica).items():
                if not bool(torch.isfinite(value).all()):
                    self.diverged.setdefault(
                        replica, f"{name} is no longer finite at generator step {self.meter.steps}"
                    )


def marks(budget: Budget, count: int) -> list[float]:
    """Up to `count` shares of the budget, evenly spaced in the logarithm, the last one exactly 1.

    Where the budget counts whole things, marks that fall on the same one are merged.
    """
    spaced = [FIRST_MARK ** (1 - i / (count - 1)) for i in range(count)] if count > 1 else [1.0]
    if budget.kind == "seconds":
        return spaced
    return sorted({max(1, round(share * budget.amount)) / budget.amount for share in spaced})
