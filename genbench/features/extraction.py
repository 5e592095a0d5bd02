"""Extracting features and logits from stored images, and remembering them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import Module

from genbench.cores import side_by_side
from genbench.datasets.images import as_floats
from genbench.devices import free_bytes
from genbench.features import Extracted, Extractor
from genbench.records.atomic import write_atomically

BLOCK = 1_000
"""Images are taken so many at a time, so that memory stays flat."""

MEMORY_SHARE = 0.25
"""Of a device's free memory, what a network's activations may take."""

MOST_BYTES = 2**28
"""Of what was extracted, so many are held in memory: a quarter of a gigabyte, that of a million digits."""


class Recalling:
    """An extractor that takes each image once: when it is given the same image again it recalls what it extracted.

    An image is known by a digest of its pixels; one that takes each channel by itself recalls channels, so all
    stacks of digits cost as much as each digit once. Of more than `MOST_BYTES` it forgets everything.
    """

    def __init__(self, extractor: Extractor) -> None:
        self.name, self.sha256 = extractor.name, extractor.sha256
        self.extractor, self.by_channel = extractor, bool(getattr(extractor, "by_channel", False))
        self._places: dict[bytes, int] = {}
        self._held: Extracted | None = None

    def __call__(self, images: Tensor) -> Extracted:
        """Extracts as the extractor does, and recalls nothing: floats are no stored images."""
        return self.extractor(images)

    def extract(self, pixels: Tensor) -> Extracted:
        """What the extractor makes of images `(n, channels, height, width)` of uint8."""
        n = len(pixels)
        images = pixels.flatten(0, 1)[:, None] if self.by_channel else pixels
        digests = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images.cpu().numpy()]
        if self._held is not None and sum(part.nbytes for part in self._held) > MOST_BYTES:
            self._places, self._held = {}, None
        fresh = {digest: i for i, digest in enumerate(digests) if digest not in self._places}
        if fresh:
            more = extract(self.extractor, images[list(fresh.values())])
            self._places.update(zip(fresh, range(len(self._places), len(self._places) + len(fresh)), strict=True))
            self._held = Extracted(*map(torch.cat, zip(self._held, more, strict=True))) if self._held else more
        assert self._held is not None
        features, logits = (part[[self._places[digest] for digest in digests]] for part in self._held)
        return Extracted(features.reshape(n, -1), logits.reshape(n, -1, logits.shape[2]))


@cache
def recalling(extractor: Extractor) -> Recalling:
    """The extractor, which in this process takes each image once."""
    return Recalling(extractor)


def extract(extractor: Extractor, pixels: Tensor) -> Extracted:
    """What an extractor makes of images `(n, channels, height, width)` of uint8."""
    if isinstance(extractor, Recalling):
        return extractor.extract(pixels)
    alone = pixels.device.type != "cpu" or getattr(extractor, "alone", False)
    blocks = side_by_side(lambda block: extractor(as_floats(block)), torch.split(pixels, BLOCK), alone=alone)
    return Extracted(*(torch.cat(parts) for parts in zip(*blocks, strict=True)))


def follow(network: Module, images: Tensor) -> None:
    """Moves a network to where the images are, unless it is there: others may be looking through it."""
    if any(weight.device != images.device for weight in (*network.parameters(), *network.buffers())):
        network.to(images.device)


def some(images: Tensor, count: int, bytes_each: int) -> Sequence[Tensor]:
    """The images some at a time: `count` of them, or on a CUDA device as many as fit into a share of its free memory.

    `bytes_each` is about what a network holds of an image at once.
    """
    if images.device.type == "cuda":
        count = max(count, int(MEMORY_SHARE * free_bytes(images.device)) // bytes_each)
    return torch.split(images, count)


def remembered(extractor: Extractor, pixels: Tensor, folder: Path) -> Extracted:
    """`extract`, which is done once for the same extractor and images: what it gives is kept in `folder`.

    A file is known by the SHA-256 of the extractor's weights, of the pixels and of the kind of device, so it can't be
    of anything else.
    """
    device = pixels.device.type
    # What devices make of an image differs by rounding.
    named = "" if device == "cpu" else f"{device} "
    digest = hashlib.sha256(f"{named}{extractor.name} {extractor.sha256} {tuple(pixels.shape)}".encode())
    digest.update(pixels.cpu().contiguous().numpy().tobytes())
    path = folder / f"{extractor.name}-{digest.hexdigest()[:24]}.safetensors"
    try:
        kept = load_file(path)
        return Extracted(kept["features"].to(pixels.device), kept["logits"].to(pixels.device))
    except (OSError, SafetensorError, KeyError):
        extracted = extract(extractor, pixels)
        with suppress(OSError):  # no room, or no right to write: it will be extracted again
            write_atomically(path, save({key: value.cpu().contiguous() for key, value in extracted._asdict().items()}))
        return extracted
