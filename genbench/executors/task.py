"""What executors run, and what they say while they run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from genbench.engine import Engine, Numerics, Precision
from genbench.records.reading import Version
from genbench.records.record import Record


class Progress(NamedTuple):
    """Word from a running task: the share of it that is done, generator steps and seconds of training so far.

    `trials` is how many trials the task trains together; steps and seconds are each one's own.
    """

    name: str
    share: float
    steps: int = 0
    seconds: float = 0.0
    note: str = ""
    trials: int = 1


Notify = Callable[[Progress], None]
Stop = Callable[[], bool]


class Outcome(NamedTuple):
    """How a task ended: trials with their `records`, anything that can't be done with an `error`.

    There is neither for controls that are done and for what was asked to stop. With `is_apart` nothing was done: its
    parts are to be, each in a process of its own.
    """

    task: Task
    records: tuple[Record, ...] = ()
    error: str | None = None
    is_apart: bool = False


End = Callable[[], Outcome]
"""Waits for what a task has begun on other cores, and gives its outcome."""

Left = Mapping[str, Version]
"""Which version of its record there was of each trial, by its id, when it was planned."""

Failure = Literal["crashed", "timed-out"]
"""How a task ends that gives no outcome."""

Begun = Outcome | End
"""What a task leaves that has begun: its outcome, or its end, for which the next task need not wait."""


class Task(Protocol):
    """A piece of work that can travel to another process. Its dataclass fields are all that it needs."""

    @property
    def name(self) -> str:
        """What people read; no two tasks of a run share one."""

    @property
    def needs(self) -> str | None:
        """The name of the task that must have ended before this one starts."""

    @property
    def undisturbed(self) -> bool:
        """Whether nothing may go on beside it."""
        return False

    @property
    def is_ours(self) -> bool:
        """Whether nothing takes part in it that a plugin brought, and that may leave its process as it shouldn't be."""
        return True

    def begin(self, notify: Notify, stop: Stop) -> Begun:
        """Does the work but for what it has begun on other cores, which may go on beside the next task.

        Neither raises anything but GenbenchError, for input that no run could use.
        """

    def run(self, notify: Notify, stop: Stop) -> Outcome:
        """Does all of the work at once."""
        begun = self.begin(notify, stop)
        return begun if isinstance(begun, Outcome) else begun()

    @property
    def places(self) -> Sequence[Path]:
        """The folders that it leaves its results in, which one process alone may be at work on."""
        return ()

    @property
    def root(self) -> str | None:
        """The results folder that these are in; None where it leaves nothing."""
        return None

    def luggage(self) -> Sequence[Path]:
        """The files in the results folder that it goes on from, as far as they are there."""
        return ()

    def sent(self, root: str | None = None) -> Task:
        """The same task for another process, into another results folder if one is given; its places are claimed."""
        return self

    def apart(self) -> Sequence[Task]:
        """Smaller tasks that do what is left of it, one by one, where one part of it may have cost the others."""
        return ()

    def ended(self, status: Failure, reason: str) -> Outcome:
        """The outcome where the process that ran the task can't give one; what can be recorded is recorded here.

        What that process has left by then stands.
        """


@dataclass(frozen=True)
class Keep:
    """What is stored of a finished trial: its weights, and how many of its final samples, all by default."""

    weights: bool = True
    samples: int | None = None


@dataclass(frozen=True)
class Context:
    """What all tasks of a run share.

    `plugins` are those that the user named, `metrics` the columns that the first protocol gets beside its own.
    `is_ours` is whether its protocols, their metrics and the controls are genbench's own, `claimed` whether whoever
    sends its tasks is at work on their places already, `tensorboard` whether event files are written along training.
    """

    root: str
    suite: str
    protocols: tuple[str, ...]
    device: str
    command: str
    engine: Engine = "auto"
    precision: Precision = "highest"
    channels_last: bool = False
    plugins: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    is_ours: bool = True
    claimed: bool = False
    tensorboard: bool = False

    @property
    def numerics(self) -> Numerics:
        """How numbers are held and multiplied."""
        return Numerics(self.precision == "bf16", self.channels_last)
