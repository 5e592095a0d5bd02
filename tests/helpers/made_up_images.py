"""Images that nobody took: printed digits, turned and shifted a little, as a dataset of ten classes."""

from functools import cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from genbench.datasets.images import Images, ImageSet

SIDE = 32
PART = 800


@cache
def digits(channels=1):
    """A dataset of 800 images a part; with several channels, of as many digits each, without classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=(3 * PART, channels))
    drawn = [[digit(int(label), rng) for label in row] for row in labels]
    pixels = torch.from_numpy(np.stack([np.stack(row) for row in drawn]))
    classes = torch.from_numpy(labels[:, 0]) if channels == 1 else None
    parts = [torch.arange(start, start + PART) for start in range(0, 3 * PART, PART)]
    return ImageSet(
        *(Images(pixels, part, None if classes is None else classes[part]) for part in parts),
        classes=tuple("0123456789") if channels == 1 else (),
    )


def digit(label, rng):
    """White on black, `(32, 32)` of uint8."""
    image = Image.new("L", (SIDE, SIDE))
    font = ImageFont.load_default(size=float(rng.uniform(22, 28)))
    place = SIDE / 2 + rng.uniform(-2, 2, size=2)
    ImageDraw.Draw(image).text(tuple(place), str(label), fill=255, font=font, anchor="mm", stroke_width=1)
    return np.asarray(image.rotate(float(rng.uniform(-12, 12)), Image.Resampling.BILINEAR))
