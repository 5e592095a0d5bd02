"""Runs tasks in this process, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import NamedTuple, TypeVar

from genbench import cores
from genbench.errors import GenbenchError
from genbench.executors.backlog import Backlog
from genbench.executors.signals import interruptible
from genbench.executors.task import End, Notify, Outcome, Stop, Task

Result = TypeVar("Result")

POLL_SECONDS = 0.1


class LocalExecutor:
    """Runs tasks in order. After Ctrl-C the running one keeps its checkpoint, and KeyboardInterrupt goes on.

    Where the process has cores to spare, what a task has begun on them goes on while the next one runs. `asked` is
    whether somebody else than a person at the keyboard asks it to stop.
    """

    def __init__(self, asked: Stop = lambda: False) -> None:
        self.asked = asked

    def run(self, tasks: Sequence[Task], notify: Notify) -> Iterator[Outcome]:
        """Yields each task's outcome."""
        with (
            closing(Backlog(tasks)) as backlog,
            interruptible(self.asked) as interrupted,
            cores.spared(cores.available() - 1),
        ):
            ending: _Ending | None = None
            while not interrupted():
                task = backlog.take()
                if ending is not None and (task is None or task.undisturbed):
                    yield from backlog.end(ending.outcome())
                    ending = None
                    task = task or backlog.take()
                if task is None and backlog.is_held_up:
                    time.sleep(POLL_SECONDS)
                    continue
                if task is None:
                    break
                begun = _guarded(task, partial(task.begin, notify, interrupted))
                if ending is not None:
                    yield from backlog.end(ending.outcome())
                    ending = None
                if isinstance(begun, Outcome):
                    yield from backlog.end(begun)
                elif cores.are_spared():
                    ending = _Ending(task, begun)
                else:
                    yield from backlog.end(_guarded(task, begun))
            if ending is not None:
                yield from backlog.end(ending.outcome())
            if interrupted():
                raise KeyboardInterrupt


class _Ending(NamedTuple):
    """A task whose end goes on beside the next one."""

    task: Task
    end: End

    def outcome(self) -> Outcome:
        return _guarded(*self)


def _guarded(task: Task, work: Callable[[], Result]) -> Result | Outcome:
    """What beginning a task or its end gives, or the outcome where that fails."""
    try:
        return work()
    except GenbenchError as error:
        return Outcome(task, error=str(error))
    except Exception as error:  # what no task foresaw: its own fault alone
        return task.ended("crashed", f"{type(error).__name__}: {error}")
