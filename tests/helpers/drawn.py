"""Pictures as arrays, for tests that look into them."""

import numpy as np
from PIL import Image


def pixels(path):
    """A valid PNG's pixels `(height, width, 3)`."""
    with Image.open(path) as image:
        image.verify()
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def shown(image, times):
    """An image `(channels, height, width)` as a picture shows it: colours last, each pixel a square."""
    colours = np.moveaxis(np.asarray(image), 0, -1)
    colours = np.broadcast_to(colours, (*colours.shape[:2], 3))
    return np.kron(colours, np.ones((times, times, 1), np.uint8))


def contains(picture, part):
    """Whether `part` stands somewhere in `picture`, each pixel as it is."""
    height, width, _ = part.shape
    corners = np.argwhere((picture == part[0, 0]).all(-1))
    return any(
        np.array_equal(picture[y : y + height, x : x + width], part)
        for y, x in corners
        if np.array_equal(picture[y, x : x + width], part[0])
    )
