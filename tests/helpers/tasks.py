"""Tasks for executors that train nothing and note when they ran."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from genbench.cores import aside
from genbench.errors import GenbenchError
from genbench.executors.task import Outcome, Progress

FRAMES = {
    "say nonsense": b"\0\0\0\5hello",
    "begin a word": b"\0\0\xff\xffabc",
    "promise much": b"\xff\xff\xff\xff\0\0\1" + b"\0" * 9,
}
"""What a task may write to whatever it is heard by."""


@dataclass(frozen=True)
class Noted:
    """Writes down when it starts and ends; in between it does what `act` says.

    With `afterwards`, its end takes so many seconds more, beside the next task where that can be.
    """

    name: str
    folder: str
    needs: str | None = None
    seconds: float = 0.0
    act: str = ""
    afterwards: float | None = None
    undisturbed: bool = False
    is_ours: bool = True

    root = None

    def luggage(self):
        return ()

    def sent(self, root=None):
        return self

    def apart(self):
        return ()

    def begin(self, notify, stop):
        outcome = self.run(notify, stop)
        return outcome if self.afterwards is None else aside(partial(self._end, outcome))

    def _end(self, outcome):
        time.sleep(self.afterwards)
        if self.act == "break late":
            raise RuntimeError(f"{self.name} broke late")
        Path(self.folder, f"{self.name} ended").write_text(f"{time.monotonic()}")
        return outcome

    def run(self, notify, stop):
        started = time.monotonic()
        notify(Progress(self.name, 0.5, steps=3))
        time.sleep(self.seconds)
        if self.act == "refuse":
            raise GenbenchError(f"{self.name} can't be done.")
        if self.act == "break":
            raise RuntimeError(f"{self.name} broke")
        if self.act == "die":
            os._exit(9)
        if self.act in FRAMES:
            for number in (int(path.name) for path in Path("/proc/self/fd").iterdir()):
                with suppress(OSError):
                    if stat.S_ISSOCK(os.fstat(number).st_mode):
                        os.write(number, FRAMES[self.act])
            time.sleep(0.5)
        if self.act == "unpicklable":
            return Outcome(self, error=lambda: None)
        while self.act == "wait" and not stop():
            time.sleep(0.01)
        Path(self.folder, self.name).write_text(f"{started} {time.monotonic()} {os.getpid()}")
        return Outcome(self)

    @property
    def places(self):
        return ()

    def ended(self, status, reason):
        return Outcome(self, error=f"{self.name}: {reason}")

    @property
    def span(self):
        started, ended, _ = Path(self.folder, self.name).read_text().split()
        return float(started), float(ended)


def ignore(word):
    """Hears of progress and keeps it to itself."""


def never():
    """Never says to stop."""
    return False


def stop_at(times):
    """Says to stop when it is asked for that many times, once."""
    asked = count(1)
    return lambda: next(asked) == times
