"""Who is at work on which trial, so that several runs on one results folder share it and train nothing twice.

A claim is a file beside what it is for, which only one process can make. Its process touches it while it lives; a claim
whose process is gone, or that nobody has touched for a while, is anyone's to take over.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from genbench.records import process, reading

CLAIM = ".claim"
ATTEMPTS = 5
MOST_BYTES = 1_000
TURN_SECONDS = 0.05
HEARTBEAT_SECONDS = 10.0
STALE_SECONDS = 120.0
"""A claim of another machine that has not been touched for so long is given up, by the clock of the file system."""


class Claims:
    """The claims of this process; they are touched as long as it lives, and given up at the end."""

    def __init__(self) -> None:
        self._held: set[Path] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._heart: threading.Thread | None = None

    def take(self, folder: Path) -> bool:
        """Claims a folder, which is made where there is none; False where another process is at work on it.

        Raises OSError where there can't be one.
        """
        path = folder / CLAIM
        for _ in range(ATTEMPTS):
            with suppress(FileExistsError):  # which the next line tells of
                folder.mkdir(parents=True, exist_ok=True)
            try:
                with path.open("x", encoding="ascii") as file:
                    file.write(process.here())
            except FileExistsError:
                if not _give_up(path):
                    return False
                continue
            except FileNotFoundError:  # another has given it back, empty, in between
                continue
            with self._lock:
                self._held.add(path)
            self._beat()
            return True
        return False

    def release(self, folder: Path) -> None:
        """Gives a folder back."""
        path = folder / CLAIM
        with self._lock:
            self._held.discard(path)
        if _owner(path) == process.here():
            path.unlink(missing_ok=True)
        with suppress(OSError):  # it holds something, as it should
            folder.rmdir()

    def close(self) -> None:
        """Gives all back."""
        self._ended.set()
        for path in list(self._held):
            self.release(path.parent)

    def _beat(self) -> None:
        if self._heart is None:
            self._heart = threading.Thread(target=self._touch, daemon=True)
            self._heart.start()

    def _touch(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            with self._lock:
                held = list(self._held)
            for path in held:
                with suppress(OSError):
                    os.utime(path)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Within, no other process is at work on a folder that it has claimed; waits for its turn."""
    with closing(Claims()) as claims:
        while not claims.take(folder):
            time.sleep(TURN_SECONDS)
        yield


def _give_up(path: Path) -> bool:
    """Takes away a claim that nobody holds any more; whether it did, or it was gone already."""
    owner = _owner(path)
    if owner is None:
        return True
    if not (process.is_gone(owner) or (not process.is_here(owner) and _is_stale(path))):
        return False
    aside = path.with_name(f"{CLAIM}.{process.here()}")
    try:
        path.rename(aside)  # one of those who try it succeeds
    except FileNotFoundError:
        return True
    fresh = _owner(aside) != owner
    if fresh:  # another has taken it over in between
        with suppress(FileExistsError):
            os.link(aside, path)
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.unlink(missing_ok=True)
    return not fresh


def _owner(path: Path) -> str | None:
    """Who holds a claim, empty where its writing was cut off or it is none; None where nothing lies there."""
    try:
        return reading.content(path, MOST_BYTES).decode("ascii", "replace")
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def _is_stale(path: Path) -> bool:
    """Whether a claim is older than any that is held, by the clock that both times come from: the file system's."""
    probe = path.with_name(f"{CLAIM}.{process.here()}.probe")
    try:
        probe.touch()
        # One from the future was made by a clock that is wrong, or to keep others waiting.
        return abs(probe.stat().st_mtime - path.lstat().st_mtime) > STALE_SECONDS or not path.is_file()
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)
