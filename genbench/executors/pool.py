"""Runs tasks in processes of their own, one task a process at a time; what a plugin takes part in has one to itself.

A worker that dies (out of memory, a crash in a library), or from which nobody hears any more, takes one known task with
it and is replaced.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from genbench import cores
from genbench.executors.backlog import Backlog
from genbench.executors.signals import interruptible
from genbench.executors.task import Failure, Notify, Outcome, Progress, Stop, Task
from genbench.executors.worker import Worker

POLL_SECONDS = 0.1

GRACE_SECONDS = 15.0
"""How long a task that is asked to stop may take to do so: what it is at then can be done again from its checkpoint."""


class PoolExecutor:
    """Runs up to `jobs` tasks at once. What isn't genbench's own has a new process, with the `plugins` loaded.

    What one such task leaves in its process, a switch of the processor, a timer, a cache, isn't there for the next.

    A task from which there is no word for `timeout` seconds is ended; None waits for ever. `asked` is as for
    LocalExecutor.
    """

    def __init__(
        self, jobs: int, plugins: Sequence[str] = (), timeout: float | None = None, asked: Stop = lambda: False
    ) -> None:
        self.jobs, self.plugins, self.timeout, self.asked = jobs, tuple(plugins), timeout, asked

    def run(self, tasks: Sequence[Task], notify: Notify) -> Iterator[Outcome]:
        """Yields outcomes as tasks end. After Ctrl-C running ones keep checkpoints, and KeyboardInterrupt goes on.

        So they do where nobody asks for the rest of the outcomes. A second Ctrl-C ends them at once.
        """
        crew = _Crew(self.plugins, cores.available() // self.jobs - 1, self.timeout)
        backlog = Backlog(tasks)
        try:
            with interruptible(self.asked) as interrupted:
                while True:
                    if interrupted():
                        backlog.drop()
                        crew.ask_to_stop()
                    for outcome in crew.begin(backlog, min(self.jobs, len(tasks))):
                        yield from backlog.end(outcome)
                    if not (crew.is_busy or backlog.is_held_up):
                        break
                    for word in crew.hear(notify):
                        if isinstance(word, Outcome):
                            yield from backlog.end(word)
                        elif parts := word.task.apart():
                            backlog.split(word.task, parts)
                        else:
                            yield from backlog.end(word.task.ended(word.status, word.reason))
                if interrupted():
                    raise KeyboardInterrupt
        except GeneratorExit:
            crew.ask_to_stop()
            while crew.is_busy:
                list(crew.hear(notify))
            raise
        finally:
            crew.end()
            backlog.close()


class Lost(NamedTuple):
    """A task whose process is gone, and which may have been undone by one of its parts."""

    task: Task
    status: Failure
    reason: str


class _Crew:
    """The workers of a run."""

    def __init__(self, plugins: Sequence[str], spare: int, timeout: float | None) -> None:
        self.plugins, self.spare, self.timeout = plugins, spare, timeout
        self.workers: list[Worker] = []
        self.news = threading.Event()
        self.asked_to_stop: float | None = None
        """When running tasks were asked to keep their checkpoints and end."""

    @property
    def is_busy(self) -> bool:
        """Whether any of them runs a task."""
        return any(worker.task is not None for worker in self.workers)

    def begin(self, backlog: Backlog, most: int) -> Iterator[Outcome]:
        """Has workers without a task take what may start, and new ones; gives the outcomes of what can't."""
        while sum(worker.task is not None for worker in self.workers) < most and (task := backlog.take()) is not None:
            worker = next((worker for worker in self.workers if worker.task is None), None)
            if worker is None:
                self.workers.append(worker := Worker(self.spare, self.news))
            try:
                worker.start(task, () if task.is_ours else self.plugins)
            except OSError:  # it died while it had nothing to do
                self._dismiss(worker)
                yield task.ended("crashed", worker.end)
            except Exception as error:  # what can't be pickled, say: this task's fault alone
                yield task.ended("crashed", f"{type(error).__name__}: {error}")

    def hear(self, notify: Notify) -> Iterator[Outcome | Lost]:
        """Waits a moment for words; gives the outcomes among them, and what workers can no longer say."""
        busy = [worker for worker in self.workers if worker.task is not None]
        self.news.wait(POLL_SECONDS)
        self.news.clear()
        for worker in busy:
            task, alive = worker.task, worker.is_alive  # asked for first: what it said before it died still counts
            assert task is not None
            if not alive:
                worker.kill()
            for word in worker.words():
                if isinstance(word, Progress):
                    notify(word)
                elif isinstance(word, Outcome):
                    yield word
                else:
                    yield task.ended("crashed", word)
            if worker.task is None:
                if not task.is_ours:
                    self._dismiss(worker)
                continue
            if worker.is_deaf or not alive:
                reason = worker.end
                self._dismiss(worker)
                yield Lost(task, "crashed", reason)
            elif self.asked_to_stop is not None and time.monotonic() - self.asked_to_stop > GRACE_SECONDS:
                self._dismiss(worker)
            elif self.timeout is not None and time.monotonic() - worker.heard > self.timeout:
                self._dismiss(worker)
                yield Lost(task, "timed-out", f"nothing was heard of it for {self.timeout:g} s")

    def _dismiss(self, worker: Worker) -> None:
        self.workers.remove(worker)
        worker.close()

    def ask_to_stop(self) -> None:
        """Asks for running tasks to keep their checkpoints and end, once."""
        if self.asked_to_stop is None:
            self.asked_to_stop = time.monotonic()
            for worker in self.workers:
                worker.ask_to_stop()

    def end(self) -> None:
        """Ends all workers, those at once that still run a task."""
        while self.workers:
            self._dismiss(self.workers[-1])
