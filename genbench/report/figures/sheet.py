"""Pictures laid out in whole pixels: images as they are or enlarged by whole numbers, never resampled; text around."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.transforms import IdentityTransform
from numpy.typing import NDArray
from PIL import Image

from genbench.report.figures.style import DPI, legible

Raster = NDArray[np.uint8]

SIDE = 64
"""Images are enlarged as far as they stay within so many pixels."""

GAP, WIDE_GAP = 2, 10
MARGIN = 12
TITLE, SMALL = 10, 8
"""Sizes of text in points."""

LINE = 16
"""Raster of a line of small text."""

TITLE_LINE = 20
RULE = 4
CHARACTER = 0.62 * DPI / 72
"""Raster that a character takes at most on average, a point of its size."""

INK = "0.15"


class Text(NamedTuple):
    """Words at a place in pixels from the left and from the top."""

    words: str
    x: float
    y: float
    how: dict[str, Any]


class Sheet:
    """A white sheet of `width` × `height` pixels; places are counted from its upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels: Raster = np.full((height, width, 3), 255, np.uint8)
        self.texts: list[Text] = []

    def paste(self, picture: Raster, x: int, y: int) -> None:
        """Puts `(height, width, 3)` pixels with their upper left corner at a place."""
        height, width, _ = picture.shape
        self.pixels[y : y + height, x : x + width] = picture

    def fill(self, colour: str, x: int, y: int, width: int, height: int) -> None:
        """Paints a rectangle."""
        self.pixels[y : y + height, x : x + width] = np.round(255 * np.array(to_rgb(colour)))

    def write(self, words: str, x: float, y: float, size: float = SMALL, **how: Any) -> None:
        """Writes at a place, by default with the words' left end there and centred upon its height."""
        how = {"ha": "left", "va": "center_baseline", "color": INK, **how}
        self.texts.append(Text(words, x, y, {**how, "fontsize": size}))

    def render(self) -> Raster:
        """All pixels, `(height, width, 3)`."""
        height, width, _ = self.pixels.shape
        # Half a pixel more, since the canvas rounds down what comes back from inches.
        figure = Figure(figsize=((width + 0.5) / DPI, (height + 0.5) / DPI), facecolor="white")
        for words, x, y, how in self.texts:
            figure.text(x, height - y, legible(words), transform=IdentityTransform(), **how)
        raw = BytesIO()
        figure.savefig(raw, format="rgba", dpi=DPI)
        written = np.frombuffer(raw.getvalue(), np.uint8).reshape(height, width, 4)[..., :3]
        # Words stand on white alone, so the darker of two is right, and every other pixel is what was pasted.
        return np.minimum(self.pixels, written)

    def encoded(self) -> bytes:
        """The sheet as a PNG."""
        content = BytesIO()
        Image.fromarray(self.render()).save(content, "PNG")
        return content.getvalue()


def room(words: str, size: float) -> int:
    """Raster that are enough for words of a size."""
    return round(len(words) * size * CHARACTER)


def scale(images: Raster) -> int:
    """How often a pixel of `(…, channels, height, width)` images is repeated each way."""
    longer: int = max(images.shape[-2:])
    return max(1, SIDE // longer)


def enlarged(images: Raster) -> Raster:
    """Images `(…, channels, height, width)` as `(…, height, width, 3)`, each pixel a square of `scale` by `scale`."""
    times = scale(images)
    colours = np.moveaxis(images, -3, -1)
    if colours.shape[-1] == 1:
        colours = colours.repeat(3, -1)
    return colours.repeat(times, -3).repeat(times, -2)


def tiled(images: Raster, columns: int, gap: int = GAP) -> Raster:
    """Images `(n, channels, height, width)` in rows of `columns`, with white between: `(height, width, 3)`."""
    squares = enlarged(images)
    n, height, width, _ = squares.shape
    rows = -(-n // columns)
    whole = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for place, square in enumerate(squares):
        y, x = place // columns * (height + gap), place % columns * (width + gap)
        whole[y : y + height, x : x + width] = square
    return whole


class Gallery(NamedTuple):
    """Pictures in rows and columns under a title and a rule in the trainer's colour, with what the margins say."""

    title: str
    colour: str
    cells: Sequence[Sequence[Raster]]
    """All of one size, `(height, width, 3)`."""

    columns: Sequence[str] = ()
    """What stands above each column."""

    rows: Sequence[str] = ()
    """What stands at the left of each row."""

    notes: Sequence[Sequence[str]] = ()
    """What stands beneath each cell."""

    gap: int = GAP
    lead: int = 0
    """After so many columns the gap is wide."""

    group: int = 0
    """After every so many rows the gap is wide."""

    @property
    def cell(self) -> tuple[int, int]:
        """Height and width of each cell."""
        height, width, _ = self.cells[0][0].shape
        return height, width

    @property
    def left(self) -> int:
        """Raster at the left of the cells."""
        return room(max(self.rows, key=len), SMALL) + 6 if self.rows else 0

    @property
    def top(self) -> int:
        """Raster above the cells."""
        return TITLE_LINE + RULE + 4 + (LINE if self.columns else 0)

    def across(self, column: int) -> int:
        """Where a column begins, from the gallery's left."""
        wide = WIDE_GAP - self.gap if 0 < self.lead <= column else 0
        return self.left + column * (self.cell[1] + self.gap) + wide

    def down(self, row: int) -> int:
        """Where a row begins, from the gallery's top."""
        wide = (WIDE_GAP - self.gap) * (row // self.group) if self.group else 0
        beneath = LINE + 4 if self.notes else 0
        return self.top + row * (self.cell[0] + self.gap + beneath) + wide

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, room for the title included."""
        height, width = self.cell
        columns, rows = len(self.cells[0]), len(self.cells)
        titled = self.left + room(self.title, TITLE)
        return max(self.across(columns - 1) + width, titled), self.down(rows - 1) + height + (LINE if self.notes else 0)

    def draw(self, sheet: Sheet, x: int, y: int) -> None:
        """Puts the gallery on a sheet with its upper left corner at a place."""
        height, width = self.cell
        right = self.across(len(self.cells[0]) - 1) + width
        sheet.write(self.title, x + self.left, y + TITLE_LINE / 2, TITLE)
        sheet.fill(self.colour, x + self.left, y + TITLE_LINE, right - self.left, RULE)
        for column, words in enumerate(self.columns):
            middle = x + self.across(column) + width / 2
            sheet.write(words, middle, y + TITLE_LINE + RULE + 2 + LINE / 2, ha="center")
        for row, words in enumerate(self.rows):
            sheet.write(words, x + self.left - 6, y + self.down(row) + height / 2, ha="right")
        for row, cells in enumerate(self.cells):
            for column, cell in enumerate(cells):
                sheet.paste(cell, x + self.across(column), y + self.down(row))
        for row, notes in enumerate(self.notes):
            for column, words in enumerate(notes):
                middle = x + self.across(column) + width / 2
                sheet.write(words, middle, y + self.down(row) + height + 2 + LINE / 2, ha="center")


def arranged(
    galleries: Sequence[Gallery], columns: int, footer: str = "", between: tuple[int, int] = (24, 20)
) -> Sheet:
    """A sheet of galleries, row by row, and a line of what is common to all at its foot."""
    rows = [galleries[start : start + columns] for start in range(0, len(galleries), columns)]
    widths = [max(row[column].size[0] for row in rows if column < len(row)) for column in range(len(rows[0]))]
    heights = [max(gallery.size[1] for gallery in row) for row in rows]
    width = 2 * MARGIN + max(sum(widths) + between[0] * (len(widths) - 1), room(footer, SMALL))
    height = 2 * MARGIN + sum(heights) + between[1] * (len(heights) - 1) + (LINE + 8 if footer else 0)
    sheet = Sheet(width, height)
    y = MARGIN
    for row, tall in zip(rows, heights, strict=True):
        x = MARGIN
        for gallery, wide in zip(row, widths, strict=False):
            gallery.draw(sheet, x, y)
            x += wide + between[0]
        y += tall + between[1]
    if footer:
        sheet.write(footer, width / 2, height - MARGIN - LINE / 2, ha="center")
    return sheet
