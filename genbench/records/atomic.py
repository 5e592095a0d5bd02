"""Files that are there whole or not at all, whenever the writing is cut off."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

from genbench.errors import GenbenchError
from genbench.records import process
from genbench.spec import Frozen

UNFINISHED = ".tmp"
"""Ends the name of a file that is being written, after that of the process that writes it."""


def passed(point: str, path: Path) -> None:
    """A file's writing has come to a point, at which a test may end the process: nothing happens here."""


def is_within(root: Path, path: Path) -> bool:
    """Whether a path that is named below a folder lies in it, and no link leads out."""
    return path.resolve().is_relative_to(root.resolve())


def check_within(root: Path, path: Path) -> None:
    """Raises GenbenchError where a link takes what is below a folder out of it.

    Whoever made the folder may have put links there, through which nothing is to be written or removed.
    """
    if not is_within(root, path):
        raise GenbenchError(
            f"{path} leads to {path.resolve()}, out of {root}. Remove the link, or give another folder."
        )


def write_model(path: Path, model: Frozen) -> None:
    """Writes a model as readable JSON, atomically."""
    write_atomically(path, _model_bytes(model))


def write_atomically(path: Path, content: bytes, follow: bool = False) -> None:
    """Writes a file so that it is there whole or not at all: a temporary name, fsync, rename, fsync the folder.

    A link is replaced, since whoever made a results folder may have it lead anywhere; where a person has named it, with
    `follow`, it is the file that it leads to. Raises OSError where it can't be written, or is there and no file.
    """
    path = _file(path) if follow or not path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{process.here()}{UNFINISHED}")
    passed("before", path)
    temporary.unlink(missing_ok=True)
    try:
        with temporary.open("xb") as file:  # no link that someone has laid there is followed
            file.write(content)
            file.flush()
            passed("written", path)
            os.fsync(file.fileno())
        passed("synced", path)
        temporary.replace(path)
    except BaseException:  # Ctrl-C in the middle leaves nothing behind either
        temporary.unlink(missing_ok=True)
        raise
    passed("replaced", path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    passed("after", path)


def _file(path: Path) -> Path:
    """The file behind a path; raises OSError where that is a device, a pipe or a folder, which can't be replaced."""
    stream = path.is_symlink() and path.absolute().parts[1:2] in (("dev",), ("proc",))
    try:
        path = path.resolve() if path.is_symlink() else path
    except RuntimeError:  # as Python says it up to 3.12
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
    if stream or (path.exists() and not path.is_file()):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return path


def _model_bytes(model: Frozen) -> bytes:
    return (json.dumps(model.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
