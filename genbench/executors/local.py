"""Runs tasks in this process, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from genbench import cores
from genbench.errors import GenbenchError
from genbench.executors.signals import interruptible
from genbench.executors.task import End, Notify, Outcome, Task

Result = TypeVar("Result")


class LocalExecutor:
    """Runs tasks in order. After Ctrl-C the running one keeps its checkpoint, and KeyboardInterrupt goes on.

    Where the process has cores to spare, what a task has begun on them goes on while the next one runs.
    """

    def run(self, tasks: Sequence[Task], notify: Notify) -> Iterator[Outcome]:
        """Yields each task's outcome."""
        with interruptible() as interrupted, cores.spared(cores.available() - 1):
            ending: tuple[Task, End] | None = None
            for task in tasks:
                if interrupted():
                    break
                if ending is not None and task.undisturbed:
                    yield _guarded(*ending)
                    ending = None
                begun = _guarded(task, partial(task.begin, notify, interrupted))
                if ending is not None:
                    yield _guarded(*ending)
                    ending = None
                if isinstance(begun, Outcome):
                    yield begun
                elif cores.are_spared():
                    ending = task, begun
                else:
                    yield _guarded(task, begun)
            if ending is not None:
                yield _guarded(*ending)
            if interrupted():
                raise KeyboardInterrupt


def _guarded(task: Task, work: Callable[[], Result]) -> Result | Outcome:
    """What beginning a task or its end gives, or the outcome where that fails."""
    try:
        return work()
    except GenbenchError as error:
        return Outcome(task, error=str(error))
    except Exception as error:  # what no task foresaw: its own fault alone
        return task.crashed(f"{type(error).__name__}: {error}")
