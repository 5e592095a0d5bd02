"""A dataset of anyone's own images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from genbench.datasets.files.stock import Pictures, silent
from genbench.datasets.files.transforms import Mode, Transform
from genbench.references import printable

if TYPE_CHECKING:
    from genbench.datasets.images import ImageSet

MODES: dict[str, Mode] = {"rgb": "RGB", "l": "L"}


def stock(*, path: str, size: int, mode: Literal["rgb", "l"]) -> Pictures:
    """The stock of `images`."""
    place = Path(path)
    return Pictures(
        name=f"{place.stem or 'images'}-{size}-{mode}",
        key="path",
        places=(place,),
        missing=f"{path} is no folder and no zip file. Give the path of one that holds images: images[path=PATH]",
        transform=Transform(size, MODES[mode]),
    )


def images(path: str, size: int, mode: Literal["rgb", "l"]) -> ImageSet:
    """All images, in their parts, with a class a folder if they lie in folders; whose they are is not known."""
    from genbench.datasets.images import image_set

    stocked = stock(path=path, size=size, mode=mode)
    classes = tuple(map(printable, stocked.source.classes))
    return image_set(stocked.prepare(silent), stocked.split, classes, private=True)
