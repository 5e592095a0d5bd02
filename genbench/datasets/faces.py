"""CelebA, aligned and cropped faces (arXiv:1411.7766), from its own archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genbench.datasets.files.roots import DATA, data_root
from genbench.datasets.files.splits import stem
from genbench.datasets.files.stock import Pictures, silent
from genbench.datasets.files.transforms import Transform
from genbench.errors import GenbenchError

if TYPE_CHECKING:
    from genbench.datasets.images import ImageSet

FRAME = (178, 218)
"""The official images' width and height."""

IMAGES, PARTITION, ATTRIBUTES = "img_align_celeba", "list_eval_partition.txt", "list_attr_celeba.txt"
EDITIONS = (IMAGES, f"{IMAGES}_png")
"""The official folders of aligned faces, the first of them as JPEG."""

ATTRIBUTE_COUNT = 40


class Attributes(NamedTuple):
    """The attributes' names, and for each part which of its images have them, `(n, 40)`, in the part's order."""

    names: tuple[str, ...]
    train: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    reference: NDArray[np.bool_]


def stock(*, size: int, crop: int) -> Pictures:
    """The stock of `celeba`."""
    folder = _folder()
    return Pictures(
        name=f"celeba-{size}",
        key="images",
        places=tuple(folder / place for name in EDITIONS for place in (f"{name}.zip", name)),
        missing=(
            f"CelebA is not in {folder}. Put {IMAGES}.zip there, or the folder {IMAGES} that it unpacks to, with "
            f"{PARTITION} beside it. Or name the folder above celeba where they are: --data DIR, or {DATA}=DIR"
        ),
        transform=Transform(size, "RGB", crop, FRAME),
        partition=folder / PARTITION,
    )


def celeba(size: int, crop: int) -> ImageSet:
    """All faces, in their parts; they may not be passed on."""
    from genbench.datasets.images import image_set

    faces = stock(size=size, crop=crop)
    return image_set(faces.prepare(silent), faces.split, private=True)


def attributes() -> Attributes:
    """What CelebA says of its images; raises GenbenchError where its list is missing or isn't one."""
    path = _folder() / ATTRIBUTES
    faces = stock(size=FRAME[0], crop=FRAME[0])
    try:
        _, heading, *lines = path.read_text(encoding="utf-8").splitlines()
        rows = {stem(name): values for name, *values in map(str.split, lines)}
        table = np.array([rows[stem(name)] for name in faces.source.names]).astype(np.int64)
    except (OSError, ValueError, KeyError) as error:
        raise GenbenchError(f"{path} doesn't list every image's attributes ({error}). Fetch it again.") from error
    names = tuple(heading.split())
    if table.shape[1:] != (ATTRIBUTE_COUNT,) or len(names) != ATTRIBUTE_COUNT:
        raise GenbenchError(f"{path} must list {ATTRIBUTE_COUNT} attributes. Fetch it again.")
    return Attributes(names, *(table[part] > 0 for part in faces.split))


def _folder() -> Path:
    return data_root() / "celeba"
