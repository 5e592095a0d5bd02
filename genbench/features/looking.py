"""Looking at stored images through an extractor, and remembering what was seen."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from genbench.datasets.images import as_floats
from genbench.features import Extractor, Seen
from genbench.store import write_atomically

BLOCK = 1_000
"""Images are looked at so many at a time, so that memory stays flat."""


def look(extractor: Extractor, pixels: Tensor) -> Seen:
    """What an extractor sees in images `(n, channels, height, width)` of uint8."""
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
