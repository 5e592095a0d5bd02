"""A stack of trials from start to records: train, measure at the checkpoints, score, commit."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from genbench import devices, seeding
from genbench.datasets.images import stored
from genbench.engine.meter import Meter
from genbench.engine.training import Stopped, Training, marks
from genbench.executors.task import Context, Keep, Notify, Progress, Stop
from genbench.records import layout, provenance, store
from genbench.records.commit import commit
from genbench.records.layout import AVERAGED
from genbench.records.reading import text
from genbench.records.record import Cost, Record, Score, Scores, Status
from genbench.scoring.along import coverage_along
from genbench.scoring.likelihood import held_out, likelihoods
from genbench.scoring.protocols import ways
from genbench.scoring.scorer import Begun
from genbench.spec import Trial
from genbench.trials.board import Board
from genbench.trials.drawn import RAW, Drawn, Samples
from genbench.trials.latents import for_pictures
from genbench.trials.replica import Replica, evaluation_clock
from genbench.trials.resources import build_dataset, dataset_on, scorer

NOTIFY_SECONDS = 0.25

SAVE_SECONDS = 60.0
"""How much work may be lost: a checkpoint is kept whenever so long has passed since the last one."""

Finish = Callable[[], None]
"""Waits for what is still worked out about trials, and commits them."""


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
        lowered_from: how many trials were to be trained as one stack, where memory was too small for these.
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
        lowered_from: int = 0,
    ) -> None:
        self.name, self.context, self.checkpoints, self.keep = name, context, checkpoints, keep
        self.notify, self.stop, self.lowered_from = notify, stop, lowered_from
        self.protocols = ways(context.protocols, context.metrics)
        self.replicas = [
            Replica(i, trial, folder(context, trial), Board(context, trial)) for i, trial in enumerate(trials)
        ]
        self.training: Training | None = None
        self.device = devices.resolve(context.device)
        self._notified, self._saved, self._stopping = 0.0, time.perf_counter(), False
        self._settled: dict[int, Cost] = {}
        self._origin: dict[str, Any] | None = None

    @property
    def records(self) -> tuple[Record, ...]:
        """The records of the trials that have ended."""
        return tuple(replica.record for replica in self.replicas if replica.record is not None)

    def run(self) -> Finish:
        """Trains up to each checkpoint in turn and measures there, then scores; what it returns commits."""
        try:
            return self._run()
        finally:
            for replica in self.replicas:
                replica.board.close()

    def _run(self) -> Finish:
        trials = [replica.trial for replica in self.replicas]
        dataset = dataset_on(trials[0].dataset, self.device)
        if self.device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(self.device)
        self.training = training = Training(trials, dataset, self.device, self.context.engine, self.context.numerics)
        done = max(replica.take_up(training) for replica in self.replicas)
        for mark in marks(training.budget, self.checkpoints):
            if mark <= done:
                continue
            self._train(training, mark, done)
            for i, reason in training.diverged.items():
                self._fail(self.replicas[i], "diverged", reason)
            if not self._running:
                return lambda: None
            if mark == 1:  # what follows takes its time, and a kill in it would cost the last of the training
                self._save(training, done)
            samples = self._measure(training)
            done = mark
            if mark < 1:
                self._save(training, done)
        return self._finish(samples, training)

    def _train(self, training: Training, mark: float, done: float) -> None:
        """Trains up to a mark, and keeps checkpoints on the way; raises Stopped where it is asked to stop."""
        while True:
            try:
                return training.run(until=mark, stop=self._stop)
            except Stopped:
                self._save(training, done)
                if self._stopping:
                    raise

    def fail(self, status: Status, reason: str, traceback: str) -> None:
        """Records how every trial that hasn't ended has failed, and what it had used by then."""
        for replica in self._running:
            self._fail(replica, status, reason, traceback)

    @property
    def _running(self) -> list[Replica]:
        return [replica for replica in self.replicas if replica.record is None]

    def _fail(self, replica: Replica, status: Status, reason: str, traceback: str | None = None) -> None:
        if replica.record is None:
            cost = self._cost(replica)
            losses = replica.losses_of(self.training) if self.training else ()
            replica.board.failure(status, reason, cost.steps, losses)
            replica.record = commit_failure(
                self.context, replica.trial, status, reason, cost, self._provenance(), traceback
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
        self._stopping = self.stop()
        return self._stopping or now - self._saved >= SAVE_SECONDS

    def _measure(self, training: Training) -> Samples:
        """Samples from the evaluation streams, always the same noise, and adds a row to each curve."""
        running = self._running
        with evaluation_clock(*running):
            samples = {RAW: self._sample(training)}
            if training.average is not None:
                with training.average.in_place():
                    samples[AVERAGED] = self._sample(training)
            judge = scorer(running[0].trial.dataset, self.protocols[0], self.device, curve=True)
            measured = judge.begin(self._of(running, samples[RAW]))()
            for replica, scores in zip(running, measured, strict=True):
                replica.note(training, scores, samples, self.protocols[0], self.keep)
        for replica in running:
            data = build_dataset(replica.trial.dataset)
            replica.board.checkpoint(replica.curve[-1], samples[RAW].here[replica.place], data)
        return samples

    def _of(self, running: Sequence[Replica], drawn: Drawn) -> Tensor:
        """The samples of some of the replicas."""
        return drawn.there if len(running) == len(self.replicas) else drawn.there[[each.place for each in running]]

    def _sample(self, training: Training) -> Drawn:
        """Samples of every replica, as they are stored: at the end as many as scoring wants, before as curves do."""
        wanted = max(way.n for way in self.protocols)
        first = None if training.progress >= 1 else self.protocols[0].along().n
        rngs = [
            seeding.stream(replica.trial.seed, seeding.EVALUATION_NOISE, training.device) for replica in self.replicas
        ]
        return Drawn(torch.stack([stored(own) for own in training.stack.sample(wanted, rngs, first)]))

    def _finish(self, samples: Samples, training: Training) -> Finish:
        """Begins to score all replicas, and does all else that needs the networks; what it returns commits them."""
        running = self._running
        with evaluation_clock(*running):
            begun = [each for prefix, drawn in samples.items() for each in self._begun(running, drawn, prefix)]
        ready = [self._ready(replica, samples, training) for replica in running]
        self._settled = {replica.place: self._cost(replica) for replica in running}
        self._origin = self._provenance()

        def finish() -> None:
            with evaluation_clock(*running):
                scored = list(zip(*(scores() for scores in begun), strict=True))
            for write, own in zip(ready, scored, strict=True):
                write([score for scores in own for score in scores])
            ready.clear()
            begun.clear()

        return finish

    def _begun(self, running: Sequence[Replica], drawn: Drawn, prefix: str) -> Iterator[Begun]:
        """The replicas' scores under each protocol; those of averaged weights say so in their identity."""
        trial = running[0].trial
        controls = store.Store(Path(self.context.root)).read_controls(self.context.suite, trial.dataset)
        bands = controls.bands if controls else ()
        samples, ema = self._of(running, drawn), trial.ema if prefix == AVERAGED else None
        for way in self.protocols:
            # Those of now stand before those of other versions and sources.
            fitting = {band.name: band for band in reversed(bands) if band.identity.protocol == way.name}
            yield scorer(trial.dataset, way, self.device).begin(samples, fitting, ema)

    def _ready(self, replica: Replica, samples: Samples, training: Training) -> Callable[[Sequence[Score]], None]:
        """A trial that lacks nothing but the scores of its samples, with which what it returns commits it."""
        i, trial = replica.place, replica.trial
        with evaluation_clock(replica):
            of_model = [*self._likelihoods(replica, training)]
            of_model += coverage_along(replica.curve, build_dataset(trial.dataset), self.protocols[0])
            pictured = for_pictures(training.stack, i, build_dataset(trial.dataset), samples[RAW].here[i], trial.seed)
        losses = replica.losses_of(training)
        tables = {layout.CURVE: pd.DataFrame(replica.curve)} | ({layout.LOSSES: pd.DataFrame(losses)} if losses else {})
        tensors = pictured | replica.kept(samples, self.keep)
        weights, sha256 = _weights(training, i) if self.keep.weights else None, training.weights_sha256(i)

        def commit_with(scores: Sequence[Score]) -> None:
            origin = self._provenance()
            record = Record(
                id=trial.id,
                suite=self.context.suite,
                trial=trial,
                status="done",
                cost=self._cost(replica),
                weights_sha256=sha256,
                provenance=origin,
            )
            scored = Scores(id=trial.id, scores=(*scores, *of_model), device=origin["device"])
            replica.board.scores(scored.scores, record.cost.steps)
            replica.record = commit(replica.folder, record, scored, tables, tensors, weights)

        return commit_with

    @cached_property
    def _held_out(self) -> Tensor:
        """What all of the stack's models are asked about, as much as any protocol scores."""
        dataset = build_dataset(self.replicas[0].trial.dataset)
        return held_out(dataset, max(way.n for way in self.protocols))

    def _likelihoods(self, replica: Replica, training: Training) -> Iterator[Score]:
        """What a trial's model says of held-out data, under every protocol; nothing of one that says nothing."""
        if training.stack.likelihood is None:
            return
        dataset = build_dataset(replica.trial.dataset)
        bound = training.stack.likelihood.bound
        averages: list[tuple[AbstractContextManager[None], float | None]] = [(nullcontext(), None)]
        if training.average is not None:
            averages.append((training.average.in_place(), replica.trial.ema))
        for weights, ema in averages:
            with weights:
                log_probs = training.stack.log_prob(replica.place, self._held_out).cpu()
            for way in self.protocols:
                yield from likelihoods(log_probs, self._held_out, dataset, way, bound, ema)

    def _save(self, training: Training, done: float) -> None:
        for replica in self._running:
            replica.save(training, done)
        self._saved = time.perf_counter()

    def _cost(self, replica: Replica) -> Cost:
        """What a trial has used; what it took to measure it may still grow once all else is settled."""
        if replica.place in self._settled:
            return self._settled[replica.place].model_copy(update={"eval_seconds": round(replica.eval_seconds, 3)})
        meter = self.training.meter_of(replica.place) if self.training else Meter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        on_device = torch.cuda.max_memory_allocated(self.device) if self.device.startswith("cuda") else None
        return Cost(
            steps=meter.steps,
            updates=meter.updates,
            samples=meter.samples,
            train_seconds=round(meter.seconds, 3),
            compile_seconds=round(meter.compile_seconds, 3),
            eval_seconds=round(replica.eval_seconds, 3),
            peak_memory_bytes=peak,
            peak_device_memory_bytes=on_device,
            evaluations=self.training.stack.evaluations if self.training else None,
        )

    def _provenance(self) -> dict[str, Any]:
        if self._origin is not None:
            return self._origin
        path = {**self.training.path._asdict(), "stack": len(self.replicas)} if self.training else {}
        if self.lowered_from:
            path["lowered_from"] = self.lowered_from
        made = provenance.gather(self.device, self.context.command)
        own = {"plugins": list(self.context.plugins), "engine": {**path, **self.context.numerics._asdict()}}
        return made | own


def _weights(training: Training, replica: int) -> dict[str, Tensor]:
    averaged = training.average.weights(replica) if training.average else {}
    own = training.stack.weights(replica) | {f"{AVERAGED}{name}": value for name, value in averaged.items()}
    return {name: value.cpu() for name, value in own.items()}


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
        id=trial.id, suite=context.suite, trial=trial, status=status, reason=text(reason), cost=cost, provenance=origin
    )
    try:
        return commit(folder(context, trial), record, traceback=traceback)
    except OSError as error:
        return record.model_copy(update={"reason": f"{reason}; not stored: {error.strerror}"})


def folder(context: Context, trial: Trial) -> Path:
    """Where a trial of this run leaves its record."""
    return store.Store(Path(context.root)).folder(context.suite, trial)
