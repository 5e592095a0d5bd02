"""Runs tasks in several processes, one task a process at a time.

Each slot is a thread of this process with one worker of its own, so a worker that dies (out of memory, a crash in
a library) takes one known task with it and is replaced.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from genbench import cores
from genbench.errors import GenbenchError
from genbench.executors.signals import SIGNALS, interruptible
from genbench.executors.task import Notify, Outcome, Progress, Task

POLL_SECONDS = 0.1


class PoolExecutor:
    """Runs up to `jobs` tasks at once, each in a worker process that has the `plugins` loaded."""

    def __init__(self, jobs: int, plugins: Sequence[str] = ()) -> None:
        self.jobs = jobs
        self.plugins = tuple(plugins)

    def run(self, tasks: Sequence[Task], notify: Notify) -> Iterator[Outcome]:
        """Yields outcomes as tasks end. After Ctrl-C running ones keep checkpoints, and KeyboardInterrupt goes on."""
        context = get_context("spawn")
        stop = context.Event()
        readers: list[Connection] = []
        backlog = Backlog(tasks)
        ended: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()

        def new_worker() -> ProcessPoolExecutor:
            # A pipe of its own: a worker that dies in the middle of a word holds no lock that others need.
            reader, writer = context.Pipe(duplex=False)
            readers.append(reader)
            spare = cores.available() // self.jobs - 1
            return ProcessPoolExecutor(1, context, _start, (writer, stop, self.plugins, spare))

        def slot() -> None:
            # A worker inherits this thread's mask: Ctrl-C is for the parent, which then asks the workers to stop.
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            worker = new_worker()
            for task in iter(backlog.take, None):
                try:
                    outcome = worker.submit(_run, task).result()
                except BrokenProcessPool:
                    outcome = task.crashed("its process died: killed, or out of memory; try fewer --jobs")
                    worker = new_worker()
                except Exception as error:  # what can't be pickled, say: this task's fault alone
                    outcome = task.crashed(f"{type(error).__name__}: {error}")
                backlog.end(task)
                ended.put(outcome)
            worker.shutdown()
            ended.put(None)

        def halt() -> None:
            stop.set()
            backlog.close()

        with interruptible(halt) as interrupted:
            slots = [threading.Thread(target=slot) for _ in range(min(self.jobs, len(tasks)))]
            try:
                for thread in slots:
                    thread.start()
                running = len(slots)
                while running:
                    _pass_on(readers, notify)
                    try:
                        outcome = ended.get(timeout=POLL_SECONDS)
                    except queue.Empty:
                        continue
                    if outcome is None:
                        running -= 1
                    else:
                        yield outcome
            finally:
                halt()
                for reader in readers:
                    reader.close()
                for thread in slots:
                    thread.join()
            if interrupted():
                raise KeyboardInterrupt


class Backlog:
    """Tasks that wait for a slot, handed out in order, each after the task that it needs."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._waiting = list(tasks)
        self._unfinished = {task.name for task in tasks}
        self._changed = threading.Condition()

    def take(self) -> Task | None:
        """The next task that may start; waits for one, and is None when none will come."""
        with self._changed:
            while self._waiting:
                for task in self._waiting:
                    if task.needs not in self._unfinished:
                        self._waiting.remove(task)
                        return task
                self._changed.wait()
            return None

    def end(self, task: Task) -> None:
        """`task` has ended; those that need it may start."""
        with self._changed:
            self._unfinished.discard(task.name)
            self._changed.notify_all()

    def close(self) -> None:
        """Hands out nothing more."""
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()


_writer: Any = None
_stop: Any = None
_spare = 0


def _start(writer: Connection, stop: Any, plugins: Sequence[str], spare: int) -> None:
    """Sets a worker up, which has so many cores beside its own."""
    global _writer, _stop, _spare
    from genbench.plugins import load_plugin

    _writer, _stop, _spare = writer, stop, spare
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    for plugin in plugins:
        load_plugin(plugin)


def _run(task: Task) -> Outcome:
    try:
        with cores.spared(_spare):
            return task.run(_notify, _stop.is_set)
    except GenbenchError as error:
        return Outcome(task, error=str(error))


def _notify(word: Progress) -> None:
    with suppress(OSError):  # nobody listens any more: the parent is stopping
        _writer.send(word)


def _die_with(parent: int) -> None:
    """Ends this worker when its parent is gone without a word."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _pass_on(readers: list[Connection], notify: Notify) -> None:
    """Hands on every word that has arrived; a worker that is gone is listened to no more."""
    while ready := wait(readers, timeout=0):
        for reader in ready:
            assert isinstance(reader, Connection)
            try:
                notify(reader.recv())
            except EOFError:
                readers.remove(reader)
                reader.close()
