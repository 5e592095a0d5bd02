"""Looking at stored images through an extractor, and remembering what was seen."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from genbench.datasets.images import as_floats
from genbench.features import Extractor, Seen, extractor
from genbench.records.atomic import write_atomically

BLOCK = 1_000
"""Images are looked at so many at a time, so that memory stays flat."""

MOST_BYTES = 2**28
"""Of what was seen, so many are held in memory: a quarter of a gigabyte, a million looks at a digit."""


class Recalling:
    """An extractor that looks at each image once: what it saw it recalls when it is shown the same image again.

    An image is known by a digest of its pixels; one that looks at each channel by itself recalls channels, so all
    stacks of digits cost a look at each digit. What it saw of more than `MOST_BYTES` it forgets.
    """

    def __init__(self, extractor: Extractor) -> None:
        self.name, self.sha256 = extractor.name, extractor.sha256
        self.extractor, self.by_channel = extractor, bool(getattr(extractor, "by_channel", False))
        self._places: dict[bytes, int] = {}
        self._seen: Seen | None = None

    def __call__(self, images: Tensor) -> Seen:
        """Looks as the extractor does, and recalls nothing: floats are no stored images."""
        return self.extractor(images)

    def look(self, pixels: Tensor) -> Seen:
        """What the extractor sees in images `(n, channels, height, width)` of uint8."""
        n = len(pixels)
        images = pixels.flatten(0, 1)[:, None] if self.by_channel else pixels
        digests = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images.numpy()]
        if self._seen is not None and sum(part.nbytes for part in self._seen) > MOST_BYTES:
            self._places, self._seen = {}, None
        unseen = {digest: i for i, digest in enumerate(digests) if digest not in self._places}
        if unseen:
            fresh = look(self.extractor, images[list(unseen.values())])
            self._places.update(zip(unseen, range(len(self._places), len(self._places) + len(unseen)), strict=True))
            self._seen = Seen(*map(torch.cat, zip(self._seen, fresh, strict=True))) if self._seen else fresh
        assert self._seen is not None
        features, logits = (part[[self._places[digest] for digest in digests]] for part in self._seen)
        return Seen(features.reshape(n, -1), logits.reshape(n, -1, logits.shape[2]))


@cache
def recalling(name: str) -> Recalling:
    """The extractor of that name, which in this process looks at each image once."""
    return Recalling(extractor(name))


def look(extractor: Extractor, pixels: Tensor) -> Seen:
    """What an extractor sees in images `(n, channels, height, width)` of uint8."""
    if isinstance(extractor, Recalling):
        return extractor.look(pixels)
    blocks = [extractor(as_floats(block)) for block in torch.split(pixels, BLOCK)]
    return Seen(*(torch.cat(parts) for parts in zip(*blocks, strict=True)))


def remembered(extractor: Extractor, pixels: Tensor, folder: Path) -> Seen:
    """`look`, which is done once for the same extractor and images: what was seen is kept in `folder`.

    A file is known by the SHA-256 of the extractor's weights and of the pixels, so it can't be of anything else.
    """
    digest = hashlib.sha256(f"{extractor.name} {extractor.sha256} {tuple(pixels.shape)}".encode())
    digest.update(pixels.contiguous().numpy().tobytes())
    path = folder / f"{extractor.name}-{digest.hexdigest()[:24]}.safetensors"
    try:
        found = load_file(path)
        return Seen(found["features"], found["logits"])
    except (OSError, SafetensorError, KeyError):
        seen = look(extractor, pixels)
        with suppress(OSError):  # no room, or no right to write: it will be looked at again
            write_atomically(path, save({key: value.contiguous() for key, value in seen._asdict().items()}))
        return seen
