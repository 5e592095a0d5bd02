"""What a machine of a cluster does with a task that was sent to it."""

from __future__ import annotations

import os
import platform
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from genbench import __version__, cores
from genbench.errors import GenbenchError
from genbench.executors.local import LocalExecutor
from genbench.executors.mailbox import Messenger
from genbench.executors.parcel import Away, Parcel
from genbench.executors.pool import PoolExecutor
from genbench.executors.task import Outcome, Progress, Task


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


def work(job: Job, mailbox: Any) -> Done:
    """Does a task on the machine that it was sent to."""
    if job.version != __version__:
        raise GenbenchError(
            f"There is genbench {job.version} here and {__version__} on {platform.node()}: install one."
        )
    os.environ.update(job.environment)
    root = job.task.root
    with (
        tempfile.TemporaryDirectory(prefix="genbench-") as own,
        cores.limited(int(job.cpus) or 1),
        closing(Messenger(mailbox)) as messenger,
    ):
        sees = root is None or (job.seen_by is not None and (Path(root) / job.seen_by).exists())
        away = None if sees else Away(Path(own, "results"), job.files)
        task = job.task if away is None else job.task.sent(str(away.folder))

        def say(word: Progress) -> None:
            messenger.say(word._replace(name=job.task.name), {} if away is None else away.checkpoints())

        here = job.timeout is None and task.is_ours
        plugins = [_at_hand(plugin, source, Path(own)) for plugin, source in job.plugins.items()]
        stopped = messenger.asked_to_stop.is_set
        executor = LocalExecutor(stopped) if here else PoolExecutor(1, plugins, job.timeout, stopped)
        outcomes: list[Outcome] = []
        with suppress(KeyboardInterrupt):
            outcomes += executor.run([task], say)
        files = {} if away is None else away.changes()
        return Done(tuple(outcome._replace(task=job.task) for outcome in outcomes), files)


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
