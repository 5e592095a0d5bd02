"""Trials as a task: they are trained as a stack, and however they end, each leaves a record."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from genbench import cores
from genbench.engine.paths import CannotStack
from genbench.engine.training import Stopped
from genbench.errors import GenbenchError
from genbench.executors.process import run_conditions
from genbench.executors.task import Context, End, Keep, Notify, Outcome, Stop, Task
from genbench.plugins import is_behind
from genbench.records import provenance, store
from genbench.records.commit import load_checkpoint
from genbench.records.record import Cost, Record
from genbench.registry import datasets, trainers
from genbench.spec import Component, Trial, format_seeds
from genbench.trials.session import Finish, Session, commit_failure, folder


@dataclass(frozen=True)
class TrialTask(Task):
    """Trains, scores and stores trials that differ in their seeds alone; goes on from checkpoints where there are some.

    Several trials are trained as one stack. Those that stopped at different steps, or whose trainer can't be stacked,
    are trained one after the other.
    """

    context: Context
    trials: tuple[Trial, ...]
    checkpoints: int
    keep: Keep = field(default_factory=Keep)

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

    def begin(self, notify: Notify, stop: Stop) -> End:
        """Trains the trials and begins to score them; how one fails becomes its record's status and reason.

        What the processor alone works out, and then the records, go to cores that are free. Of a budget in seconds
        nothing does: it would take its share of the next trial's.
        """
        ends: list[Callable[[], tuple[Record, ...]]] = []
        stacks = [_Stack(trials) for trials in self._stacks()]
        with run_conditions(self.context.precision):
            while stacks:
                trials, lowered_from = stacks.pop(0)
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
        return lambda: Outcome(self, tuple(record for end in ends for record in end()))

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
        except (Stopped, GenbenchError):  # what is asked for, and input that no trial could use
            raise
        except (torch.OutOfMemoryError, MemoryError) as error:
            if smaller and isinstance(error, torch.OutOfMemoryError):
                raise
            advice = "lower batch or width, or run fewer --jobs or a smaller --stack"
            session.fail("out-of-memory", f"{str(error) or 'memory ran out'}; {advice}", _traceback(error))
        except Exception as error:  # a method may raise anything: it is the trial that fails, not the run
            session.fail("crashed", self._reason(error), _traceback(error))

    def crashed(self, reason: str) -> Outcome:
        """Records the trials that were under way when their process died."""
        cost = Cost(steps=0, updates=0, samples=0, train_seconds=0, eval_seconds=0, peak_memory_bytes=None)
        unfinished = [trial for trial in self.trials if not self._is_finished(trial)] or self.trials
        with run_conditions(self.context.precision):
            flags = provenance.flags()
        # The process that could say more of itself is gone.
        origin = {"command": self.context.command, "flags": flags, "engine": self.context.numerics._asdict()}
        return Outcome(
            self, tuple(commit_failure(self.context, trial, "crashed", reason, cost, origin) for trial in unfinished)
        )

    def _reason(self, error: Exception) -> str:
        """The error and the last line of the trainer's or the dataset's own code on the way to it, without folders.

        Where the error came by neither, it is the line that raised it.
        """
        first = self.trials[0]
        builders = (trainers[first.trainer.name].build, datasets[first.dataset.name].build)
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if any(is_behind(builder, frame.filename) for builder in builders)] or frames
        place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
        return f"{type(error).__name__}: {error}{place}"

    def _is_finished(self, trial: Trial) -> bool:
        place = folder(self.context, trial)
        return (place / store.RECORD).exists() and not (place / store.CHECKPOINT).exists()

    def _stacks(self) -> list[list[Trial]]:
        """The trials by the step from which they go on."""
        if len(self.trials) == 1:
            return [list(self.trials)]
        stacks: dict[int, list[Trial]] = {}
        for trial in self.trials:
            checkpoint = load_checkpoint(folder(self.context, trial))
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


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
