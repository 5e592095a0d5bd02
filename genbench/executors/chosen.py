"""Which executor runs which tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from genbench.executors.local import LocalExecutor
from genbench.executors.pool import PoolExecutor
from genbench.executors.task import Notify, Outcome, Task


class Executor(Protocol):
    """Takes tasks and yields what they leave behind, as they finish."""

    def run(self, tasks: Sequence[Task], notify: Notify) -> Iterator[Outcome]:
        """Yields outcomes as tasks end; never raises for a task."""


def executor_for(tasks: Sequence[Task], jobs: int, plugins: Sequence[str], timeout: float | None = None) -> Executor:
    """This process for one job of genbench's own, else processes.

    What strangers wrote may hang, exit or crash, and must not take this process along.
    """
    here = jobs == 1 and timeout is None and all(task.is_ours for task in tasks)
    return LocalExecutor() if here else PoolExecutor(jobs, plugins, timeout)
