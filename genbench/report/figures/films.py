"""Animated pictures of image samples along training."""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from genbench.report.figures.galleries import Generator, grid_of
from genbench.report.figures.sheet import MARGIN, RULE, TITLE, TITLE_LINE, Raster, Sheet, room

FRAME_MS, LAST_FRAME_MS = 450, 2_500
TRACK = "0.88"
GREYS = 16
GREY: Any = {"lossless": True, "quality": 80}
COLOURED: Any = {"quality": 75}
"""Light keeps to 36 dB and more, saturated colours dull a little; without loss, faces take nine times the bytes."""


def frames(generator: Generator, strip: Raster) -> list[Raster]:
    """A frame a checkpoint: the same noise each time, and a rule that grows in the trainer's colour."""
    drawn = []
    for mark, (images, step) in enumerate(zip(strip, generator.steps, strict=True)):
        picture = grid_of(images)
        height, width, _ = picture.shape
        right = MARGIN + max(width, room(f"{generator.title} step {generator.steps[-1]}", TITLE))
        sheet = Sheet(right + MARGIN, height + 2 * MARGIN + TITLE_LINE + RULE + 4)
        sheet.write(generator.title, MARGIN, MARGIN + TITLE_LINE / 2, TITLE)
        sheet.write(f"step {step}", right, MARGIN + TITLE_LINE / 2, TITLE, ha="right")
        sheet.fill(TRACK, MARGIN, MARGIN + TITLE_LINE, width, RULE)
        sheet.fill(generator.colour, MARGIN, MARGIN + TITLE_LINE, round(width * (mark + 1) / len(strip)), RULE)
        sheet.paste(picture, MARGIN, MARGIN + TITLE_LINE + RULE + 4)
        drawn.append(sheet.render())
    return drawn


class Film(NamedTuple):
    """A strip `(marks, n, channels, height, width)` of a generator's samples as a film that loops, its end held."""

    generator: Generator
    strip: Raster

    def encoded(self) -> bytes:
        """The film as an animated WebP."""
        grey = self.strip.shape[-3] == 1
        shown = frames(self.generator, _posterised(self.strip) if grey else self.strip)
        first, *others = map(Image.fromarray, shown)
        durations = [FRAME_MS] * len(others) + [LAST_FRAME_MS]
        content, how = BytesIO(), GREY if grey else COLOURED
        first.save(content, "WEBP", save_all=True, append_images=others, duration=durations, loop=0, method=4, **how)
        return content.getvalue()


def _posterised(images: Raster) -> Raster:
    """The images in GREYS levels, which take 40 % of the bytes of all 256."""
    step = 255 // (GREYS - 1)
    return ((images.astype(np.uint16) + step // 2) // step * step).astype(np.uint8)
