"""A stack of trials from start to records: train, measure at the checkpoints, score, commit."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from genbench import provenance, seeding, store
from genbench.datasets.base import Dataset, Target
from genbench.engine.training import Meter, Stopped, Training, marks
from genbench.executors.task import Context, Notify, Progress, Stop
from genbench.metrics.scoring import Scorer
from genbench.protocols import protocol
from genbench.record import Cost, Record, Score, Scores, Status
from genbench.registry import datasets
from genbench.spec import Component, Trial

STRIP_SAMPLES = 400
REAL_SAMPLES = 1_000
LANDSCAPE_SIDE = 96
LANDSCAPE_MARGIN = 0.3
"""How far a landscape reaches beyond the target's bounding box, in units of the box."""

NOTIFY_SECONDS = 0.25


@dataclass
class Replica:
    """One trial of a stack: where it lives, what was measured so far, and its record once it has ended."""

    trial: Trial
    folder: Path
    curve: list[dict[str, Any]] = field(default_factory=list)
    strip: list[Tensor] = field(default_factory=list)
    eval_seconds: float = 0.0
    record: Record | None = None

    @contextmanager
    def evaluation_clock(self) -> Iterator[None]:
        """What happens within counts as evaluation, not as training."""
        started = time.perf_counter()
        yield
        self.eval_seconds += time.perf_counter() - started


class Session:
    """Trials that are trained as one stack, while they run.

    Args:
        name: what progress is reported under.
        context: what all tasks of the run share.
        trials: trials that differ in their seeds alone and start from the same step.
        checkpoints: how often to measure.
        keep_weights: whether to store final weights.
        notify: hears of progress.
        stop: says whether to stop.
    """

    def __init__(
        self,
        name: str,
        context: Context,
        trials: Sequence[Trial],
        checkpoints: int,
        keep_weights: bool,
        notify: Notify,
        stop: Stop,
    ) -> None:
        self.name, self.context, self.checkpoints, self.keep_weights = name, context, checkpoints, keep_weights
        self.notify, self.stop = notify, stop
        self.replicas = [Replica(trial, folder(context, trial)) for trial in trials]
        self.training: Training | None = None
        self._notified = 0.0

    @property
    def records(self) -> tuple[Record, ...]:
        """The records of the trials that have ended."""
        return tuple(replica.record for replica in self.replicas if replica.record is not None)

    def run(self) -> None:
        """Trains up to each checkpoint in turn and measures there, then scores and commits."""
        trials = [replica.trial for replica in self.replicas]
        dataset = build_dataset(trials[0].dataset)
        device = resolve_device(self.context.device)
        self.training = training = Training(trials, dataset, device, self.context.engine)
        done = self._resume(training)
        for mark in marks(training.budget, self.checkpoints):
            if mark <= done:
                continue
            try:
                training.run(until=mark, stop=self._stop)
            except Stopped:
                self._save(training, done)
                raise
            for i, reason in training.diverged.items():
                self._fail(self.replicas[i], "diverged", reason)
            if not self._running:
                return
            samples = self._measure(training)
            done = mark
            if mark < 1:
                self._save(training, done)
        for i, replica in self._running:
            self._finish(replica, i, samples[i], training, dataset)

    def fail(self, status: Status, reason: str) -> None:
        """Records how every trial that hasn't ended has failed, and what it had used by then."""
        for _, replica in self._running:
            self._fail(replica, status, reason)

    @property
    def _running(self) -> list[tuple[int, Replica]]:
        return [(i, replica) for i, replica in enumerate(self.replicas) if replica.record is None]

    def _fail(self, replica: Replica, status: Status, reason: str) -> None:
        if replica.record is None:
            replica.record = commit_failure(
                self.context, replica.trial, status, reason, self._cost(replica), self._provenance()
            )

    def _stop(self, meter: Meter) -> bool:
        now = time.perf_counter()
        if now - self._notified < NOTIFY_SECONDS:
            return False
        self._notified = now
        assert self.training is not None
        curve = self.replicas[0].curve
        note = ", ".join(f"{key} {curve[-1][key]:g}" for key in ("modes", "hq") if curve and key in curve[-1])
        self.notify(Progress(self.name, self.training.progress, meter.steps, meter.seconds, note, len(self.replicas)))
        return self.stop()

    def _measure(self, training: Training) -> Tensor:
        """Samples from the evaluation streams, always the same noise, and adds a row to each curve."""
        protocols = [protocol(name) for name in self.context.protocols]
        rngs = [
            seeding.stream(replica.trial.seed, seeding.EVALUATION_NOISE, training.device) for replica in self.replicas
        ]
        with self.replicas[0].evaluation_clock():
            samples = training.stack.sample(max(p.n for p in protocols), rngs).cpu()
        losses = {f"loss_{name}": values.tolist() for name, values in training.losses.items()}
        for i, replica in self._running:
            with replica.evaluation_clock():
                scores = scorer(replica.trial.dataset, protocols[0].name, curve=True)(samples[i])
                row: dict[str, Any] = {"protocol": protocols[0].name, **asdict(training.meter)}
                row |= {name: values[i] for name, values in losses.items()}
                row |= {score.name: score.value for score in scores if score.value is not None}
                replica.curve.append(row)
                replica.strip.append(samples[i, :STRIP_SAMPLES].half())
        return samples

    def _finish(self, replica: Replica, i: int, samples: Tensor, training: Training, dataset: Dataset) -> None:
        context, trial = self.context, replica.trial
        with replica.evaluation_clock():
            controls = store.Store(Path(context.root)).read_controls(context.suite, trial.dataset)
            scores: list[Score] = []
            for name in context.protocols:
                bands = (
                    {band.name: band for band in controls.bands if band.identity.protocol == name} if controls else {}
                )
                scores += scorer(trial.dataset, name)(samples, bands)
            pictured = _pictured(training, i, dataset)
        record = Record(
            id=trial.id,
            suite=context.suite,
            trial=trial,
            status="done",
            cost=self._cost(replica),
            weights_sha256=training.weights_sha256(i),
            provenance=self._provenance(),
        )
        replica.record = store.commit(
            replica.folder,
            record,
            Scores(id=trial.id, scores=tuple(scores)),
            pd.DataFrame(replica.curve),
            {"final": samples, "strip": torch.stack(replica.strip), **pictured},
            training.stack.weights(i) if self.keep_weights else None,
        )

    def _resume(self, training: Training) -> float:
        """Takes up the checkpoints, if there are any; returns the last mark that was measured, 0 for none."""
        done = 0.0
        for i, replica in enumerate(self.replicas):
            found = store.load_checkpoint(replica.folder)
            if found is None:
                continue
            tensors, facts = found
            training.restore(tensors, facts["meter"], i)
            replica.curve, replica.eval_seconds = facts["curve"], facts["eval_seconds"]
            replica.strip = [tensors[f"strip.{k}"] for k in range(len(replica.curve))]
            done = float(facts["done"])
        return done

    def _save(self, training: Training, done: float) -> None:
        for i, replica in self._running:
            tensors, meter = training.state(i)
            facts = {"meter": meter, "curve": replica.curve, "eval_seconds": replica.eval_seconds, "done": done}
            strip = {f"strip.{k}": frame for k, frame in enumerate(replica.strip)}
            store.save_checkpoint(replica.folder, tensors | strip, facts)

    def _cost(self, replica: Replica) -> Cost:
        """What a trial has used: of the stack's seconds, its share."""
        meter = self.training.meter if self.training else Meter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Cost(
            steps=meter.steps,
            updates=meter.updates,
            samples=meter.samples,
            train_seconds=round(meter.seconds / len(self.replicas), 3),
            eval_seconds=round(replica.eval_seconds, 3),
            peak_memory_bytes=peak,
        )

    def _provenance(self) -> dict[str, Any]:
        path = {"engine": {**self.training.path._asdict(), "stack": len(self.replicas)}} if self.training else {}
        return provenance.gather(resolve_device(self.context.device), self.context.command) | path


def _pictured(training: Training, replica: int, dataset: Dataset) -> dict[str, Tensor]:
    """What the pictures need besides samples: real points, and the critic's landscape with its extent."""
    if not isinstance(dataset, Target) or dataset.event_shape != (2,):
        return {}
    real = dataset.sample(REAL_SAMPLES, seeding.stream(0, seeding.REFERENCE_DATA))
    pictured = {"real": real.half()}
    margin = LANDSCAPE_MARGIN * (dataset.box.high - dataset.box.low)
    low, high = dataset.box.low - margin, dataset.box.high + margin
    axes = [torch.linspace(float(a), float(b), LANDSCAPE_SIDE) for a, b in zip(low, high, strict=True)]
    heights = training.stack.landscape(torch.cartesian_prod(*axes))
    if heights is not None:
        heights = heights[replica].cpu().reshape(LANDSCAPE_SIDE, LANDSCAPE_SIDE)
        # Half precision is finer than a picture's levels, but its range is small.
        pictured["landscape"] = (heights / heights.abs().amax().clamp(min=1e-30)).half()
        pictured["extent"] = torch.stack([low, high])
    return pictured


def commit_failure(
    context: Context, trial: Trial, status: Status, reason: str, cost: Cost, origin: dict[str, Any]
) -> Record:
    """Stores a failure's record; where even that fails, the record's reason says so."""
    record = Record(
        id=trial.id, suite=context.suite, trial=trial, status=status, reason=reason, cost=cost, provenance=origin
    )
    try:
        return store.commit(folder(context, trial), record)
    except OSError as error:
        return record.model_copy(update={"reason": f"{reason}; not stored: {error.strerror}"})


def folder(context: Context, trial: Trial) -> Path:
    """Where a trial of this run leaves its record."""
    return store.Store(Path(context.root)).folder(context.suite, trial)


def resolve_device(device: str) -> str:
    """`auto` is the accelerator where torch finds one, else the processor."""
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


@lru_cache(maxsize=8)
def build_dataset(component: Component) -> Dataset:
    """The dataset of a component, kept for the trials that follow."""
    dataset: Dataset = datasets[component.name].build(**component.parameters)
    return dataset


@lru_cache(maxsize=16)
def scorer(component: Component, protocol_name: str, curve: bool = False) -> Scorer:
    """A dataset's scorer under a protocol, kept for the trials that follow."""
    found = protocol(protocol_name)
    return Scorer(build_dataset(component), found.along() if curve else found)
