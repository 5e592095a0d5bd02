"""Trials as a task: they are trained as a stack, and however they end, each leaves a record."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from genbench import cores, devices
from genbench.engine.meter import Meter
from genbench.engine.paths import CannotStack, check_versions
from genbench.engine.training import Stopped
from genbench.executors.process import run_conditions
from genbench.executors.task import Begun, Context, Failure, Keep, Left, Notify, Outcome, Stop, Task
from genbench.plugins import is_behind
from genbench.records import layout, provenance, store
from genbench.records.reading import version
from genbench.records.record import Cost, Record
from genbench.registry import datasets, trainers
from genbench.spec import Component, Trial, format_seeds
from genbench.trials.board import Board
from genbench.trials.replica import checkpoint_of
from genbench.trials.resources import dataset_on
from genbench.trials.session import Finish, Session, commit_failure, folder


@dataclass(frozen=True)
class TrialTask(Task):
    """Trains, scores and stores trials that differ in their seeds alone; goes on from checkpoints where there are some.

    Several trials are trained as one stack. Those that stopped at different steps, or whose trainer can't be stacked,
    are trained one after the other. Those of which there is another record now than was `found` when they were planned
    have been run elsewhere meanwhile; None asks for all of them to be run.
    """

    context: Context
    trials: tuple[Trial, ...]
    checkpoints: int
    keep: Keep = field(default_factory=Keep)
    found: Left | None = None

    @property
    def name(self) -> str:
        first, *others = self.trials
        seeds = f"seeds {format_seeds(trial.seed for trial in self.trials)}" if others else f"seed {first.seed}"
        return f"{first.trainer.label} on {first.dataset.label}, {seeds}, {first.budget}"

    @property
    def needs(self) -> str:
        return control_name(self.trials[0].dataset)

    @property
    def undisturbed(self) -> bool:
        """Whether the budget is in seconds, of which what goes on beside would take."""
        return self.trials[0].budget.kind == "seconds"

    @property
    def is_ours(self) -> bool:
        first = self.trials[0]
        return self.context.is_ours and not (first.trainer.source or first.dataset.source)

    def begin(self, notify: Notify, stop: Stop) -> Begun:
        """Trains the trials and begins to score them; how one fails becomes its record's status and reason.

        Raises GenbenchError for input that none of them could use: what was planned with isn't there any more.

        What the processor alone works out, and then the records, go to cores that are free. Of a budget in seconds
        nothing does: it would take its share of the next trial's. Trials of a plugin's that don't train as one stack
        are left to processes of their own, since one may change what the next one computes with.
        """
        check_versions(self.trials[0])
        dataset_on(self.trials[0].dataset, devices.resolve(self.context.device))
        ends: list[Callable[[], tuple[Record, ...]]] = []
        elsewhere = [record for trial in self.trials if (record := self._recorded(trial))]
        stacks = [_Stack(trials) for trials in self._stacks({record.id for record in elsewhere})]
        if len(stacks) > 1 and not self.is_ours:
            return Outcome(self, is_apart=True)
        while stacks:
            trials, lowered_from = stacks.pop(0)
            with run_conditions(self.context.precision):
                session = Session(
                    self.name, self.context, trials, self.checkpoints, self.keep, notify, stop, lowered_from
                )
                finish: Finish = _nothing
                fits = True
                try:
                    with self._failures(session, smaller=len(trials) > 1):
                        finish = session.run()
                except Stopped:
                    stacks.clear()
                except CannotStack:
                    if not self.is_ours:
                        return Outcome(self, is_apart=True)
                    stacks[:0] = [_Stack([trial]) for trial in trials]
                except torch.OutOfMemoryError:  # which itself holds on to what filled the memory
                    fits = False
                session.training = None  # the next stack needs its memory, whatever waits for the end
                if not fits:
                    left = [replica.trial for replica in session.replicas if replica.record is None]
                    half, whole = (len(left) + 1) // 2, lowered_from or len(trials)
                    stacks[:0] = [_Stack(part, whole) for part in (left[:half], left[half:]) if part]
                    gc.collect()
                    torch.cuda.empty_cache()
                end = partial(self._ended, session, finish)
                ends.append(partial(tuple, end()) if self.undisturbed else cores.aside(end))
        return lambda: Outcome(self, (*elsewhere, *(record for end in ends for record in end())))

    def _ended(self, session: Session, finish: Finish) -> tuple[Record, ...]:
        with self._failures(session):
            finish()
        return session.records

    @contextmanager
    def _failures(self, session: Session, *, smaller: bool = False) -> Iterator[None]:
        """Within, what the trials of a session fail of becomes their records.

        With `smaller`, a device's memory that is too small for them raises OutOfMemoryError: fewer may fit.
        """
        try:
            yield
        except (Stopped, CannotStack):  # what is asked for, and what is tried otherwise
            raise
        except BaseException as error:  # a method may raise anything: it is the trial that fails, not the run
            if isinstance(error, KeyboardInterrupt) and session.stop():  # a person's second, who wants to stop at once
                raise
            if smaller and isinstance(error, torch.OutOfMemoryError):
                raise
            if _ran_out_of_memory(error):
                advice = "lower batch or width, or run fewer --jobs or a smaller --stack"
                said = next(iter(str(error).splitlines()), "") or "memory ran out"
                session.fail("out-of-memory", f"{said}; {advice}", _traceback(error))
            else:
                session.fail("crashed", self._reason(error), _traceback(error))

    @property
    def places(self) -> list[Path]:
        return [] if self.context.claimed else [folder(self.context, trial) for trial in self.trials]

    @property
    def root(self) -> str:
        return self.context.root

    def luggage(self) -> list[Path]:
        results = store.Store(Path(self.context.root))
        controls = [*results.cell(self.context.suite, self.trials[0].dataset).glob("controls*.json")]
        folders = [folder(self.context, trial) for trial in self.trials]
        checkpoints = [place / layout.CHECKPOINT for place in folders]
        recorded = [
            place / layout.RECORD for place, trial in zip(folders, self.trials, strict=True) if self._recorded(trial)
        ]
        return [*controls, *checkpoints, *recorded]

    def sent(self, root: str | None = None) -> TrialTask:
        return replace(self, context=replace(self.context, root=root or self.context.root, claimed=True))

    def apart(self) -> list[TrialTask]:
        several = len(self.trials) > 1
        return [replace(self, trials=(trial,)) for trial in self.trials if several and self._recorded(trial) is None]

    def ended(self, status: Failure, reason: str) -> Outcome:
        with run_conditions(self.context.precision):
            flags = provenance.flags()
        # The process that could say more of itself is gone.
        origin = {"command": self.context.command, "flags": flags, "engine": self.context.numerics._asdict()}
        records = []
        for trial in self.trials:
            record = self._recorded(trial)
            if record is None:
                cost = _kept_cost(folder(self.context, trial))
                Board(self.context, trial).failure(status, reason, cost.steps)
                record = commit_failure(self.context, trial, status, reason, cost, origin)
            records.append(record)
        return Outcome(self, tuple(records))

    def _recorded(self, trial: Trial) -> Record | None:
        """The record of a trial that has been left since it was planned, by this run or another; None without one."""
        place = folder(self.context, trial)
        if self.found is None or version(place / layout.RECORD) == self.found.get(trial.id):
            return None
        return store.Store(Path(self.context.root)).record(place)

    def _reason(self, error: BaseException) -> str:
        """The error and the last line of the trainer's or the dataset's own code on the way to it, without folders.

        Where the error came by neither, it is the line that raised it.
        """
        first = self.trials[0]
        builders = (trainers[first.trainer.name].build, datasets[first.dataset.name].build)
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if any(is_behind(builder, frame.filename) for builder in builders)] or frames
        place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
        said = f": {error}" if str(error) else ""
        return f"{type(error).__name__}{said}{place}"

    def _stacks(self, done: Collection[str]) -> list[list[Trial]]:
        """The trials by the step from which they go on, without those of some ids."""
        trials = [trial for trial in self.trials if trial.id not in done]
        if len(trials) < 2:
            return [trials] if trials else []
        stacks: dict[int, list[Trial]] = {}
        for trial in trials:
            checkpoint = checkpoint_of(folder(self.context, trial))
            stacks.setdefault(checkpoint[1]["meter"]["steps"] if checkpoint else 0, []).append(trial)
        return list(stacks.values())


def control_name(dataset: Component) -> str:
    """The name of the task that measures a dataset's controls."""
    return f"controls on {dataset.label}"


class _Stack(NamedTuple):
    """Trials to train together, and how many were to be where memory was too small for these."""

    trials: Sequence[Trial]
    lowered_from: int = 0


def _nothing() -> None:
    """Ends what has nothing left to do."""


def _kept_cost(place: Path) -> Cost:
    """What a trial had used by its last checkpoint."""
    checkpoint = checkpoint_of(place)
    meter = Meter(**checkpoint[1]["meter"]) if checkpoint else Meter()
    return Cost(
        steps=meter.steps,
        updates=meter.updates,
        samples=meter.samples,
        train_seconds=round(meter.seconds, 3),
        eval_seconds=round(checkpoint[1]["eval_seconds"], 3) if checkpoint else 0.0,
        peak_memory_bytes=None,
    )


def _ran_out_of_memory(error: BaseException) -> bool:
    """Whether the host's memory or the device's was too small; torch has no error of its own for the host's."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
