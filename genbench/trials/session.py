"""A stack of trials from start to records: train, measure at the checkpoints, score, commit."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from genbench import seeding
from genbench.datasets.base import Dataset
from genbench.datasets.images import stored
from genbench.engine.meter import Meter
from genbench.engine.training import Stopped, Training, marks
from genbench.executors.task import Context, Keep, Notify, Progress, Stop
from genbench.records import provenance, store
from genbench.records.commit import commit
from genbench.records.record import Cost, Record, Score, Scores, Status
from genbench.scoring.likelihood import held_out, likelihoods
from genbench.scoring.protocols import ways
from genbench.spec import Trial
from genbench.trials.latents import for_pictures
from genbench.trials.replica import AVERAGED, RAW, Replica, Samples, evaluation_clock
from genbench.trials.resources import build_dataset, resolve_device, scorer

NOTIFY_SECONDS = 0.25


class Session:
    """Trials that are trained as one stack, while they run.

    Args:
        name: what progress is reported under.
        context: what all tasks of the run share.
        trials: trials that differ in their seeds alone and start from the same step.
        checkpoints: how often to measure.
        keep: what to store of a finished trial.
        notify: hears of progress.
        stop: says whether to stop.
    """

    def __init__(
        self,
        name: str,
        context: Context,
        trials: Sequence[Trial],
        checkpoints: int,
        keep: Keep,
        notify: Notify,
        stop: Stop,
    ) -> None:
        self.name, self.context, self.checkpoints, self.keep = name, context, checkpoints, keep
        self.notify, self.stop = notify, stop
        self.protocols = ways(context.protocols, context.metrics)
        self.replicas = [Replica(i, trial, folder(context, trial)) for i, trial in enumerate(trials)]
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
        self.training = training = Training(trials, dataset, device, self.context.engine, self.context.numerics)
        done = max(replica.take_up(training) for replica in self.replicas)
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
        for replica in self._running:
            self._finish(replica, samples, training, dataset)

    def fail(self, status: Status, reason: str, traceback: str) -> None:
        """Records how every trial that hasn't ended has failed, and what it had used by then."""
        for replica in self._running:
            self._fail(replica, status, reason, traceback)

    @property
    def _running(self) -> list[Replica]:
        return [replica for replica in self.replicas if replica.record is None]

    def _fail(self, replica: Replica, status: Status, reason: str, traceback: str | None = None) -> None:
        if replica.record is None:
            replica.record = commit_failure(
                self.context, replica.trial, status, reason, self._cost(replica), self._provenance(), traceback
            )

    def _stop(self, meter: Meter) -> bool:
        now = time.perf_counter()
        if now - self._notified < NOTIFY_SECONDS:
            return False
        self._notified = now
        assert self.training is not None
        self.training.read_clock()
        curve = self.replicas[0].curve
        note = ", ".join(f"{key} {curve[-1][key]:g}" for key in ("modes", "hq") if curve and key in curve[-1])
        self.notify(Progress(self.name, self.training.progress, meter.steps, meter.seconds, note, len(self.replicas)))
        return self.stop()

    def _measure(self, training: Training) -> Samples:
        """Samples from the evaluation streams, always the same noise, and adds a row to each curve."""
        running = self._running
        with evaluation_clock(*running):
            samples = {RAW: self._sample(training)}
            if training.average is not None:
                with training.average.in_place():
                    samples[AVERAGED] = self._sample(training)
        for replica in running:
            with evaluation_clock(replica):
                replica.measure(training, samples, self.protocols[0], self.keep)
        return samples

    def _sample(self, training: Training) -> Tensor:
        """Samples of every replica, as they are stored: at the end as many as scoring wants, before as curves do."""
        wanted = max(way.n for way in self.protocols)
        first = None if training.progress >= 1 else self.protocols[0].along().n
        rngs = [
            seeding.stream(replica.trial.seed, seeding.EVALUATION_NOISE, training.device) for replica in self.replicas
        ]
        return torch.stack([stored(own) for own in training.stack.sample(wanted, rngs, first).cpu()])

    def _finish(self, replica: Replica, samples: Samples, training: Training, dataset: Dataset) -> None:
        i, trial = replica.place, replica.trial
        with evaluation_clock(replica):
            scores = [score for prefix, drawn in samples.items() for score in self._scores(trial, drawn[i], prefix)]
            scores += self._likelihoods(replica, training, dataset)
            pictured = for_pictures(training.stack, i, dataset, samples[RAW][i], trial.seed)
        losses = replica.losses_of(training)
        record = Record(
            id=trial.id,
            suite=self.context.suite,
            trial=trial,
            status="done",
            cost=self._cost(replica),
            weights_sha256=training.weights_sha256(i),
            provenance=self._provenance(),
        )
        replica.record = commit(
            replica.folder,
            record,
            Scores(id=trial.id, scores=tuple(scores)),
            {store.CURVE: pd.DataFrame(replica.curve)} | ({store.LOSSES: pd.DataFrame(losses)} if losses else {}),
            pictured | replica.kept(samples, self.keep),
            _weights(training, i) if self.keep.weights else None,
        )

    def _scores(self, trial: Trial, samples: Tensor, prefix: str) -> Iterator[Score]:
        """A trial's scores under every protocol; those of averaged weights say so in their identity."""
        controls = store.Store(Path(self.context.root)).read_controls(self.context.suite, trial.dataset)
        bands = controls.bands if controls else ()
        for way in self.protocols:
            # Those of now stand before those of other versions and sources.
            fitting = {band.name: band for band in reversed(bands) if band.identity.protocol == way.name}
            yield from scorer(trial.dataset, way)(samples, fitting, trial.ema if prefix == AVERAGED else None)

    @cached_property
    def _held_out(self) -> Tensor:
        """What all of the stack's models are asked about, as much as any protocol scores."""
        dataset = build_dataset(self.replicas[0].trial.dataset)
        return held_out(dataset, max(way.n for way in self.protocols))

    def _likelihoods(self, replica: Replica, training: Training, dataset: Dataset) -> Iterator[Score]:
        """What a trial's model says of held-out data, under every protocol; nothing of one that says nothing."""
        if training.stack.likelihood is None:
            return
        bound = training.stack.likelihood.bound
        averages: list[tuple[AbstractContextManager[None], float | None]] = [(nullcontext(), None)]
        if training.average is not None:
            averages.append((training.average.in_place(), replica.trial.ema))
        for weights, ema in averages:
            with weights:
                log_probs = training.stack.log_prob(replica.place, self._held_out).cpu()
            for way in self.protocols:
                yield from likelihoods(log_probs, dataset, way, bound, ema)

    def _save(self, training: Training, done: float) -> None:
        for replica in self._running:
            replica.save(training, done)

    def _cost(self, replica: Replica) -> Cost:
        """What a trial has used."""
        meter = self.training.meter_of(replica.place) if self.training else Meter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Cost(
            steps=meter.steps,
            updates=meter.updates,
            samples=meter.samples,
            train_seconds=round(meter.seconds, 3),
            compile_seconds=round(meter.compile_seconds, 3),
            eval_seconds=round(replica.eval_seconds, 3),
            peak_memory_bytes=peak,
            evaluations=self.training.stack.evaluations if self.training else None,
        )

    def _provenance(self) -> dict[str, Any]:
        path = {**self.training.path._asdict(), "stack": len(self.replicas)} if self.training else {}
        made = provenance.gather(resolve_device(self.context.device), self.context.command)
        own = {"plugins": list(self.context.plugins), "engine": {**path, **self.context.numerics._asdict()}}
        return made | own


def _weights(training: Training, replica: int) -> dict[str, Tensor]:
    averaged = training.average.weights(replica) if training.average else {}
    return training.stack.weights(replica) | {f"{AVERAGED}{name}": value for name, value in averaged.items()}


def commit_failure(
    context: Context,
    trial: Trial,
    status: Status,
    reason: str,
    cost: Cost,
    origin: dict[str, Any],
    traceback: str | None = None,
) -> Record:
    """Stores a failure's record; where even that fails, the record's reason says so."""
    record = Record(
        id=trial.id, suite=context.suite, trial=trial, status=status, reason=reason, cost=cost, provenance=origin
    )
    try:
        return commit(folder(context, trial), record, traceback=traceback)
    except OSError as error:
        return record.model_copy(update={"reason": f"{reason}; not stored: {error.strerror}"})


def folder(context: Context, trial: Trial) -> Path:
    """Where a trial of this run leaves its record."""
    return store.Store(Path(context.root)).folder(context.suite, trial)
