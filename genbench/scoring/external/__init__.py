"""Samples that genbench didn't make: read from anyone's file, checked, and brought into a dataset's own shape."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from genbench.errors import GenbenchError
from genbench.scoring.external.files import ENDINGS, Reader, reader

if TYPE_CHECKING:
    from torch import Tensor

ZIP = ".zip"


class Samples(NamedTuple):
    """Samples `(n, *event)` as scorers take them, and how many were `dropped` for not being finite."""

    values: Tensor
    dropped: int = 0

    @property
    def sha256(self) -> str:
        """Of the bytes that are scored, in order: of images, their pixels."""
        from genbench.datasets.images import stored

        return hashlib.sha256(stored(self.values).contiguous().numpy().tobytes()).hexdigest()


def find(path: Path, key: str | None = None) -> Reader | None:
    """What reads a file of numbers; None for a folder or a zip, which are of images. Imports no torch.

    Raises GenbenchError where nothing is there, where the ending is none that can be read, and for a `key` that can't
    be of use.
    """
    if not path.exists():
        raise GenbenchError(f"{path} doesn't exist. Give a file of samples, or a folder or a zip of images.")
    if path.is_dir() or path.suffix.lower() == ZIP:
        if key is not None:
            raise GenbenchError(f"{path} holds images, no arrays to choose from. Leave --key out.")
        return None
    return reader(path)


def read(path: Path, event_shape: tuple[int, ...], key: str | None = None, drop_nonfinite: bool = False) -> Samples:
    """The samples in `path`, of a dataset with this event shape.

    A `.npy`, `.npz`, `.csv`, `.parquet` or `.safetensors` file holds points `(n, features)` of floats, or images
    `(n, channels, height, width)` or `(n, height, width, channels)`, either uint8 or floats in [−1, 1]; `key` chooses
    one of several arrays. A folder or a zip holds image files.

    Raises GenbenchError for anything else, and for samples that aren't finite unless `drop_nonfinite` leaves them out.
    """
    from genbench.scoring.external.fitting import fitted
    from genbench.scoring.external.pictures import decoded

    reader = find(path, key)
    if reader is None:
        return Samples(decoded(path, event_shape))
    return fitted(reader(path, key), event_shape, str(path), drop_nonfinite)


__all__ = ["ENDINGS", "Samples", "find", "read"]
