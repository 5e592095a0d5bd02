"""The visual language of all pictures: one colour a trainer, fonts, layouts in inches, and how a picture is saved."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import cache
from io import BytesIO, StringIO
from itertools import cycle
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple, Protocol

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from genbench.records.atomic import check_within, write_atomically

ABREAST = 6
"""So many trainers stand side by side."""

DPI, FINE_DPI = 110, 160
"""Of pictures, and of what is made of pixels within an SVG."""

REAL_COLOUR = "0.25"
COLOUR_BLIND = (
    "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#ece133", "#56b4e9",
)  # fmt: skip
"""seaborn's palette for the colour-blind without its grey, which is how real samples are drawn.

Importing all of seaborn for it takes as long as three pictures."""

SHADE = 0.55


def _shaded(colour: str) -> str:
    red, green, blue = (SHADE * part for part in to_rgb(colour))
    return to_hex((red, green, blue))


PALETTE = (*COLOUR_BLIND, *(_shaded(colour) for colour in COLOUR_BLIND))
"""The same once more in the shade, for more trainers than it has colours."""

STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "font.size": 9,
    "figure.dpi": DPI,
}

FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC",
    "Hiragino Sans", "Malgun Gothic", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Emoji",
)  # fmt: skip
"""Fonts of letters that matplotlib's own hasn't got, which are used where they are installed."""

UNSAID = dict.fromkeys(("Date", "Creator", "Format", "Type"))
"""What no SVG says of itself."""

Colours = dict[str, str]
"""Each trainer's."""


class Encodable(Protocol):
    """A picture that knows how it is written, and in which format."""

    def encoded(self) -> bytes:
        """What its file holds."""


class Picture(NamedTuple):
    """A picture, what it shows, and the name of its file; `dataset` is None where it shows several."""

    kind: str
    dataset: str | None
    name: str
    caption: str
    art: Figure | Encodable


class PictureFile(NamedTuple):
    """A picture on disk and what it shows."""

    path: Path
    caption: str


LINE = 0.16
"""Inches of each further line of a title or a label."""


class Layout(NamedTuple):
    """Inches of a grid of axes: each one's size, the margins around all, the gaps between them.

    Written down rather than found out by drawing everything twice, which is what matplotlib's layout engines do.
    """

    size: tuple[float, float]
    left: float
    bottom: float
    right: float
    top: float
    gaps: tuple[float, float]

    def titled(self, titles: Iterable[str]) -> Layout:
        """With room for the longest of these titles above each axes."""
        more = _further_lines(titles)
        return self._replace(top=self.top + more, gaps=(self.gaps[0], self.gaps[1] + more))

    def labelled(self, labels: Iterable[str]) -> Layout:
        """With room for the longest of these labels at the left of all."""
        return self._replace(left=self.left + _further_lines(labels))


def _further_lines(texts: Iterable[str]) -> float:
    """Inches of the lines after the first."""
    return LINE * max((text.count("\n") for text in texts), default=0)


def wrapped(label: str, most: int) -> str:
    """A label in lines of about so many letters at most, broken between its words and its parameters alone."""
    parted = label.replace("[", " [").replace(",", ", ")
    lines = wrap(parted, most, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace(" [", "[").replace(", ", ",")


def colours(trainers: Iterable[str]) -> Colours:
    """A colour for each trainer, in the order in which they come first."""
    return dict(zip(dict.fromkeys(trainers), cycle(PALETTE), strict=False))


def dashes(colour: str | None) -> str:
    """How a line of a colour is drawn: those in the shade are dashed, for they look much like others."""
    return "--" if colour in PALETTE[len(COLOUR_BLIND) :] else "-"


def grid(rows: int, columns: int, layout: Layout, **shared: Any) -> tuple[Figure, Any]:
    """A figure and its grid of axes `(rows, columns)`."""
    (width, height), (across, down) = layout.size, layout.gaps
    whole_width = layout.left + columns * width + (columns - 1) * across + layout.right
    whole_height = layout.bottom + rows * height + (rows - 1) * down + layout.top
    figure = Figure(figsize=(whole_width, whole_height))
    edges = {
        "left": layout.left / whole_width,
        "right": 1 - layout.right / whole_width,
        "bottom": layout.bottom / whole_height,
        "top": 1 - layout.top / whole_height,
    }
    gaps = {"wspace": across / width, "hspace": down / height}
    return figure, figure.subplots(rows, columns, squeeze=False, gridspec_kw=edges | gaps, **shared)


def write(picture: Picture, folder: Path) -> PictureFile:
    """Writes a picture into a folder; a figure as a PNG. Equal results give equal bytes."""
    path = folder / picture.name
    check_within(folder, path.parent)
    write_atomically(path, png(picture.art) if isinstance(picture.art, Figure) else picture.art.encoded())
    return PictureFile(path, picture.caption)


@cache
def fonts() -> tuple[str, ...]:
    """matplotlib's own font, and those of other letters that are installed."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return ("sans-serif", *(name for name in FALLBACKS if name in installed))


@cache
def _letters() -> frozenset[int]:
    paths = (font_manager.findfont(font_manager.FontProperties(family=[name])) for name in fonts())
    return frozenset().union(*(font_manager.get_font(path).get_charmap() for path in paths))


def legible(words: str) -> str:
    """Words with each letter that no font at hand has as its number, rather than as an empty box."""
    return "".join(letter if ord(letter) in _letters() or letter.isspace() else ascii(letter)[1:-1] for letter in words)


def in_style(**more: Any) -> AbstractContextManager[None]:
    """Within, what is drawn has the style of all pictures."""
    return mpl.rc_context(STYLE | {"font.family": list(fonts())} | more)


def _drawn(figure: Figure, into: BytesIO | StringIO, **how: Any) -> None:
    axes = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    numbers = {id(label) for axis in axes for label in axis.get_ticklabels(which="both")}
    for text in figure.findobj(Text):
        text.set_text(legible(text.get_text()))
        text.set_parse_math(id(text) in numbers)  # a name may hold a dollar sign and begins no formula
    figure.savefig(into, **how)


def png(figure: Figure) -> bytes:
    """A figure as a PNG, without the software's name."""
    content = BytesIO()
    with in_style():  # what a figure only makes when it is drawn has the style of that moment
        _drawn(figure, content, format="png", dpi=DPI, metadata={"Software": None})
    return content.getvalue()


def svg(figure: Figure, name: str) -> str:
    """A figure as an SVG element for a page, its ids prefixed with `name`; what is black has the text's colour.

    Nothing lies behind it, and words are text.
    """
    content = StringIO()
    with in_style(**{"svg.fonttype": "none", "svg.hashsalt": name}):
        _drawn(figure, content, format="svg", dpi=FINE_DPI, transparent=True, metadata=UNSAID)
    drawing = content.getvalue()
    drawing = drawing[drawing.index("<svg") :].replace("#000000", "currentColor")
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", drawing)
