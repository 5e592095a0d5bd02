"""Tasks that wait, handed out in order, each after the task that it needs, and none that another run is at work on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from genbench.executors.task import Outcome, Task
from genbench.records.claims import Claims

ASK_AGAIN_SECONDS = 1.0
"""How often it is asked whether another run is still at work on something."""


class Backlog:
    """What is left to do of a run."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._waiting = list(tasks)
        self._unfinished = {task.name for task in tasks}
        self._claims = Claims()
        self._asked: dict[str, float] = {}

    def take(self) -> Task | None:
        """The next task that may start now, None where there is none."""
        for task in self._waiting:
            if task.needs not in self._unfinished and self._claim(task):
                self._waiting.remove(task)
                return task
        return None

    @property
    def is_held_up(self) -> bool:
        """Whether something waits that needs nothing more, but that another run has let go of it."""
        return any(task.needs not in self._unfinished for task in self._waiting)

    def end(self, outcome: Outcome) -> Iterator[Outcome]:
        """A task has ended, with this outcome; gives it, and those of tasks that can't start for want of it.

        One that is to be done apart has its parts wait in its place, and no outcome.
        """
        if outcome.is_apart and (parts := outcome.task.apart()):
            self.split(outcome.task, parts)
            return
        self._release(outcome.task)
        self._unfinished.discard(outcome.task.name)
        yield outcome
        if outcome.error is None:
            return
        for task in [task for task in self._waiting if task.needs == outcome.task.name]:
            self._waiting.remove(task)
            yield from self.end(Outcome(task, error=f"What needs {task.needs} was not run."))

    def split(self, task: Task, parts: Sequence[Task]) -> None:
        """Has the parts of a task that was lost done in its place."""
        self._release(task)
        self._unfinished.discard(task.name)
        self._unfinished |= {part.name for part in parts}
        self._waiting[:0] = parts

    def drop(self) -> None:
        """Hands out nothing more."""
        self._waiting.clear()

    def close(self) -> None:
        """Lets go of everything."""
        self.drop()
        self._claims.close()

    def _claim(self, task: Task) -> bool:
        """All of a task's places, or none; raises OSError where that can't be written."""
        now = time.monotonic()
        if now - self._asked.get(task.name, -ASK_AGAIN_SECONDS) < ASK_AGAIN_SECONDS:
            return False
        self._asked[task.name] = now
        taken: list[Path] = []
        for place in task.places:
            if not self._claims.take(place):
                for other in taken:
                    self._claims.release(other)
                return False
            taken.append(place)
        return True

    def _release(self, task: Task) -> None:
        for place in task.places:
            self._claims.release(place)
