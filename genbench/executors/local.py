"""Runs tasks in this process, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genbench.errors import GenbenchError
from genbench.executors.signals import interruptible
from genbench.executors.task import Notify, Outcome, Task


class LocalExecutor:
    """Runs tasks in order. After Ctrl-C the running one keeps its checkpoint, and KeyboardInterrupt goes on."""

    def run(self, tasks: Sequence[Task], notify: Notify) -> Iterator[Outcome]:
        """Yields each task's outcome."""
        with interruptible() as interrupted:
            for task in tasks:
                if interrupted():
                    break
                try:
                    yield task.run(notify, interrupted)
                except GenbenchError as error:
                    yield Outcome(task, error=str(error))
                except Exception as error:  # what no task foresaw: its own fault alone
                    yield task.crashed(f"{type(error).__name__}: {error}")
            if interrupted():
                raise KeyboardInterrupt
