"""From encoded images to pixels, on every core. Worker processes import this and no torch."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image, UnidentifiedImageError

from genbench.datasets.sources import Source, reader
from genbench.errors import GenbenchError

Mode = Literal["RGB", "L"]
Progress = Callable[[int, int], None]
"""Hears how many images are done, and of how many."""

FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
CHUNK = 64
POOL_FROM = 1024
"""Fewer images than this are decoded here before another process has started."""

NAMED = 5
"""Of the images that can't be used, so many are named."""


@dataclass(frozen=True)
class Transform:
    """What becomes of an image: a centred square of it, resized to `size` × `size`, in `mode`.

    Without a `frame` the square is as wide as the image's short side. With one, the image must have the frame's
    proportions (width, height), and the square's side is `crop` where the image would be as large as the frame.
    """

    size: int
    mode: Mode = "RGB"
    crop: int = 0
    frame: tuple[int, int] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an image's pixels: channels, height, width."""
        return len(self.mode), self.size, self.size

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The square's left, upper, right and lower edge; raises ValueError for other proportions than the frame's."""
        side: float = min(width, height)
        if self.frame is not None:
            if abs(width * self.frame[1] / self.frame[0] - height) >= 1:
                raise ValueError(f"{width} × {height} pixels, not in proportion to {self.frame[0]} × {self.frame[1]}")
            side = self.crop * width / self.frame[0]
        left, top = (width - side) / 2, (height - side) / 2
        return left, top, left + side, top + side


class Chunk(NamedTuple):
    """Some of a source's images, and the number of the first."""

    first: int
    names: Sequence[str]


class Refused(NamedTuple):
    """An image that can't be used, and why."""

    name: str
    reason: str


def decode(content: bytes, transform: Transform) -> bytes:
    """An image's pixels, channel by channel and row by row. Raises whatever the decoder does."""
    if not content:
        raise ValueError("an empty file")
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        box = transform.box(*image.size)
        plain = _in_mode(image, transform.mode)
    resized = plain.resize((transform.size, transform.size), Image.Resampling.BICUBIC, box=box)
    return b"".join(resized.tobytes("raw", band) for band in transform.mode)


def decode_all(source: Source, transform: Transform, target: Path | None, offset: int, progress: Progress) -> None:
    """Decodes every image of `source` and writes the pixels into the file `target`, one after the other from `offset`.

    Raises GenbenchError, after all were tried, where some can't be used: it counts them and names the first.
    """
    work = (source.path, source.base, transform, target, offset)
    total = len(source.names)
    chunks = [Chunk(first, source.names[first : first + CHUNK]) for first in range(0, total, CHUNK)]
    workers = min(_cores() - 1, total // POOL_FROM)
    refused: list[Refused] = []
    done = 0

    def finish(chunk: Chunk, found: list[Refused]) -> None:
        nonlocal done
        refused.extend(found)
        done += len(chunk.names)
        progress(done, total)

    decoder = Decoder(*work)
    if workers < 1:
        for chunk in chunks:
            finish(chunk, decoder(*chunk))
    else:
        _share(chunks, decoder, work, workers, finish)
    if refused:
        refused.sort()
        names = "".join(f"\n  {name}: {reason}" for name, reason in refused[:NAMED])
        more = f"\n  and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
        raise GenbenchError(
            f"{len(refused)} of the {total} images in {source.path} can't be used:{names}{more}\n"
            "Mend or remove them; nothing was kept of the rest."
        )


class Decoder:
    """Decodes chunks of a source into a file, or into nothing where `target` is None."""

    def __init__(self, path: Path, base: str, transform: Transform, target: Path | None, offset: int) -> None:
        self.read, self.transform, self.target, self.offset = reader(path, base), transform, target, offset

    def __call__(self, first: int, names: Sequence[str]) -> list[Refused]:
        """Decodes the images `names`, the first of which is the source's number `first`; returns what it can't use."""
        channels, height, width = self.transform.shape
        size = channels * height * width
        pixels, refused = bytearray(size * len(names)), []
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            for i, name in enumerate(names):
                try:
                    pixels[i * size : (i + 1) * size] = decode(self.read(name), self.transform)
                except UnidentifiedImageError:
                    refused.append(Refused(name, "not an image"))
                except Exception as error:  # whatever a decoder raises, it is about this image
                    refused.append(Refused(name, " ".join(str(error).split()) or type(error).__name__))
        if self.target is not None:
            with self.target.open("r+b") as file:
                file.seek(self.offset + first * size)
                file.write(pixels)
        return refused


def _in_mode(image: Image.Image, mode: Mode) -> Image.Image:
    if image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")  # convert alone clips
    elif image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode}, which have no fixed range")
    elif image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    image.load()
    return image if image.mode == mode else image.convert(mode)


def _share(
    chunks: list[Chunk],
    decoder: Decoder,
    work: tuple[Path, str, Transform, Path | None, int],
    workers: int,
    finish: Callable[[Chunk, list[Refused]], None],
) -> None:
    """Decodes `chunks`: other processes from the front, and this one, which need not start up first, from the end."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start, work)
    try:
        with _deaf():
            waiting: dict[Future[list[Refused]], Chunk] = {pool.submit(_run, *chunk): chunk for chunk in chunks}
        for future, chunk in reversed(list(waiting.items())):
            if future.cancel():
                del waiting[future]
                finish(chunk, decoder(*chunk))
            for ended in list(takewhile(Future.done, waiting)):  # they end in about the order in which they stand
                finish(waiting.pop(ended), ended.result())
        while waiting:
            for ended in wait(waiting, return_when=FIRST_COMPLETED).done:
                finish(waiting.pop(ended), ended.result())
    except BrokenProcessPool:
        raise GenbenchError("A process that decodes images died: killed, or out of memory. Try again.") from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that start within hear no Ctrl-C: it is for this one, which hears it afterwards and stops them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_decoder: Decoder | None = None


def _start(path: Path, base: str, transform: Transform, target: Path | None, offset: int) -> None:
    """Sets a worker up."""
    global _decoder
    _decoder = Decoder(path, base, transform, target, offset)


def _run(first: int, names: Sequence[str]) -> list[Refused]:
    assert _decoder is not None
    return _decoder(first, names)
