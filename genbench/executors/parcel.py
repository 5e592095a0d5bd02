"""Files of a results folder that travel to a process which can't see it, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from genbench.records import atomic, layout, reading

Parcel = dict[str, bytes | None]
"""The contents of files by their paths from the results folder on; None of one that is to be removed."""

TRAVELLING = frozenset((*layout.PARTS, layout.CONTROLS, layout.CHECKPOINT))
"""The names of all files that tasks leave, controls that were put aside apart."""


def packed(root: Path, paths: Iterable[Path]) -> Parcel:
    """The files among some that are there."""
    parcel: Parcel = {}
    for path in paths:
        try:
            parcel[path.relative_to(root).as_posix()] = reading.content(path, reading.MOST_TENSOR_BYTES)
        except OSError:  # there is none, or none that anything could go on from
            continue
    return parcel


def everything(root: Path) -> Parcel:
    """All files that tasks leave in a results folder."""
    return packed(root, (path for path in sorted(root.rglob("*")) if _travels(path.name)))


def changed(before: Mapping[str, bytes | None], now: Mapping[str, bytes | None]) -> Parcel:
    """What is to be done to files as they were `before` for them to be as they are now."""
    gone: Parcel = {path: None for path in before if path not in now}
    return gone | {path: content for path, content in now.items() if before.get(path) != content}


def unpack(root: Path, parcel: Mapping[str, bytes | None], places: Iterable[Path]) -> None:
    """Writes what came back, records last, and then removes what is to be removed.

    Nothing that isn't a task's file in one of its `places` is touched. Raises OSError where it can't be written.
    """
    allowed = [place.resolve() for place in places]
    last = sorted(parcel.items(), key=lambda each: (each[1] is None, each[0].endswith(f"/{layout.RECORD}")))
    for name, content in last:
        path = root / name
        if not _travels(path.name) or not any(path.resolve().is_relative_to(place) for place in allowed):
            continue
        if content is None:
            path.unlink(missing_ok=True)
        else:
            atomic.write_atomically(path, content)


class Away:
    """A results folder for a task on a machine that doesn't see its own, with the files that it goes on from."""

    def __init__(self, folder: Path, files: Parcel) -> None:
        folder.mkdir()
        unpack(folder, files, [folder])
        self.folder = folder
        self._there = dict(files)
        self._written = self._checkpoints()

    def checkpoints(self) -> Parcel:
        """The checkpoints that were written since they were last asked for."""
        before, self._written = self._written, self._checkpoints()
        fresh = packed(self.folder, (path for path, at in self._written.items() if before.get(path) != at))
        self._there.update(fresh)
        return fresh

    def changes(self) -> Parcel:
        """What is to be done there for the task's own folder to be as this one, but for checkpoints already given."""
        return changed(self._there, everything(self.folder))

    def _checkpoints(self) -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in self.folder.rglob(layout.CHECKPOINT)}


def _travels(name: str) -> bool:
    kept_aside = name.startswith(layout.CONTROLS.replace(".json", "-")) and name.endswith(".json")
    return name in TRAVELLING or kept_aside
