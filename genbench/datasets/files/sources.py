"""Folders and zip files of images, read in place."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from genbench.datasets.files.roots import cache_root
from genbench.errors import GenbenchError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
MEMORY = "fingerprints"
"""The folder in the cache that remembers folders' fingerprints."""


class Listed(NamedTuple):
    """An image as its folder or zip lists it; `stamp` is its CRC-32 in a zip and its time of change in a folder."""

    name: str
    size: int
    stamp: int


@dataclass(frozen=True)
class Source:
    """The images of a folder or a zip, sorted by name. Names are relative to `base`, the folder that holds them all.

    `archive` is the zip, open for as long as this lives: to list what is in it takes a while.
    """

    path: Path
    base: str
    listed: tuple[Listed, ...]
    archive: zipfile.ZipFile | None = field(default=None, repr=False, compare=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The images' names, with forward slashes."""
        return tuple(image.name for image in self.listed)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The folders of the first level, where every image lies in one; else none."""
        tops = [name.partition("/") for name in self.names]
        return tuple(sorted({top for top, _, _ in tops})) if all(inside for _, _, inside in tops) else ()

    @property
    def labels(self) -> list[int] | None:
        """Each image's class, where there are classes."""
        places = {name: i for i, name in enumerate(self.classes)}
        return [places[name.partition("/")[0]] for name in self.names] if places else None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the names, sizes and CRC-32s: the same for a zip and for the folder it unpacks to.

        A folder is read for it, once: the cache remembers the outcome until a name, a size or a time of change differs.
        """
        return _remembered(self) if self.archive is None else _digest(self.listed)

    def read(self, name: str) -> bytes:
        """One encoded image."""
        inside = f"{self.base}{name}"
        return (self.path / inside).read_bytes() if self.archive is None else self.archive.read(inside)


def open_source(path: Path) -> Source:
    """Lists the images of a folder or a zip; raises GenbenchError where there is neither, or no image in it."""
    archive = None
    try:
        if path.is_dir():
            members = list(_in_folder(path))
        elif path.is_file():
            archive = zipfile.ZipFile(path)
            members = [Listed(i.filename, i.file_size, i.CRC) for i in archive.infolist() if _counts(i.filename)]
        else:
            raise GenbenchError(f"{path} is no folder and no zip file. Give the path of one that holds images.")
    except zipfile.BadZipFile as error:
        raise GenbenchError(f"{path} is not a whole zip file ({error}). Fetch or make it again.") from error
    except OSError as error:
        raise GenbenchError(f"{path} can't be read ({error.strerror}).") from error
    if not members:
        raise GenbenchError(f"{path} holds no images. Those count that end in {', '.join(SUFFIXES)}.")
    base = _common_folder(image.name for image in members)
    listed = (image._replace(name=image.name[len(base) :]) for image in members)
    return Source(path, base, tuple(sorted(listed)), archive)


def _in_folder(root: Path) -> Iterable[Listed]:
    for folder, _, files in os.walk(root):
        inside = Path(folder).relative_to(root)
        for file in files:
            name = (inside / file).as_posix()
            if _counts(name):
                stat = Path(folder, file).stat()
                yield Listed(name, stat.st_size, stat.st_mtime_ns)


def _counts(name: str) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
    return name.lower().endswith(SUFFIXES) and not hidden


def _common_folder(names: Iterable[str]) -> str:
    """The deepest folder that holds all of `names`, with a slash at its end, or nothing."""
    folders = {name.rpartition("/")[0] for name in names}
    common = "" if "" in folders else os.path.commonpath(folders)
    return f"{common}/" if common else ""


def _digest(listed: Iterable[Listed]) -> str:
    lines = (f"{json.dumps(name)} {size} {stamp}\n" for name, size, stamp in listed)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _remembered(source: Source) -> str:
    """The fingerprint of a folder."""
    from genbench.records.atomic import write_atomically

    place = hashlib.sha256(str(source.path.resolve()).encode()).hexdigest()[:16]
    memory, seen = cache_root() / MEMORY / f"{place}.json", _digest(source.listed)
    try:
        known = json.loads(memory.read_bytes())
        if known["seen"] == seen:
            return str(known["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        digest = _digest(image._replace(stamp=zlib.crc32(source.read(image.name))) for image in source.listed)
        write_atomically(memory, json.dumps({"seen": seen, "fingerprint": digest}).encode())
    except OSError as error:
        raise GenbenchError(f"{error.filename or source.path} can't be read or written ({error.strerror}).") from error
    return digest
