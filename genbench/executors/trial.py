"""One trial from start to record: train, measure at the checkpoints, score, commit."""

from __future__ import annotations

import resource
import sys
import time
import traceback
from collections.abc import Iterator
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
from genbench.executors.task import Context, Notify, Outcome, Progress, Stop
from genbench.metrics.protocols import protocol
from genbench.metrics.scoring import Scorer
from genbench.record import Cost, Record, Score, Scores, Status
from genbench.registry import datasets
from genbench.spec import Component, Trial

STRIP_SAMPLES = 400
REAL_SAMPLES = 1_000
LANDSCAPE_SIDE = 96
LANDSCAPE_MARGIN = 0.3
"""How far a landscape reaches beyond the target's bounding box, in units of the box."""

NOTIFY_SECONDS = 0.25


@dataclass(frozen=True)
class TrialTask:
    """Trains, scores and stores one trial; goes on from its checkpoint where there is one."""

    context: Context
    trial: Trial
    checkpoints: int
    keep_weights: bool = True

    @property
    def name(self) -> str:
        return str(self.trial)

    @property
    def needs(self) -> str:
        return control_name(self.trial.dataset)

    @property
    def folder(self) -> Path:
        return store.Store(Path(self.context.root)).folder(self.context.suite, self.trial)

    def run(self, notify: Notify, stop: Stop) -> Outcome:
        """Runs the trial; any way in which it fails becomes its record's status and reason."""
        with one_thread():
            session = Session(self, notify, stop)
            try:
                record = session.run()
            except Stopped:
                return Outcome(self)
            except (torch.OutOfMemoryError, MemoryError) as error:
                reason = f"{str(error) or 'memory ran out'}; lower batch or width, or run fewer --jobs"
                record = session.fail("out-of-memory", reason)
            except Exception as error:  # a method may raise anything: it is the trial that fails, not the run
                record = session.fail("crashed", _where(error))
        return Outcome(self, record=record)

    def crashed(self, reason: str) -> Outcome:
        """Records a trial whose process died."""
        cost = Cost(steps=0, updates=0, samples=0, train_seconds=0, eval_seconds=0, peak_memory_bytes=None)
        return Outcome(self, record=self.commit_failure("crashed", reason, cost, {}))

    def commit_failure(self, status: Status, reason: str, cost: Cost, origin: dict[str, Any]) -> Record:
        """Stores a failure's record; where even that fails, the record's reason says so."""
        record = Record(
            id=self.trial.id,
            suite=self.context.suite,
            trial=self.trial,
            status=status,
            reason=reason,
            cost=cost,
            provenance=origin,
        )
        try:
            return store.commit(self.folder, record)
        except OSError as error:
            return record.model_copy(update={"reason": f"{reason}; not stored: {error.strerror}"})


@dataclass
class Session:
    """A trial while it runs: its training, and what was measured so far."""

    task: TrialTask
    notify: Notify
    stop: Stop
    training: Training | None = None
    curve: list[dict[str, Any]] = field(default_factory=list)
    strip: list[Tensor] = field(default_factory=list)
    eval_seconds: float = 0.0
    _notified: float = field(default=0.0, init=False)

    def run(self) -> Record:
        """Trains up to each checkpoint in turn and measures there, then scores and commits."""
        context, trial = self.task.context, self.task.trial
        device = resolve_device(context.device)
        dataset = build_dataset(trial.dataset)
        self.training = training = Training([trial], dataset, device, context.engine)
        done = self._resume(training)
        for mark in marks(trial.budget, self.task.checkpoints):
            if mark <= done:
                continue
            try:
                training.run(until=mark, stop=self._stop)
            except Stopped:
                self._save(training, done)
                raise
            if training.diverged:
                return self.fail("diverged", training.diverged[0])
            samples = self._measure(training)
            done = mark
            if mark < 1:
                self._save(training, done)
        return self._finish(training, dataset, samples)

    def fail(self, status: Status, reason: str) -> Record:
        """Records how the trial failed and what it had used by then."""
        return self.task.commit_failure(status, reason, self._cost(), self._provenance())

    def _stop(self, meter: Meter) -> bool:
        now = time.perf_counter()
        if now - self._notified < NOTIFY_SECONDS:
            return False
        self._notified = now
        assert self.training is not None
        note = ", ".join(
            f"{key} {self.curve[-1][key]:g}" for key in ("modes", "hq") if self.curve and key in self.curve[-1]
        )
        self.notify(Progress(self.task.name, self.training.progress, meter.steps, meter.seconds, note))
        return self.stop()

    @contextmanager
    def _evaluation_clock(self) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.eval_seconds += time.perf_counter() - started

    def _measure(self, training: Training) -> Tensor:
        """Samples from the evaluation stream, always the same noise, and adds a row to the curve."""
        with self._evaluation_clock():
            protocols = [protocol(name) for name in self.task.context.protocols]
            rng = seeding.stream(self.task.trial.seed, seeding.EVALUATION_NOISE, training.device)
            samples = training.stack.sample(max(p.n for p in protocols), [rng])[0].cpu()
            scores = scorer(self.task.trial.dataset, protocols[0].name, curve=True)(samples)
            meter = training.meter
            row: dict[str, Any] = {"protocol": protocols[0].name, **asdict(meter)}
            row |= {f"loss_{name}": float(losses[0]) for name, losses in training.losses.items()}
            row |= {score.name: score.value for score in scores if score.value is not None}
            self.curve.append(row)
            self.strip.append(samples[:STRIP_SAMPLES].half())
        return samples

    def _finish(self, training: Training, dataset: Dataset, samples: Tensor) -> Record:
        context, trial = self.task.context, self.task.trial
        with self._evaluation_clock():
            controls = store.Store(Path(context.root)).read_controls(context.suite, trial.dataset)
            scores: list[Score] = []
            for name in context.protocols:
                bands = (
                    {band.name: band for band in controls.bands if band.identity.protocol == name} if controls else {}
                )
                scores += scorer(trial.dataset, name)(samples, bands)
            pictured = self._pictured(training, dataset)
        record = Record(
            id=trial.id,
            suite=context.suite,
            trial=trial,
            status="done",
            cost=self._cost(),
            weights_sha256=training.weights_sha256(),
            provenance=self._provenance(),
        )
        return store.commit(
            self.task.folder,
            record,
            Scores(id=trial.id, scores=tuple(scores)),
            pd.DataFrame(self.curve),
            {"final": samples, "strip": torch.stack(self.strip), **pictured},
            training.stack.weights(0) if self.task.keep_weights else None,
        )

    def _pictured(self, training: Training, dataset: Dataset) -> dict[str, Tensor]:
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
            pictured["landscape"] = heights[0].cpu().reshape(LANDSCAPE_SIDE, LANDSCAPE_SIDE)
            pictured["extent"] = torch.stack([low, high])
        return pictured

    def _resume(self, training: Training) -> float:
        """Takes up the checkpoint, if there is one; returns the last mark that was measured, 0 for none."""
        found = store.load_checkpoint(self.task.folder)
        if found is None:
            return 0.0
        tensors, facts = found
        training.restore(tensors, facts["meter"])
        self.curve, self.eval_seconds = facts["curve"], facts["eval_seconds"]
        self.strip = [tensors[f"strip.{i}"] for i in range(len(self.curve))]
        return float(facts["done"])

    def _save(self, training: Training, done: float) -> None:
        tensors, meter = training.state()
        facts = {"meter": meter, "curve": self.curve, "eval_seconds": self.eval_seconds, "done": done}
        strip = {f"strip.{i}": frame for i, frame in enumerate(self.strip)}
        store.save_checkpoint(self.task.folder, tensors | strip, facts)

    def _cost(self) -> Cost:
        meter = self.training.meter if self.training else Meter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Cost(
            steps=meter.steps,
            updates=meter.updates,
            samples=meter.samples,
            train_seconds=round(meter.seconds, 3),
            eval_seconds=round(self.eval_seconds, 3),
            peak_memory_bytes=peak,
        )

    def _provenance(self) -> dict[str, Any]:
        path = {"engine": self.training.path._asdict()} if self.training else {}
        return provenance.gather(resolve_device(self.task.context.device), self.task.context.command) | path


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs torch on one thread: trials go side by side, and threads would change the bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
    return Scorer(build_dataset(component), found, found.curve if curve else None)


def control_name(dataset: Component) -> str:
    """The name of the task that measures a dataset's controls."""
    return f"controls on {dataset.label}"


def _where(error: Exception) -> str:
    """The error and the line that raised it, without machine-dependent paths."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
