"""Samples that genbench didn't make: read from anyone's file, checked, and brought into a dataset's own shape."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from genbench.datasets.files.arrays import ENDINGS, Reader, reader
from genbench.errors import GenbenchError

if TYPE_CHECKING:
    from torch import Tensor

    from genbench.scoring.external.scale import Range

ZIP = ".zip"


class Samples(NamedTuple):
    """Samples `(n, *event)` as scorers take them.

    So many were `dropped` for not being finite; beside images, something was `left_out`, in words. Scores depend on
    which samples there are and not on their order in a file (see `dealt`).
    """

    values: Tensor
    dropped: int = 0
    left_out: str = ""

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


def read(
    path: Path,
    event_shape: tuple[int, ...],
    key: str | None = None,
    drop_nonfinite: bool = False,
    black_and_white: Range | None = None,
) -> Samples:
    """The samples in `path`, of a dataset with this event shape.

    A `.npy`, `.npz`, `.csv`, `.parquet` or `.safetensors` file holds points `(n, features)` of floats, or images
    `(n, channels, height, width)` or `(n, height, width, channels)`, either uint8 or floats in [−1, 1]; `key` chooses
    one of several arrays. A folder or a zip holds image files. `black_and_white` are their values, if not as usual.

    Raises GenbenchError for anything else, and for samples that aren't finite unless `drop_nonfinite` leaves them out.
    """
    from genbench.scoring.external.fitting import fitted
    from genbench.scoring.external.pictures import decoded
    from genbench.scoring.external.scale import scaled

    if black_and_white is not None and len(event_shape) != 3:
        raise GenbenchError("--range is what black and white are, and this dataset's samples are no images.")
    reader = find(path, key)
    if reader is None:
        samples = decoded(path, event_shape)
        samples = samples._replace(values=scaled(samples.values, black_and_white, str(path)))
    else:
        samples = fitted(reader(path, key), event_shape, str(path), drop_nonfinite, black_and_white)
    return samples._replace(values=dealt(samples.values))


def dealt(values: Tensor) -> Tensor:
    """The samples in an order that looks random and follows from what they are, whatever order they are given in.

    Metrics look at the first ones alone, and people sort by class. Equal samples are told apart by their count, so that
    they lie as far apart as others do.
    """
    from genbench.datasets.images import stored

    seen: Counter[bytes] = Counter()
    keys = []
    for sample in stored(values).contiguous().numpy():
        content = hashlib.blake2b(sample.tobytes(), digest_size=16).digest()
        keys.append(hashlib.blake2b(content + seen[content].to_bytes(8), digest_size=16).digest())
        seen[content] += 1
    return values[sorted(range(len(values)), key=keys.__getitem__)]


__all__ = ["ENDINGS", "Samples", "dealt", "find", "read"]
