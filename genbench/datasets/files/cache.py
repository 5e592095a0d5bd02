"""The decode-once cache: one folder a set of pixels, which is there whole or not at all.

    <cache>/<name>-<hash>/
        pixels.npy    (n, channels, height, width) of uint8
        labels.npy    (n,) of int64, where there are labels
        about.json    what decided the pixels, and their SHA-256; written last

The hash is of all that decides the pixels and of this cache's version, so what another version wrote is never opened.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genbench.datasets.files.roots import CACHE, cache_root
from genbench.datasets.files.sources import Source
from genbench.datasets.files.transforms import Pixels, Progress, Transform, Write
from genbench.errors import GenbenchError
from genbench.records.layout import slug
from genbench.spec import canonical_json

CACHE_VERSION = 2
"""Raised whenever the same key leads to other pixels."""

PIXELS, LABELS, ABOUT = "pixels.npy", "labels.npy", "about.json"
SPARE_BYTES = 64 * 2**20

Labels = NDArray[np.int64]
Shape = tuple[int, int, int, int]
Fill = Callable[[Write], Labels | None]
"""Writes the pixels of all images, some at a time; returns the labels, if there are."""


@dataclass(frozen=True)
class Key:
    """What decides an entry: a `name` for people, and all that the pixels depend on."""

    name: str
    identity: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where the entry lies, if it does."""
        decided = canonical_json({"identity": self.identity, "version": CACHE_VERSION})
        return cache_root() / f"{slug(self.name)}-{hashlib.sha256(decided.encode()).hexdigest()[:12]}"


class Cached(NamedTuple):
    """Pixels `(n, channels, height, width)` mapped into memory, and labels `(n,)` where there are any."""

    folder: Path
    pixels: Pixels
    labels: Labels | None
    about: dict[str, Any]

    @property
    def bytes(self) -> int:
        """What it takes on disk."""
        return sum(file.stat().st_size for file in self.folder.iterdir())

    @property
    def sound(self) -> bool:
        """Whether the pixels are those that were written."""
        with (self.folder / PIXELS).open("rb") as file:
            return bool(hashlib.file_digest(file, "sha256").hexdigest() == self.about["sha256"])


def key_of(name: str, source: Source, transform: Transform) -> Key:
    """The key of a source's images after a transform."""
    decided = {"source": source.fingerprint, "size": transform.size, "mode": transform.mode}
    return Key(name, decided | {"crop": transform.crop, "frame": transform.frame})


def prepare(name: str, source: Source, transform: Transform, progress: Progress) -> Cached:
    """The pixels of a source's images, decoded unless they were before. Raises GenbenchError where some can't be."""

    def fill(write: Write) -> Labels | None:
        from genbench.datasets.files.decoding import decode_all

        decode_all(source, transform, write, progress).check_light(source.path)
        return None if source.labels is None else np.array(source.labels, np.int64)

    return build(key_of(name, source, transform), (len(source.names), *transform.shape), fill)


def build(key: Key, shape: Shape, fill: Fill) -> Cached:
    """The entry of `key`; where there is none, `fill` makes pixels of that shape.

    Of several processes one builds and the others wait for it. What fails or is interrupted leaves nothing behind.
    Files are not synced: what a power cut takes can be made again, and `sound` finds it.
    """
    if (cached := find(key)) is not None:
        return cached
    import filelock

    folder = key.folder
    temporary = folder.with_name(f".{folder.name}.tmp")
    with _writing(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.with_name(f".{folder.name}.lock")):
            if (cached := find(key)) is not None:
                return cached
            # What is there under these names was left by a process that was killed, or is an entry that lost a file.
            for left in (temporary, folder):
                shutil.rmtree(left, ignore_errors=True)
            _check_space(folder.parent, shape)
            temporary.mkdir()
            try:
                _write(temporary, key, shape, fill)
                temporary.rename(folder)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
    cached = find(key)
    assert cached is not None
    return cached


def find(key: Key) -> Cached | None:
    """The entry of `key`, if it is there."""
    return _open(key.folder)


def entries() -> list[Path]:
    """The folders of all entries, of whatever version."""
    root = cache_root()
    return sorted(about.parent for about in root.glob(f"*/{ABOUT}")) if root.is_dir() else []


def _open(folder: Path) -> Cached | None:
    try:
        about = json.loads((folder / ABOUT).read_bytes())
        # Copy-on-write: torch wants arrays that can be written, and the file is never changed.
        pixels = np.load(folder / PIXELS, mmap_mode="c", allow_pickle=False)
        labels = np.load(folder / LABELS, allow_pickle=False) if about["labels"] else None
    except Exception:  # numpy parses a header as Python: a damaged entry may raise anything, and is made again
        return None
    return Cached(folder, pixels, labels, about)


def _write(folder: Path, key: Key, shape: Shape, fill: Fill) -> None:
    digest = hashlib.sha256()
    with (folder / PIXELS).open("wb") as file:

        def append(content: bytes | memoryview) -> None:
            file.write(content)
            digest.update(content)

        append(_header(shape))
        labels = fill(lambda pixels: append(np.ascontiguousarray(pixels).data))
    if labels is not None:
        written = np.lib.format.open_memmap(folder / LABELS, "w+", np.int64, labels.shape)
        written[:] = labels
        written.flush()
    about = {
        "name": key.name,
        "version": CACHE_VERSION,
        "identity": dict(key.identity),
        "shape": shape,
        "labels": labels is not None,
        "sha256": digest.hexdigest(),
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _header(shape: Shape) -> bytes:
    """How a .npy file of pixels begins."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return header.getvalue()


def _check_space(root: Path, shape: tuple[int, ...]) -> None:
    needed, free = int(np.prod(shape, dtype=np.int64)), shutil.disk_usage(root).free
    if free < needed + SPARE_BYTES:
        raise GenbenchError(
            f"Decoded images of {needed:,} bytes don't fit into {root}, where {free:,} are free. "
            f"Make room, or name another folder: {CACHE}=DIR"
        )


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GenbenchError(f"Can't write to {root} ({error.strerror}). Name another folder: {CACHE}=DIR") from error
