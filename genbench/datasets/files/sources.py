"""Folders and zip files of images, read in place."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from genbench import archives
from genbench.datasets.files.formats import formats
from genbench.datasets.files.roots import CACHE, cache_root
from genbench.errors import GenbenchError
from genbench.references import printable

MEMORY = "fingerprints"
"""The folder in the cache that remembers folders' fingerprints."""

NAMED = 5
"""Of links that lead nowhere, so many are named."""

MOST_BYTES = 2**28
"""Of an encoded image: a quarter of a gigabyte."""

MOST_FILES = 10_000_000
"""Of a zip."""

NOWHERE = (errno.ENOENT, errno.ELOOP, errno.ENOTDIR)
"""What the system says of a link that leads to nothing, to itself, or through a file."""

BLOCK = 2**20
"""A file is read so many bytes at a time for its CRC-32."""


class Listed(NamedTuple):
    """An image as its folder or zip lists it.

    `stamp` tells contents of one size apart: the CRC-32 in a zip; in a folder the times of modification and of change
    and the file's number. `inside` is what the folder or zip calls it.
    """

    name: str
    size: int
    stamp: int | tuple[int, ...]
    inside: str


@dataclass(frozen=True)
class Source:
    """The images of a folder or a zip, sorted by name. Names are relative to the folder that holds them all.

    `ignored` counts what else is there by why it is none of them. `archive` is the zip, open for as long as this lives:
    to list what is in it takes a while.
    """

    path: Path
    listed: tuple[Listed, ...]
    ignored: Counter[str] = field(default_factory=Counter)
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

    @property
    def left_out(self) -> str:
        """What is there beside the images and why it is none of them, in words; empty where nothing is."""
        return ", ".join(f"{count:,} {why}" for why, count in sorted(self.ignored.items()))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the names, sizes and CRC-32s: the same for a zip and for the folder it unpacks to.

        A folder is read for it once: the cache remembers the outcome until a file's name, size, time or number differs.
        """
        if self.archive is not None:
            return _digest(self.listed)
        known = self._memory
        return str(known["fingerprint"]) if known.get("seen") == _digest(self.listed) else self._read()

    def has_changed(self) -> bool:
        """Whether a folder, which is read anew for it, holds other images than when the cache last heard of it."""
        if self.archive is not None:
            return False
        before = self._memory.get("fingerprint")
        self.__dict__["fingerprint"] = now = self._read()
        return before is not None and before != now

    def read(self, name: str) -> bytes:
        """One encoded image; raises ValueError for one that is too large to be any."""
        image = self._by_name[name]
        if image.size > MOST_BYTES:
            raise ValueError(f"{image.size:,} bytes, more than an image should have")
        return (self.path / image.inside).read_bytes() if self.archive is None else self.archive.read(image.inside)

    @cached_property
    def _by_name(self) -> dict[str, Listed]:
        return {image.name: image for image in self.listed}

    @property
    def _memory_file(self) -> Path:
        place = hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:16]
        return cache_root() / MEMORY / f"{place}.json"

    @property
    def _memory(self) -> dict[str, Any]:
        """What the cache knows of this folder: its `fingerprint`, and what it was `seen` to list then."""
        try:
            known = json.loads(self._memory_file.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _read(self) -> str:
        """The fingerprint of a folder, of which every file is read; the cache remembers it."""
        from genbench.records.atomic import write_atomically

        try:
            digest = _digest(image._replace(stamp=_crc(self.path / image.inside)) for image in self.listed)
            known = {"seen": _digest(self.listed), "fingerprint": digest}
            write_atomically(self._memory_file, json.dumps(known).encode())
        except OSError as error:
            raise GenbenchError(
                f"{error.filename or self.path} can't be read or written ({error.strerror}). "
                f"Mend that, or name another folder to write to: {CACHE}=DIR"
            ) from error
        return digest


def open_source(path: Path) -> Source:
    """Lists the images of a folder or a zip; raises GenbenchError where there is neither, or no image in it.

    Links are followed. Raises GenbenchError, too, for links that lead nowhere, and for folders that can't be entered.
    """
    ignored: Counter[str] = Counter()
    archive = None
    try:
        if path.is_dir():
            members = list(_in_folder(path, ignored))
        elif path.is_file():
            archive = archives.opened(path, MOST_FILES)
            members = list(_in_zip(archive, ignored))
        else:
            raise GenbenchError(f"{path} is no folder and no zip file. Give the path of one that holds images.")
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        ValueError,
    ) as error:  # of a damaged one
        raise GenbenchError(f"{path} is not a whole zip file ({error}). Fetch or make it again.") from error
    except OSError as error:
        raise GenbenchError(f"{error.filename or path} can't be read ({error.strerror or error}).") from error
    if not members:
        beside = f" Beside them are {left}." if (left := Source(path, (), ignored).left_out) else ""
        raise GenbenchError(f"{path} holds no images: none of its files ends as Pillow's formats do, .jpg say.{beside}")
    base = _common_folder(image.name for image in members)
    listed = (image._replace(name=image.name[len(base) :]) for image in members)
    return Source(path, tuple(sorted(listed)), ignored, archive)


def _in_folder(root: Path, ignored: Counter[str]) -> Iterator[Listed]:
    """The images under `root`. A folder counts once, under its own name rather than under one of its links'.

    What `root` lies in is left out: a link there leads to everything that lies beside it.
    """
    visited = {(above.stat().st_dev, above.stat().st_ino) for above in root.resolve().parents}
    waiting, links = [(root, "")], list[tuple[Path, str]]()
    broken: list[str] = []
    while waiting or links:
        folder, inside = waiting.pop() if waiting else links.pop(0)
        number = folder.stat()
        if (number.st_dev, number.st_ino) in visited:
            ignored["links to folders that count already, or that this one lies in"] += 1
            continue
        visited.add((number.st_dev, number.st_ino))
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                name = f"{inside}{entry.name}"
                try:
                    found = entry.stat()
                except OSError as error:
                    if error.errno not in NOWHERE:
                        raise
                    if not _is_hidden(entry.name):
                        broken.append(name)
                    continue
                if stat.S_ISDIR(found.st_mode):
                    if _is_hidden(entry.name):
                        ignored["hidden folders"] += 1
                    else:
                        (links if entry.is_symlink() else waiting).append((Path(entry.path), f"{name}/"))
                elif not stat.S_ISREG(found.st_mode):
                    ignored["neither file nor folder"] += 1
                elif _counts(name, ignored):
                    yield Listed(name, found.st_size, (found.st_mtime_ns, found.st_ctime_ns, found.st_ino), name)
    if broken:
        more = f" and {len(broken) - NAMED} more" if broken[NAMED:] else ""
        raise GenbenchError(
            f"{root} holds {len(broken)} links that lead nowhere: {', '.join(map(printable, broken[:NAMED]))}{more}. "
            "Bring back what they lead to, or remove them."
        )


def _in_zip(archive: zipfile.ZipFile, ignored: Counter[str]) -> Iterator[Listed]:
    """The images in a zip; of those whose names are the same file's the last counts, which unpacking leaves."""
    members: dict[str, Listed] = {}
    for member in archive.infolist():
        name = _normalised(member.filename)
        if member.is_dir() or not _counts(name, ignored):
            continue
        if members.pop(name, None) is not None:
            ignored["named again later"] += 1
        members[name] = Listed(name, member.file_size, member.CRC, member.filename)
    # A name that is there twice to the letter: the archive gives its last.
    return iter(members.values())


def _normalised(name: str) -> str:
    """A member's name as unpacking makes it: forward slashes, relative, no dots; empty where nothing is left."""
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))


def _counts(name: str, ignored: Counter[str]) -> bool:
    """Whether a file's name is an image's; where it isn't, `ignored` counts it."""
    ending = PurePosixPath(name).suffix.lower()
    if any(map(_is_hidden, name.split("/"))):
        ignored["hidden files"] += 1
    elif ending not in formats():
        ignored[f"of {ending}" if ending else "without an ending"] += 1
    else:
        return True
    return False


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _common_folder(names: Iterable[str]) -> str:
    """The deepest folder that holds all of `names`, with a slash at its end, or nothing."""
    folders = {name.rpartition("/")[0] for name in names}
    common = "" if "" in folders else os.path.commonpath(folders)
    return f"{common}/" if common else ""


def _digest(listed: Iterable[Listed]) -> str:
    lines = (f"{json.dumps(name)} {size} {stamp}\n" for name, size, stamp, _ in listed)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _crc(path: Path) -> int:
    """The CRC-32 of a file, as zips hold it."""
    crc = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            crc = zlib.crc32(block, crc)
    return crc
