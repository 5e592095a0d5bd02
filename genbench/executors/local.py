"""Runs tasks in this process, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genbench import cores
from genbench.errors import GenbenchError
from genbench.executors.signals import interruptible
from genbench.executors.task import Begun, End, Notify, Outcome, Stop, Task


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
                    yield _ended(*ending)
                    ending = None
                begun = _begun(task, notify, interrupted)
                if ending is not None:
                    yield _ended(*ending)
                    ending = None
                if isinstance(begun, Outcome):
                    yield begun
                elif cores.are_spared():
                    ending = task, begun
                else:
                    yield _ended(task, begun)
            if ending is not None:
                yield _ended(*ending)
            if interrupted():
                raise KeyboardInterrupt


def _begun(task: Task, notify: Notify, stop: Stop) -> Begun:
    """Begins a task; one that can't be begun has ended."""
    try:
        return task.begin(notify, stop)
    except GenbenchError as error:
        return Outcome(task, error=str(error))
    except Exception as error:  # what no task foresaw: its own fault alone
        return task.crashed(f"{type(error).__name__}: {error}")


def _ended(task: Task, end: End) -> Outcome:
    try:
        return end()
    except GenbenchError as error:
        return Outcome(task, error=str(error))
    except Exception as error:  # what no task foresaw: its own fault alone
        return task.crashed(f"{type(error).__name__}: {error}")
