"""Files that are there whole or not at all, whenever the writing is cut off."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

from genbench.spec import Frozen


def write_model(path: Path, model: Frozen) -> None:
    """Writes a model as readable JSON, atomically."""
    write_atomically(path, _model_bytes(model))


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that it is there whole or not at all: a temporary name, fsync, rename, fsync the folder.

    Of a link, that is the file that it leads to. Raises OSError where it can't be written, or is there and no file.
    """
    path = _file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:  # Ctrl-C in the middle leaves nothing behind either
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


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
