"""A process of its own that runs one task at a time, and whatever becomes of it, the one who started it goes on."""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import NamedTuple

from genbench import cores
from genbench.errors import GenbenchError
from genbench.executors.signals import SIGNALS
from genbench.executors.task import Outcome, Progress, Task

STOP = "stop"
"""What a worker is told while it runs a task that is to keep its checkpoint and end."""

DYING_SECONDS = 1.0
"""How long it may take from the end of its pipe to that of the process."""

PR_SET_PDEATHSIG = 1
"""The option of Linux's `prctl` by which a process dies with the one that started it."""


class Failed(str):
    """Why a task has no outcome although its process lives."""


class Started(NamedTuple):
    """The process is there, and has a task: until then it has imported torch, which takes the time that it takes."""


Word = Started | Progress | Outcome | Failed
"""What a worker says; after an outcome or a failure it has no task."""


class Worker:
    """A process that computes on so many cores beside its own, and loads plugins where a task has need of them.

    It is heard by a thread, which sets `news`: what a plugin writes to the pipe may never come to its end.
    """

    def __init__(self, spare: int, news: threading.Event) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.task: Task | None = None
        self.heard = math.inf
        """When it last said anything of its task; before it has begun on it nothing is to be heard."""
        self.is_deaf = False
        """Whether nothing more can be said or heard: it has closed its end, or said what is no word."""
        self._process = context.Process(target=_serve, args=(theirs, spare))
        # It inherits this mask: Ctrl-C is for the parent, which then asks its workers to stop.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self._words: SimpleQueue[Word | None] = SimpleQueue()
        self._ear = threading.Thread(target=self._listen, args=(news,), name="ear", daemon=True)
        self._ear.start()

    def start(self, task: Task, plugins: Sequence[str]) -> None:
        """Has it run a task, with plugins loaded. Raises what pickling raises for a task that can't travel, and OSError
        if it is gone."""
        self.connection.send((task, tuple(plugins)))
        self.task, self.heard = task, math.inf

    def ask_to_stop(self) -> None:
        """Asks the running task to keep its checkpoint and end."""
        if self.task is not None:
            with suppress(OSError):
                self.connection.send(STOP)

    def words(self) -> Iterator[Progress | Outcome | Failed]:
        """All that it has said and nobody has heard yet; where it is gone, to the last word."""
        if not self.is_alive:
            self._ear.join(DYING_SECONDS)
        while not self._words.empty():
            word = self._words.get()
            if word is None:
                self.is_deaf = True
                self._process.join(DYING_SECONDS)
                return
            self.heard = time.monotonic()
            if isinstance(word, Started):
                continue
            if not isinstance(word, Progress):
                self.task = None
            yield word

    def _listen(self, news: threading.Event) -> None:
        """Takes each word as it comes, and None in the end."""
        word: Word | None = Started()
        while word is not None:
            try:
                word = self.connection.recv()
                if not isinstance(word, Started | Progress | Outcome | Failed):
                    word = None
            except Exception:  # its end, or bytes that are no word
                word = None
            self._words.put(word)
            news.set()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs. A child that it left behind holds its pipes open, so they don't tell."""
        return self._process.is_alive()

    @property
    def end(self) -> str:
        """How the process ended, in words."""
        code = self._process.exitcode
        if code is None:
            return "its process closed what it is heard by"
        if code >= 0:
            return f"its process ended by itself with exit code {code}"
        with suppress(ValueError):
            name = signal.Signals(-code).name
            advice = ", as when memory runs out; try fewer --jobs" if name == "SIGKILL" else ""
            return f"its process died: killed by {name}{advice}"
        return f"its process died: killed by signal {-code}"

    def kill(self) -> None:
        """Ends it at once, and whatever it started, which is a group of processes of its own."""
        pid = self._process.pid
        assert pid is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        self._process.kill()  # which may not have come to lead its group yet

    def close(self) -> None:
        """Ends it, and whatever it started."""
        self.kill()
        self._process.join()
        self._ear.join(DYING_SECONDS)
        if not self._ear.is_alive():  # else something that it left behind holds the pipe's other end
            self.connection.close()


def _serve(connection: Connection, spare: int) -> None:
    """A worker's life: it runs tasks until nobody has any more."""
    _be_on_its_own()
    said = threading.Lock()

    def say(word: Word) -> None:
        with said, suppress(OSError):  # nobody listens any more: the parent is gone
            connection.send(word)

    while True:
        try:
            given = connection.recv()
        except (EOFError, OSError):
            os._exit(0)
        except Exception as error:  # what travels here can't always be put together again
            say(Failed(_told(error)))
            continue
        if given == STOP:  # which came as the task ended
            continue
        task, plugins = given
        say(Started())
        try:
            word = _run(task, plugins, say, connection, spare)
            with said:
                connection.send(word)
        except OSError:
            os._exit(0)
        except BaseException as error:  # an outcome that can't travel
            say(Failed(_told(error)))


def _run(task: Task, plugins: Sequence[str], say: Callable[[Word], None], connection: Connection, spare: int) -> Word:
    try:
        _load(plugins)
        with cores.spared(spare):
            return task.run(say, connection.poll)
    except GenbenchError as error:
        return Outcome(task, error=str(error))
    except BaseException as error:  # a plugin's code may raise anything
        return Failed(_told(error))
    finally:
        _flush()


def _be_on_its_own() -> None:
    """Leads a group of processes, ends with its parent, and prints what plugins print where errors go."""
    parent = os.getppid()
    with suppress(OSError):
        os.setsid()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    sys.stdout.flush()
    os.dup2(2, 1)


def _end_with(parent: int) -> None:
    """Ends this process when its parent is gone without a word, where the system doesn't."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)


def _load(plugins: Sequence[str]) -> None:
    from genbench.plugins import load_plugin

    for plugin in plugins:
        load_plugin(plugin)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
