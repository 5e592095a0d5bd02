"""The training loop: stepping under the train clock, stopping on the budget, resumable to the same bits."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genbench import seeding
from genbench.datasets.base import Dataset
from genbench.engine import EXACT, Engine, Numerics
from genbench.engine.average import Average
from genbench.engine.global_streams import GlobalStreams
from genbench.engine.meter import Clock, Meter
from genbench.engine.paths import assemble
from genbench.engine.stack import below
from genbench.spec import Budget, Trial

CHECK_EVERY = 100
"""Losses are looked at once in so many steps: looking makes the host wait for the device."""

GLOBAL = "global."
"""Begins the names of the global streams' states in a checkpoint. Replicas that train together draw from none."""

FIRST_MARK = 0.01
"""The share of the budget at which the first checkpoint lies."""


class Stopped(Exception):
    """Training was asked to stop before its budget was used up."""


class Traced(NamedTuple):
    """The losses at a moment of training: each phase's, a number a replica."""

    steps: int
    updates: int
    losses: dict[str, list[float]]


class Training:
    """Trains trials that differ in their seeds alone, in step, as far as it is told each time.

    Args:
        trials: what to train, the replicas of one stack; with a budget in seconds, one.
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
        self._clock = Clock(device)
        self._running_since: float | None = None
        self._seconds_before = 0.0
        self.losses: Mapping[str, Tensor] = {}
        self.trace: list[Traced] = []
        self.diverged: dict[int, str] = {}
        """The replicas that left the finite numbers, and where. They go on as nonsense that nobody reads."""
        self._streams = GlobalStreams(seeding.derive(trials[0].seed, seeding.GLOBAL_TRAINING), device)
        self.stack, self.path, compile_seconds = assemble(trials, dataset, self._clock, device, engine, numerics)
        self.average = Average(self.stack, trials[0].ema) if trials[0].ema else None
        self.meter = Meter(compile_seconds=compile_seconds / self.stack.size)
        """Of the first replica. The others differ from it in no more than the seconds that they were restored with."""
        self._brought = [Meter() for _ in trials]

    @property
    def progress(self) -> float:
        """The share of the budget that is used up."""
        return self.meter.used(self.budget.kind) / self.budget.amount

    def run(self, until: float, stop: Callable[[Meter], bool] = lambda meter: False) -> None:
        """Steps until the share `until` of the budget is used, or until no replica is finite any more.

        `stop` is asked after every step and sees the meter; it must not change anything that training reads. Where
        it says so, Stopped is raised. Where the clock waits for the device, the meter's seconds are those of the last
        look: `read_clock` takes another.
        """
        with self._streams.entered():
            self._run(until, stop)
        self._check_losses()
        self._check_weights()

    def _run(self, until: float, stop: Callable[[Meter], bool]) -> None:
        every_step = not self._clock.waits or self.budget.kind == "seconds"
        self._seconds_before, self._running_since = self.meter.seconds, self._clock.now()
        stopped = False
        try:
            while not stopped and self.progress < until and len(self.diverged) < self.stack.size:
                self.losses = self.stack.step(self.progress)
                if self.average is not None:
                    self.average.update()
                self.meter.steps += 1
                self.meter.updates = self.stack.updates
                self.meter.samples = self.stack.samples
                looking = self.meter.steps % CHECK_EVERY == 0
                if every_step or looking:
                    self.read_clock()
                if looking:
                    losses = self._check_losses()
                    self.trace.append(Traced(self.meter.steps, self.meter.updates, losses))
                stopped = stop(self.meter)
            if not every_step:
                self.read_clock()
        finally:
            self._running_since = None
        if stopped:
            raise Stopped

    def read_clock(self) -> None:
        """Brings the meter's seconds up to now, while `run` runs; afterwards they stand still."""
        if self._running_since is not None:
            elapsed = self._clock.now() - self._running_since
            self.meter.seconds = self._seconds_before + elapsed / self.stack.size

    def meter_of(self, replica: int) -> Meter:
        """What a replica has used, with the seconds that it was itself restored with."""
        own, first = self._brought[replica], self._brought[0]
        return replace(
            self.meter,
            seconds=self.meter.seconds + (own.seconds - first.seconds),
            compile_seconds=self.meter.compile_seconds + (own.compile_seconds - first.compile_seconds),
        )

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
        streams = {f"{GLOBAL}{name}": value for name, value in self._streams.state().items()}
        return self.stack.state(replica) | averaged | streams, asdict(self.meter_of(replica))

    def restore(self, tensors: Mapping[str, Tensor], meter: Mapping[str, Any], replica: int = 0) -> None:
        """The inverse of `state`: what follows is bit for bit what would have followed.

        Seconds of compiling are added to those that this training has taken itself.
        """
        compiling = self.meter.compile_seconds - self._brought[0].compile_seconds
        self._brought[replica] = Meter(**meter)
        first = self._brought[0]
        self.meter = replace(
            self._brought[replica], seconds=first.seconds, compile_seconds=compiling + first.compile_seconds
        )
        self.stack.restore(replica, self.meter.steps, tensors)
        if self.average is not None:
            self.average.restore(replica, tensors)
        self._streams.restore(below(tensors, GLOBAL))

    def recall(self, losses: Mapping[str, float], replica: int = 0) -> None:
        """A replica's losses of the last step before it was restored, which are told if no other follows."""
        known = dict(self.losses)
        for name, loss in losses.items():
            known.setdefault(name, torch.full((self.stack.size,), math.nan, dtype=torch.float64))[replica] = loss
        self.losses = known

    def _check_losses(self) -> dict[str, list[float]]:
        """The losses as numbers; a replica with one that isn't finite has diverged."""
        values: dict[str, list[float]] = {}
        if self.losses:
            there = torch.stack([each.to(self.device, torch.float64) for each in self.losses.values()])
            values = dict(zip(self.losses, there.tolist(), strict=True))
        for name, losses in values.items():
            for replica, loss in enumerate(losses):
                if not math.isfinite(loss):
                    self.diverged.setdefault(
                        replica, f"the {name}'s loss became {loss} by generator step {self.meter.steps}"
                    )
        return values

    def _check_weights(self) -> None:
        finite = [
            (replica, name, torch.isfinite(value).all().to(self.device))
            for replica in range(self.stack.size)
            for name, value in self.stack.weights(replica).items()
        ]
        if not finite:
            return
        # Brought from the device in one go.
        for (replica, name, _), fine in zip(finite, torch.stack([each for *_, each in finite]).tolist(), strict=True):
            if not fine:
                self.diverged.setdefault(replica, f"{name} is no longer finite at generator step {self.meter.steps}")


def marks(budget: Budget, count: int) -> list[float]:
    """Up to `count` shares of the budget, evenly spaced in the logarithm, the last one exactly 1.

    Where the budget counts whole things, marks that fall on the same one are merged.
    """
    spaced = [FIRST_MARK ** (1 - i / (count - 1)) for i in range(count)] if count > 1 else [1.0]
    if budget.kind == "seconds":
        return spaced
    return sorted({max(1, round(share * budget.amount)) / budget.amount for share in spaced})
