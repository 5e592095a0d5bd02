"""What becomes of images before anything trains on them. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Mode = Literal["RGB", "L"]
Pixels = NDArray[np.uint8]
Write = Callable[[Pixels], object]
"""Takes the pixels `(n, channels, height, width)` of the next images."""

Progress = Callable[[int, int], None]
"""Hears how many images are done, and of how many."""

DIM = 16
"""Grey levels that images go beyond, unless they are masks, or were scaled to [0, 1] or all but black."""


class Square(NamedTuple):
    """A square of an image: the pixels to the left of it and above, and along its side."""

    left: int
    top: int
    side: int


@dataclass(frozen=True)
class Transform:
    """What becomes of an image: a centred square of it, resized to `size` × `size`, in `mode`.

    Without a `frame` the square is as wide as the image's short side. With one, the image must have the frame's
    proportions (width, height), and the square's side is `crop` where the image would be as large as the frame.
    The square is of whole pixels, the nearest ones.
    """

    size: int
    mode: Mode = "RGB"
    crop: int = 0
    frame: tuple[int, int] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an image's pixels: channels, height, width."""
        return len(self.mode), self.size, self.size

    def square(self, width: int, height: int) -> Square:
        """What is kept of an image; raises ValueError for other proportions than the frame's."""
        side = min(width, height)
        if self.frame is not None:
            if abs(width * self.frame[1] / self.frame[0] - height) >= 1:
                raise ValueError(f"{width} × {height} pixels, not in proportion to {self.frame[0]} × {self.frame[1]}")
            side = max(1, round(self.crop * width / self.frame[0]))
        return Square(round((width - side) / 2), round((height - side) / 2), side)
