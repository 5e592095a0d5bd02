"""Who gets which image: training, held out, or reference."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genbench.errors import GenbenchError

SHARE, MOST_HELD_OUT, LEAST_OFFICIAL = 5, 10_000, 1_000


class Split(NamedTuple):
    """The places of each part's images in their source, in order."""

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    reference: NDArray[np.int64]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the places and where a part ends."""
        parts = "\n".join(" ".join(map(str, part.tolist())) for part in self)
        return hashlib.sha256(parts.encode()).hexdigest()


def by_name(names: Sequence[str]) -> Split:
    """A random split that is the same everywhere: images in the order of their names' SHA-256.

    The first fifth, at most 10 000, is held out, the next fifth is the reference, and the rest is for training.
    """
    hashes = [hashlib.sha256(os.fsencode(name)).digest() for name in names]
    order = np.array(sorted(range(len(names)), key=hashes.__getitem__), np.int64)
    fifth = len(names) // SHARE
    first, second = min(fifth, MOST_HELD_OUT), min(fifth, MOST_HELD_OUT) + fifth
    return Split(np.sort(order[second:]), np.sort(order[:first]), np.sort(order[first:second]))


def listed(names: Sequence[str], path: Path) -> Split | None:
    """The split that a file gives, `name part` a line with 0 for training, 1 for held out and 2 for the reference.

    An image may end otherwise than the list says, as those of CelebA's edition in PNG do.

    None where it leaves fewer than 1 000 of `names` to one of them, which is too few to measure with.
    """
    try:
        lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
        part = {stem(name): int(number) for name, number in filter(None, lines)}
    except (OSError, ValueError) as error:
        raise GenbenchError(f"{path} is no list of images and parts ({error}). Fetch it again.") from error
    given = np.array([part.get(stem(name), -1) for name in names], np.int64)
    if unlisted := int((given < 0).sum()):
        raise GenbenchError(f"{path} doesn't list {unlisted} of the {len(names)} images. Fetch it again.")
    split = Split(*(np.flatnonzero(given == number) for number in range(3)))
    return split if min(map(len, split)) >= LEAST_OFFICIAL else None


def stem(name: str) -> str:
    """An image's name without its ending, by which lists and editions of one dataset know each other."""
    return name.rpartition(".")[0] or name
