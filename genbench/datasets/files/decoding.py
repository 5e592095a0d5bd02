"""From encoded images to pixels, on every core: by libjpeg-turbo or Pillow, and resized many at a time by torch."""

from __future__ import annotations

import io
import math
import os
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import simplejpeg
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.nn.functional import interpolate

from genbench.datasets.files.formats import readable
from genbench.datasets.files.sources import Source
from genbench.datasets.files.transforms import DIM, Mode, Pixels, Progress, Transform, Write
from genbench.errors import GenbenchError
from genbench.references import printable

CHUNK, CHUNK_BYTES, AHEAD = 64, 2**23, 3
"""At most so many images, of so many encoded bytes, are decoded together; each core is so many such chunks ahead."""

LARGE_SIDE = 256
"""Squares from this side on are resized one by one: they take up memory, and gain nothing from company."""

HUGE_PIXELS, ONE_BY_ONE = 2**24, Lock()
"""Images of more pixels wait for each other: whole, in several modes, they take up hundreds of megabytes."""

PNG, PNG_CHUNK, PNG_NOTES = b"\x89PNG\r\n\x1a\n", 12, {b"tEXt", b"zTXt", b"iTXt", b"iCCP"}
"""How a PNG begins, what a chunk of it has beside its content, and the chunks that hold no pixels and may be long."""

NAMED = 5
"""Of the images that can't be used, so many are named."""


class Refused(NamedTuple):
    """An image that can't be used, and why."""

    name: str
    reason: str


class Decoded(NamedTuple):
    """Some images' pixels `(n, channels, height, width)`, those that can't be used, and how many hold `more` frames."""

    pixels: Pixels
    refused: list[Refused]
    more: int


class Opened(NamedTuple):
    """An image's pixels `(height, width, channels)`, and whether its file holds more frames or pages, not read."""

    pixels: Pixels
    more: bool = False


class Seen(NamedTuple):
    """Of images that were decoded: how many files hold more frames or pages than the first, which is the one that is
    read, and the largest of all pixels."""

    several: int
    lightest: int

    def check_light(self, path: Path) -> None:
        """Raises GenbenchError for images that aren't all black and hold nothing lighter than `DIM`."""
        if 0 < self.lightest < DIM:
            raise GenbenchError(
                f"The images in {path} hold no pixel above {self.lightest} of 255, as masks do, and images that were "
                f"scaled to [0, 1]. Write them again with pixels from 0 to 255."
            )


def decode_all(source: Source, transform: Transform, write: Write, progress: Progress) -> Seen:
    """Decodes every image of `source`, and writes the pixels of some at a time, in order.

    Raises GenbenchError, after all were tried, where some can't be used: it counts them and names the first.
    """
    total, cores = len(source.names), _cores()
    refused: list[Refused] = []
    waiting: deque[Future[Decoded]] = deque()
    turn, done, more_frames, lightest = Lock(), 0, 0, 0

    def decode(names: Sequence[str]) -> Decoded:
        with turn:  # threads that read one by one between each other's decoding wait longer than they read
            contents = [_read(source, name) for name in names]
        return _decode(names, contents, transform)

    def finish() -> None:
        nonlocal done, more_frames, lightest
        pixels, unusable, more = waiting.popleft().result()
        write(pixels)
        refused.extend(unusable)
        more_frames += more
        lightest = max(lightest, int(pixels.max(initial=0)))
        done += len(pixels)
        progress(done, total)

    with warnings.catch_warnings(), ThreadPoolExecutor(cores) as pool:
        warnings.simplefilter("ignore")  # of what is odd in a file and hinders nobody
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for names in _chunks(source):
            waiting.append(pool.submit(decode, names))
            if len(waiting) > AHEAD * cores:
                finish()
        while waiting:
            finish()
    if refused:
        named = "".join(f"\n  {printable(name)}: {reason}" for name, reason in refused[:NAMED])
        more = f"\n  and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
        raise GenbenchError(
            f"{len(refused)} of the {total} images in {source.path} can't be used:{named}{more}\n"
            "Mend or remove them; nothing was kept of the rest."
        )
    return Seen(more_frames, lightest)


def decoded(content: bytes, transform: Transform) -> tuple[Tensor, bool]:
    """The square that is kept of an image, `(side, side, channels)` of uint8, and whether it has more frames.

    Raises whatever the decoder does.
    """
    if not content:
        raise ValueError("an empty file")
    quick = _quickly(content) if transform.mode == "RGB" and simplejpeg.is_jpeg(content) else None
    pixels, more = _by_pillow(content, transform.mode) if quick is None else Opened(quick)
    left, top, side = transform.square(pixels.shape[1], pixels.shape[0])
    square = pixels[top : top + side, left : left + side]
    return torch.from_numpy(square if square.size == pixels.size else square.copy()), more  # a view would keep all


def resized(squares: Tensor, size: int) -> Tensor:
    """Squares `(n, side, side, channels)` as `(n, channels, size, size)`: bicubic, with antialiasing."""
    # In this layout of memory torch has a kernel for uint8 that takes a seventh of Pillow's time.
    images = squares.permute(0, 3, 1, 2)
    return interpolate(images, size=(size, size), mode="bicubic", antialias=True, align_corners=False)


def _chunks(source: Source) -> Iterator[Sequence[str]]:
    first = size = 0
    for i, image in enumerate(source.listed):
        if i > first and (i == first + CHUNK or size + image.size > CHUNK_BYTES):
            yield source.names[first:i]
            first, size = i, 0
        size += image.size
    yield source.names[first:]


def _read(source: Source, name: str) -> bytes | Exception:
    try:
        return source.read(name)
    except Exception as error:  # a damaged zip raises many kinds
        return error


def _decode(names: Sequence[str], contents: Sequence[bytes | Exception], transform: Transform) -> Decoded:
    pixels, refused, more_frames = np.zeros((len(names), *transform.shape), np.uint8), [], 0
    squares: dict[int, dict[int, Tensor]] = {}
    for i, (name, content) in enumerate(zip(names, contents, strict=True)):
        try:
            if isinstance(content, Exception):
                raise content
            square, more = decoded(content, transform)
            more_frames += more
            if len(square) < LARGE_SIDE:
                squares.setdefault(len(square), {})[i] = square
            else:
                pixels[i] = resized(square[None], transform.size).numpy()
        except UnidentifiedImageError:
            refused.append(Refused(name, "not an image"))
        except Exception as error:  # whatever a decoder raises, it is about this image
            refused.append(Refused(name, " ".join(str(error).split()) or type(error).__name__))
    for alike in squares.values():
        pixels[list(alike)] = resized(torch.stack(list(alike.values())), transform.size).numpy()
    return Decoded(pixels, refused, more_frames)


def _quickly(content: bytes) -> Pixels | None:
    """A JPEG in colour or grey, with Pillow's pixels in half of its time; None for one that Pillow had better judge."""
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(content)
        usual = space in ("YCbCr", "Gray", "RGB") and height * width <= (Image.MAX_IMAGE_PIXELS or math.inf)
        return simplejpeg.decode_jpeg(content) if usual else None
    except ValueError:
        return None


def _by_pillow(content: bytes, mode: Mode) -> Opened:
    with Image.open(io.BytesIO(_without_notes(content)), formats=readable()) as image:
        more = bool(getattr(image, "is_animated", False))
        with ONE_BY_ONE if image.width * image.height > HUGE_PIXELS else nullcontext():
            plain = _in_mode(image, mode)
            return Opened(np.array(plain).reshape(plain.height, plain.width, len(mode)), more)


def _without_notes(content: bytes) -> bytes:
    """A PNG without the chunks of text and colour profile, for whose length alone Pillow refuses an image."""
    if not content.startswith(PNG):
        return content
    kept, start = [PNG], len(PNG)
    while start < len(content):
        length, kind = int.from_bytes(content[start : start + 4]), content[start + 4 : start + 8]
        end = start + length + PNG_CHUNK
        if kind not in PNG_NOTES:
            kept.append(content[start:end])
        start = end
    return b"".join(kept)


def _in_mode(image: Image.Image, mode: Mode) -> Image.Image:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        image = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")  # convert alone clips
    elif image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode}, which have no fixed range")
    elif image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    image.load()
    return image if image.mode == mode else image.convert(mode)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
