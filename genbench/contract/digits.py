"""Images that nobody took: printed digits, turned and shifted a little, as a dataset of ten classes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from genbench.datasets.images import Images, ImageSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 32
PART = 800


@cache
def digits(channels: int = 1) -> ImageSet:
    """A dataset of 800 images a part; with several channels, of as many digits each, without classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=(3 * PART, channels))
    drawn = [[_digit(int(label), rng) for label in row] for row in labels]
    pixels = torch.from_numpy(np.stack([np.stack(row) for row in drawn]))
    classes = torch.from_numpy(labels[:, 0]) if channels == 1 else None
    parts = [torch.arange(start, start + PART) for start in range(0, 3 * PART, PART)]
    train, held_out, reference = (Images(pixels, part, None if classes is None else classes[part]) for part in parts)
    return ImageSet(train, held_out, reference, classes=tuple("0123456789") if channels == 1 else ())


def _digit(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """White on black, `(32, 32)`."""
    image = Image.new("L", (SIDE, SIDE))
    font = ImageFont.load_default(size=float(rng.uniform(22, 28)))
    across, down = SIDE / 2 + rng.uniform(-2, 2, size=2)
    ImageDraw.Draw(image).text((across, down), str(label), fill=255, font=font, anchor="mm", stroke_width=1)
    return np.asarray(image.rotate(float(rng.uniform(-12, 12)), Image.Resampling.BILINEAR))
