"""Pictures of image samples: along training, side by side, between latents, along latents, beside their neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from genbench.report.figures.sheet import Gallery, Raster, Sheet, arranged, enlarged, scale, tiled
from genbench.report.figures.stored import DISTANCES, Tensors
from genbench.report.figures.style import REAL_COLOUR, Colours

MARKS = 5
CELL, CELL_PIXELS = 4, 256
"""A checkpoint's samples in a film strip are a square of so many by so many, or of as many as have room."""

GRID, GRID_PIXELS = 8, 512
"""The same of final samples."""

ROW_PIXELS = 1_408
"""Rows and columns of single images reach so far at most: eleven images of 128 pixels."""

MANY = 4
"""So many wide galleries stand in two columns, fewer below each other."""

PAIRS = 3
DIMENSIONS = 10
NEIGHBOURHOODS = 8
REACH = 2.5
"""A sweep runs from −REACH to REACH."""

ORDINALS = ("nearest", "2nd", "3rd")


class Generator(NamedTuple):
    """What one generator of a trial has drawn: that of the last step, or the averaged one."""

    title: str
    colour: str
    final: Raster | None
    strip: Raster | None
    steps: Sequence[int]
    """Of the strip's checkpoints."""

    averaged: bool


def generators(cells: Mapping[str, Tensors], colours: Colours) -> Iterator[tuple[str, Generator]]:
    """Each trainer with its generators, the averaged one last."""
    for trainer, tensors in cells.items():
        for prefix, suffix in (("", ""), ("ema.", ", EMA")):
            final, strip = (tensors.get(f"{prefix}{name}") for name in ("final", "strip"))
            if final is not None or strip is not None:
                title, steps = f"{trainer}{suffix}", tensors["steps"]
                yield trainer, Generator(title, colours[trainer], final, strip, steps, averaged=bool(prefix))


def film_strip(cells: Mapping[str, Tensors], colours: Colours) -> Sheet | None:
    """A row a generator, a column a checkpoint."""
    galleries = []
    for _, generator in generators(cells, colours):
        if generator.strip is not None:
            marks = _evenly(len(generator.strip), MARKS)
            columns = _fitting(generator.strip, CELL_PIXELS, CELL)
            frames = [tiled(generator.strip[mark, : columns**2], columns, gap=1) for mark in marks]
            steps = [f"step {generator.steps[mark]}" for mark in marks]
            galleries.append(Gallery(generator.title, generator.colour, [frames], columns=steps, gap=8))
    return _sheet(galleries, 1)


def grids(cells: Mapping[str, Tensors], colours: Colours) -> Sheet | None:
    """The first final samples of each generator, and real images, as many of each."""
    sets = [
        (generator.title, generator.colour, generator.final)
        for _, generator in generators(cells, colours)
        if generator.final is not None
    ]
    real = next((tensors["real"] for tensors in cells.values() if "real" in tensors), None)
    if real is not None:
        sets.append(("real", REAL_COLOUR, real))
    fewest = min((len(images) for _, _, images in sets), default=0)
    return _sheet([Gallery(title, colour, [[grid_of(images[:fewest])]]) for title, colour, images in sets], 3)


def grid_of(images: Raster) -> Raster:
    """The first of `(n, channels, height, width)` images as a square of eight by eight, or of as many as there are."""
    columns = min(_fitting(images, GRID_PIXELS, GRID), math.isqrt(len(images)))
    return tiled(images[: columns**2], columns)


def interpolations(cells: Mapping[str, Tensors], colours: Colours) -> Sheet | None:
    """From one latent to another, in a straight line and along the sphere: two rows a pair of latents."""
    galleries = []
    for trainer, tensors in cells.items():
        ways = [name for name in ("linear", "spherical") if name in tensors]
        if ways:
            pairs, steps = tensors[ways[0]].shape[:2]
            ways = [way for way in ways if tensors[way].shape[:2] == (pairs, steps)]
            shown = _evenly(steps, _fitting(tensors[ways[0]], ROW_PIXELS, steps))
            rows = min(pairs, PAIRS)
            galleries.append(
                Gallery(
                    trainer,
                    colours[trainer],
                    [list(enlarged(tensors[way][pair, shown])) for pair in range(rows) for way in ways],
                    columns=[_number(share) for share in np.linspace(0, 1, steps)[shown]],
                    rows=ways * rows,
                    group=len(ways),
                )
            )
    footer = "above: the share of the way from one latent to the other"
    return _sheet(galleries, 1 if len(galleries) < MANY else 2, footer)


def sweeps(cells: Mapping[str, Tensors], colours: Colours) -> Sheet | None:
    """A row a dimension of the latent, which alone moves along it."""
    galleries = []
    for trainer, tensors in cells.items():
        if "sweep" in tensors:
            sweep = tensors["sweep"][: _fitting(tensors["sweep"], ROW_PIXELS, DIMENSIONS)]
            steps = sweep.shape[1]
            shown = _evenly(steps, _fitting(sweep, ROW_PIXELS, steps))
            galleries.append(
                Gallery(
                    trainer,
                    colours[trainer],
                    [list(enlarged(row[shown])) for row in sweep],
                    columns=[_number(value) for value in np.linspace(-REACH, REACH, steps)[shown]],
                    rows=[f"z{_subscript(dimension + 1)}" for dimension in range(len(sweep))],
                )
            )
    footer = "above: the value of the dimension named at the left; all others are fixed"
    return _sheet(galleries, 1 if len(galleries) < MANY else 2, footer)


def neighbourhoods(cells: Mapping[str, Tensors], colours: Colours) -> Sheet | None:
    """The first final samples, each beside the training images that are nearest to it."""
    galleries = []
    for trainer, tensors in cells.items():
        if "neighbours" not in tensors:
            continue
        final, near = tensors["final"], tensors["neighbours"]
        near = near[:, : _fitting(near, ROW_PIXELS, near.shape[1])]
        rows = min(_fitting(near, ROW_PIXELS, NEIGHBOURHOODS), len(final), len(near))
        distances = tensors.get(DISTANCES)
        notes = (
            [] if distances is None else [["", *map(distance_words, row)] for row in distances[:rows, : near.shape[1]]]
        )
        galleries.append(
            Gallery(
                trainer,
                colours[trainer],
                [[*enlarged(final[row : row + 1]), *enlarged(near[row])] for row in range(rows)],
                columns=["sample", *(_ordinal(place) for place in range(near.shape[1]))],
                notes=notes,
                lead=1,
            )
        )
    footer = "beneath: distance from the sample in grey levels"
    return _sheet(galleries, 3, footer)


def _sheet(galleries: Sequence[Gallery], most: int, footer: str = "") -> Sheet | None:
    """The galleries in at most so many columns, and in rows of about equal length; None where there are none."""
    if not galleries:
        return None
    rows = -(-len(galleries) // most)
    return arranged(galleries, -(-len(galleries) // rows), footer)


def _evenly(count: int, most: int) -> list[int]:
    """At most so many places out of `count`, evenly, the first and the last among them."""
    return [int(place) for place in np.linspace(0, count - 1, min(most, count)).round()]


def _fitting(images: Raster, pixels: int, most: int) -> int:
    """How many `(…, channels, height, width)` images fit into so many pixels; two at least, and no more than `most`."""
    longer: int = max(images.shape[-2:])
    return min(most, max(2, pixels // (longer * scale(images))))


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def distance_words(value: float) -> str:
    """Three digits, or more where there are more before the point: `1.50`, `12.0`, `1234`."""
    return f"{value:#.3g}".rstrip(".") if abs(value) < 1_000 else f"{value:.0f}"


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _ordinal(place: int) -> str:
    return ORDINALS[place] if place < len(ORDINALS) else f"{place + 1}th"
