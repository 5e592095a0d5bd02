"""Pictures of samples in the plane: on the critic's landscape, and along training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from genbench.report.figures.style import ABREAST, REAL_COLOUR, Colours, Layout, grid, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from genbench.report.figures.stored import Tensors

LEVELS = 14
POINTS = 800
FRAMES = 7
MARGIN = 0.25
"""Of the real points' width, at either side of them."""

ACROSS = "x₁ (data units)"
LEVEL_COLOURS = "Greys"
DOTS: Any = {"linewidths": 0, "rasterized": True}
LANDSCAPE = Layout((2.2, 2.2), 0.55, 0.5, 0.1, 0.3, (0.15, 0.35))
STRIP = Layout((1.5, 1.5), 0.3, 0.35, 0.05, 0.25, (0.0, 0.25))
"""Its size is a frame's."""

LANDSCAPE_LETTERS, STRIP_LETTERS = 28, 24
"""So many of a title and of a label fit into a line."""


def landscapes(
    cells: Mapping[tuple[str, str], Tensors], datasets: Sequence[str], trainers: Sequence[str], colours: Colours
) -> Figure:
    """A row a dataset, a column a trainer: samples over real points, on the level sets of the critic.

    Where there are more than ABREAST trainers, each dataset takes several rows. A dataset's panels show the same part
    of the plane, whether there is a critic or not.
    """
    columns, rows = min(ABREAST, len(trainers)), math.ceil(len(trainers) / ABREAST)
    titles = {
        (dataset, trainer): wrapped(f"{trainer} on\N{NO-BREAK SPACE}{dataset}", LANDSCAPE_LETTERS)
        for dataset in datasets
        for trainer in trainers
    }
    figure, axes_grid = grid(len(datasets) * rows, columns, LANDSCAPE.titled(titles.values()))
    for place, dataset in enumerate(datasets):
        low, high = _window([tensors for (on, _), tensors in cells.items() if on == dataset])
        panels = axes_grid[place * rows : (place + 1) * rows].flatten()
        for i, (axes, trainer) in enumerate(zip_longest(panels, trainers)):
            tensors = cells.get((dataset, trainer))
            if tensors is None:
                axes.set_axis_off()
                continue
            _critic(axes, tensors)
            _points(axes, tensors, tensors["final"], colours[trainer])
            axes.set(
                xlim=(low[0], high[0]),
                ylim=(low[1], high[1]),
                title=titles[dataset, trainer],
                xlabel=ACROSS,
                ylabel="x₂ (data units)",
                aspect="equal",
            )
            axes.label_outer()
            if rows > 1 and len(trainers) <= i + columns:  # nothing of this dataset stands beneath
                axes.tick_params(labelbottom=True)
                axes.set_xlabel(ACROSS)
    return figure


def _critic(axes: Axes, tensors: Tensors) -> None:
    """The level sets of the critic, where there is one."""
    if "landscape" not in tensors:
        return
    (x_low, y_low), (x_high, y_high) = tensors["extent"]
    heights = tensors["landscape"].T
    x, y = np.linspace(x_low, x_high, len(heights)), np.linspace(y_low, y_high, len(heights))
    axes.contourf(x, y, heights, LEVELS, cmap=LEVEL_COLOURS, alpha=0.55).set_rasterized(True)
    axes.contour(x, y, heights, LEVELS, colors="white", linewidths=0.4).set_rasterized(True)


def strip(cells: Mapping[str, Tensors], colours: Colours) -> Figure:
    """A row a trainer; its frames stand side by side in one set of axes, each moved a window to the right.

    All frames show the same part of the plane.
    """
    columns = min(FRAMES, min(len(tensors["strip"]) for tensors in cells.values()))
    labels = {trainer: wrapped(trainer, STRIP_LETTERS) for trainer in cells}
    layout = STRIP._replace(size=(columns * STRIP.size[0], STRIP.size[1])).labelled(labels.values())
    figure, axes_grid = grid(len(cells), 1, layout)
    (x_low, y_low), (x_high, y_high) = _window([*cells.values()])
    for (axes,), (trainer, tensors) in zip(axes_grid, cells.items(), strict=True):
        frames = np.unique(np.linspace(0, len(tensors["strip"]) - 1, columns).round().astype(int))
        for place, frame in enumerate(frames):
            shift = np.array([place * (x_high - x_low), 0])
            samples = _inside(tensors["strip"][frame].astype(np.float32), (x_low, y_low), (x_high, y_high))
            _points(axes, tensors, samples + shift, colours[trainer], size=1.5, shift=shift)
            middle = (place + 0.5) * (x_high - x_low) + x_low
            axes.text(middle, y_high, f"step {tensors['steps'][frame]}", ha="center", va="bottom", fontsize=8)
        axes.set(
            xlim=(x_low, x_low + columns * (x_high - x_low)), ylim=(y_low, y_high), aspect="equal", xticks=[], yticks=[]
        )
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.set_ylabel(labels[trainer])
    figure.supxlabel("x₁ to the right, x₂ upwards, the same data units in every frame", fontsize=8)
    return figure


def _window(cells: Sequence[Tensors]) -> Any:
    """The lowest and the highest corner of what holds the critics' landscapes, or without any the real points."""
    corners = [tensors["extent"] for tensors in cells if "extent" in tensors] or [*map(_around, cells)]
    lows, highs = zip(*corners, strict=True)
    return np.min(lows, 0), np.max(highs, 0)


def _around(tensors: Tensors) -> Any:
    """The corners around the real points, or without any the samples, with some room."""
    points = tensors["real" if "real" in tensors else "final"].astype(np.float32)
    low, high = points.min(0), points.max(0)
    return low - MARGIN * (high - low), high + MARGIN * (high - low)


def _inside(samples: Any, low: Any, high: Any) -> Any:
    """The samples within a window; what lies beyond would show up in its neighbour's."""
    return samples[((samples >= low) & (samples <= high)).all(1)]


def _points(
    axes: Axes, tensors: Tensors, samples: Any, colour: str, size: float = 3.0, shift: Any = (0.0, 0.0)
) -> None:
    """Samples over real points, which are moved by `shift`."""
    if "real" in tensors:
        real = tensors["real"].astype(np.float32)[:POINTS] + shift
        axes.scatter(real[:, 0], real[:, 1], s=size, color=REAL_COLOUR, alpha=0.5, linewidths=0, rasterized=True)
    axes.scatter(
        samples[:POINTS, 0], samples[:POINTS, 1], s=size, color=colour, alpha=0.7, linewidths=0, rasterized=True
    )
