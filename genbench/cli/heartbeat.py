"""Says in a file what a run is at, for `genbench status` and for whoever watches from elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genbench.cli.display import Display, Pace, rate
from genbench.executors import task
from genbench.executors.task import Outcome
from genbench.records import beats, process
from genbench.records.beats import Beat, Running


class Heart:
    """A display that also writes, at most every few seconds, what it has heard."""

    def __init__(self, shown: Display, root: Path, suite: str, command: str, total: int) -> None:
        self.shown, self.root = shown, root
        self.pace = Pace(total)
        self.running: dict[str, Running] = {}
        self.statuses: Counter[str] = Counter()
        now = time.time()
        self.beat = Beat(run=process.here(), suite=suite, command=command, started=now, written=now, total=total)
        self._write(now)

    def notify(self, word: task.Progress) -> None:
        self.shown.notify(word)
        self.pace.hear(word)
        self.running[word.name] = Running(name=word.name, share=word.share, steps=word.steps, rate=rate(word))
        if (now := time.time()) - self.beat.written >= beats.EVERY_SECONDS:
            self._write(now)

    def finish(self, outcome: Outcome) -> None:
        self.shown.finish(outcome)
        self.pace.tick(outcome)
        self.running.pop(outcome.task.name, None)
        self.statuses.update(record.status for record in outcome.records)
        self._write(time.time())

    def _write(self, now: float) -> None:
        changes = {
            "written": now,
            "finished": self.pace.finished,
            "statuses": dict(self.statuses),
            "left": self.pace.left(),
            "running": tuple(self.running.values()),
        }
        self.beat = self.beat.model_copy(update=changes)
        with suppress(OSError):  # who can't be told what it is at isn't kept from it
            beats.write(self.root, self.beat)


@contextmanager
def beating(shown: Display, root: Path, suite: str, command: str, total: int) -> Iterator[Heart]:
    """Within, a run says what it is at; afterwards it says nothing more."""
    try:
        yield Heart(shown, root, suite, command, total)
    finally:
        with suppress(OSError):
            beats.path_of(root, process.here()).unlink(missing_ok=True)
