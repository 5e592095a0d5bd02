"""What a machine of a cluster does with a task that was sent to it, and how it is heard of meanwhile."""

from __future__ import annotations

import os
import platform
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from genbench import __version__, cores
from genbench.errors import GenbenchError
from genbench.executors import parcel
from genbench.executors.local import LocalExecutor
from genbench.executors.parcel import Parcel
from genbench.executors.pool import PoolExecutor
from genbench.executors.task import Outcome, Progress, Task
from genbench.records import store


@dataclass(frozen=True)
class Job:
    """A task on its way: with the files that it goes on from, the plugins' sources, and by what to tell the folder."""

    task: Task
    files: Parcel
    plugins: dict[str, bytes | None]
    timeout: float | None
    cpus: float
    seen_by: str | None
    environment: dict[str, str]
    version: str = __version__


class Done(NamedTuple):
    """What comes back of a task: its outcomes, and what it did to the files of a results folder that it can't see."""

    outcomes: tuple[Outcome, ...]
    files: Parcel


class Mailbox:
    """An actor beside the run, where machines leave word and checkpoints, and hear whether to stop."""

    def __init__(self) -> None:
        self.words: list[Progress] = []
        self.files: dict[str, Parcel] = {}
        self.stopped = False

    def say(self, word: Progress, files: Parcel) -> bool:
        """Leaves word of a task, and files of it; whether it is to stop."""
        self.words.append(word)
        if files:
            self.files.setdefault(word.name, {}).update(files)
        return self.stopped

    def take(self) -> tuple[list[Progress], dict[str, Parcel]]:
        """All that nobody has taken yet."""
        words, files = self.words, self.files
        self.words, self.files = [], {}
        return words, files

    def ask_to_stop(self) -> None:
        """Has whoever leaves word from now on hear that it is to stop."""
        self.stopped = True


def work(job: Job, mailbox: Any) -> Done:
    """Does a task on the machine that it was sent to."""
    import ray

    if job.version != __version__:
        raise GenbenchError(
            f"There is genbench {job.version} here and {__version__} on {platform.node()}: install one."
        )
    os.environ.update(job.environment)
    root = job.task.root
    with tempfile.TemporaryDirectory(prefix="genbench-") as own, cores.limited(int(job.cpus) or 1):
        sees = root is None or (job.seen_by is not None and (Path(root) / job.seen_by).exists())
        folder, task = Path(own, "results"), job.task
        if not sees:
            folder.mkdir()
            task = job.task.sent(str(folder))
            parcel.unpack(folder, job.files, [folder])
        kept = {} if sees else _checkpoints(folder)
        known = dict(job.files)
        asked = threading.Event()
        said: list[Any] = []

        def say(word: Progress) -> None:
            files = {} if sees else _fresh(folder, kept)
            known.update(files)
            said.append(mailbox.say.remote(word._replace(name=job.task.name), files))
            # Whoever waits for an answer gives its core to another task meanwhile.
            answered, _ = ray.wait(said, num_returns=len(said), timeout=0)
            if any(ray.get(answered)):
                asked.set()
            said[:] = [ref for ref in said if ref not in answered]

        here = job.timeout is None and task.is_ours
        plugins = [_at_hand(plugin, source, Path(own)) for plugin, source in job.plugins.items()]
        executor = LocalExecutor(asked.is_set) if here else PoolExecutor(1, plugins, job.timeout, asked.is_set)
        outcomes: list[Outcome] = []
        with suppress(KeyboardInterrupt):
            outcomes += executor.run([task], say)
        files = {} if sees else parcel.changed(known, parcel.everything(folder))
        return Done(tuple(outcome._replace(task=job.task) for outcome in outcomes), files)


def _checkpoints(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob(store.CHECKPOINT)}


def _fresh(folder: Path, kept: dict[Path, int]) -> Parcel:
    """The checkpoints that were written since they were last looked at."""
    now = _checkpoints(folder)
    fresh = [path for path, written in now.items() if kept.get(path) != written]
    kept.update(now)
    return parcel.packed(folder, fresh)


def _at_hand(plugin: str, source: bytes | None, folder: Path) -> str:
    """A plugin by which it can be loaded here: the file itself where it is the same, else a copy."""
    if source is None:
        return plugin
    with suppress(OSError):
        if Path(plugin).read_bytes() == source:
            return plugin
    copy = folder / "plugins" / Path(plugin).name
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(source)
    return str(copy)
