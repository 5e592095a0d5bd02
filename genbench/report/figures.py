"""The pictures of a report, in one visual language: one colour a trainer, every seed visible, every axis named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from pyarrow.parquet import ParquetFile
from safetensors import SafetensorError
from safetensors.numpy import load_file

from genbench.store import CURVE, SAMPLES, Found, Store, Unreadable, slug

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DPI = 110
LEVELS = 14
POINTS = 800
FRAMES = 7
REAL_COLOUR = "0.25"
LEVEL_COLOURS = "Greys"
COLOURS = (
    "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9",
)  # fmt: skip
"""seaborn's palette for the colour-blind; importing all of seaborn for it takes as long as three pictures."""

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
LABELS = {
    "modes": "modes captured",
    "modes_any": "modes with any sample",
    "hq": "HQ samples (fraction)",
    "reverse_kl": "reverse KL (nats)",
    "sliced_w2": "sliced W2 (data units)",
    "arc_coverage": "arc covered (fraction)",
    "curve_distance": "distance to curve (noise stds)",
}
CURVES = ("modes", "hq", "reverse_kl", "arc_coverage", "curve_distance", "sliced_w2")
LOGARITHMIC = ("reverse_kl", "sliced_w2", "curve_distance")
SEED_LINE: Any = {"linewidths": 0.6, "alpha": 0.5}
PROGRESS = {"steps": "generator steps", "updates": "network updates"}


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


LANDSCAPE = Layout((2.2, 2.2), 0.55, 0.5, 0.1, 0.3, (0.15, 0.35))
STRIP = Layout((1.5, 1.5), 0.3, 0.35, 0.05, 0.25, (0.0, 0.25))
"""Its size is a frame's."""

CURVE_CELL = Layout((2.0, 1.75), 0.6, 0.45, 0.1, 0.4, (0.75, 0.55))

Tensors = dict[str, Any]
"""A trial's stored samples by name, with the generator steps of its strip."""


class Drawn(NamedTuple):
    """A picture on disk and what it shows."""

    path: Path
    caption: str


def draw(store: Store, suite: str, folder: Path) -> Iterator[Drawn]:
    """Draws a suite's pictures into `folder` and yields each as it is written."""
    found = [trial for trial in store.trials(suite) if trial.record.status == "done"]
    if not found:
        return
    plan = store.plan(suite)
    budget = str(plan.budget) if plan else str(found[0].record.trial.budget)
    found = [trial for trial in found if str(trial.record.trial.budget) == budget]
    trainers = _in_order([t.record.trial.trainer.label for t in found], plan.trainers if plan else ())
    datasets = _in_order([t.record.trial.dataset.label for t in found], plan.datasets if plan else ())
    colours = dict(zip(trainers, cycle(COLOURS), strict=False))
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        cells = {cell: tensors for cell, trial in _first_seeds(found) if (tensors := _planar(store, trial))}
        if any("landscape" in tensors for tensors in cells.values()):
            yield _save(
                _landscapes(cells, datasets, trainers, colours),
                folder / "landscapes.png",
                f"Generated samples in colour over real ones in grey, on the level sets of the critic or discriminator "
                f"(darker is higher), after {budget}; the first seed of each.",
            )
        for dataset in datasets:
            row = {trainer: cells[dataset, trainer] for trainer in trainers if (dataset, trainer) in cells}
            if row:
                yield _save(
                    _strip(row, colours),
                    folder / f"strip-{slug(dataset)}.png",
                    f"{dataset}: samples along training, always from the same noise; real in grey, first seed of each.",
                )
            curves = _all_curves(store, [trial for trial in found if trial.record.trial.dataset.label == dataset])
            metrics = [name for name in CURVES if name in curves and curves[name].notna().any()]
            if metrics:
                yield _save(
                    _curves(curves, metrics, colours),
                    folder / f"curves-{slug(dataset)}.png",
                    f"{dataset}: metrics along training, a thin line a seed, the thick one their mean.",
                )


def _figure(rows: int, columns: int, layout: Layout, **shared: Any) -> tuple[Figure, Any]:
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


def _landscapes(
    cells: dict[tuple[str, str], Tensors], datasets: Sequence[str], trainers: Sequence[str], colours: dict[str, Any]
) -> Figure:
    figure, grid = _figure(len(datasets), len(trainers), LANDSCAPE)
    for row, dataset in zip(grid, datasets, strict=True):
        for axes, trainer in zip(row, trainers, strict=True):
            tensors = cells.get((dataset, trainer))
            if tensors is None:
                axes.set_axis_off()
                continue
            if "landscape" in tensors:
                (x_low, y_low), (x_high, y_high) = tensors["extent"]
                heights = tensors["landscape"].T
                x, y = np.linspace(x_low, x_high, len(heights)), np.linspace(y_low, y_high, len(heights))
                axes.contourf(x, y, heights, LEVELS, cmap=LEVEL_COLOURS, alpha=0.55)
                axes.contour(x, y, heights, LEVELS, colors="white", linewidths=0.4)
                axes.set(xlim=(x_low, x_high), ylim=(y_low, y_high))
            _points(axes, tensors, tensors["final"], colours[trainer])
            axes.set(
                title=f"{trainer} on {dataset}", xlabel="x₁ (data units)", ylabel="x₂ (data units)", aspect="equal"
            )
            axes.label_outer()
    return figure


def _strip(cells: dict[str, Tensors], colours: dict[str, Any]) -> Figure:
    """A row a trainer; its frames stand side by side in one set of axes, each moved a window to the right."""
    columns = min(FRAMES, min(len(tensors["strip"]) for tensors in cells.values()))
    figure, grid = _figure(len(cells), 1, STRIP._replace(size=(columns * STRIP.size[0], STRIP.size[1])))
    for (axes,), (trainer, tensors) in zip(grid, cells.items(), strict=True):
        frames = np.unique(np.linspace(0, len(tensors["strip"]) - 1, columns).round().astype(int))
        (x_low, y_low), (x_high, y_high) = _window(tensors)
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
        axes.set_ylabel(trainer)
    figure.supxlabel("x₁ to the right, x₂ upwards, the same data units in every frame", fontsize=8)
    return figure


def _window(tensors: Tensors) -> Any:
    """The lowest and the highest corner of what a strip shows: `(2, 2)`."""
    if "extent" in tensors:
        return tensors["extent"]
    shown = np.concatenate([tensors[name].reshape(-1, 2) for name in ("strip", "real") if name in tensors])
    return np.stack([shown.min(0), shown.max(0)]).astype(np.float32)


def _inside(samples: Any, low: Any, high: Any) -> Any:
    """The samples within a window; what lies beyond would show up in its neighbour's."""
    return samples[((samples >= low) & (samples <= high)).all(1)]


def _curves(curves: pd.DataFrame, metrics: Sequence[str], colours: dict[str, Any]) -> Figure:
    figure, grid = _figure(len(PROGRESS), len(metrics), CURVE_CELL, sharey="col")
    trainers = {trainer: mine for trainer, mine in curves.groupby("trainer") if trainer in colours}
    for row, (progress, label) in zip(grid, PROGRESS.items(), strict=True):
        for axes, metric in zip(row, metrics, strict=True):
            axes.set_xscale("log")
            if metric in LOGARITHMIC and curves[metric].min() > 0:
                axes.set_yscale("log")
            for trainer, colour in colours.items():
                if trainer in trainers:
                    mine = trainers[trainer]
                    axes.add_collection(LineCollection(_lines(mine, progress, metric), colors=colour, **SEED_LINE))
                    mean = mine.groupby(progress)[metric].mean()
                    axes.plot(mean.index, mean, color=colour, linewidth=2, label=trainer)
            axes.minorticks_off()
            axes.set(xlabel=label, ylabel=LABELS.get(metric, metric))
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=len(labels), frameon=False)
    return figure


def _lines(curves: pd.DataFrame, x: str, y: str) -> list[Any]:
    """Each seed's points `(marks, 2)`, from rows that stand seed by seed."""
    seeds = curves["seed"].to_numpy()
    return np.split(curves[[x, y]].to_numpy(), np.flatnonzero(seeds[1:] != seeds[:-1]) + 1)


def _all_curves(store: Store, trials: Sequence[Found]) -> pd.DataFrame:
    """The curves of all trials that have one, with their trainers and seeds."""
    curves = []
    for found in trials:
        trial = found.record.trial
        if (curve := _curve(store, found)) is not None:
            columns = {"trainer": trial.trainer.label, "seed": trial.seed}
            for name, value in columns.items():
                curve = curve.append_column(name, pa.repeat(value, len(curve)))
            curves.append(curve)
    frame: pd.DataFrame = (
        pa.concat_tables(curves, promote_options="permissive").to_pandas() if curves else pd.DataFrame()
    )
    return frame


def _curve(store: Store, trial: Found) -> pa.Table | None:
    try:
        with ParquetFile(trial.folder / CURVE) as file:
            return file.read()
    except (OSError, ValueError) as error:
        store.unreadable.append(Unreadable(trial.folder / CURVE, str(error).splitlines()[0]))
        return None


def _planar(store: Store, trial: Found) -> Tensors | None:
    """A trial's samples and what belongs to them, where they are points of the plane."""
    curve = _curve(store, trial)
    try:
        tensors: Tensors = load_file(trial.folder / SAMPLES)
    except (OSError, SafetensorError) as error:
        store.unreadable.append(Unreadable(trial.folder / SAMPLES, str(error).splitlines()[0]))
        return None
    if curve is None or tensors["final"].shape[1:] != (2,):
        return None
    return {**tensors, "steps": curve["steps"].to_numpy()}


def _points(
    axes: Axes, tensors: Tensors, samples: Any, colour: Any, size: float = 3.0, shift: Any = (0.0, 0.0)
) -> None:
    """Samples over real points, which are moved by `shift`."""
    if "real" in tensors:
        real = tensors["real"].astype(np.float32)[:POINTS] + shift
        axes.scatter(real[:, 0], real[:, 1], s=size, color=REAL_COLOUR, alpha=0.5, linewidths=0)
    axes.scatter(samples[:POINTS, 0], samples[:POINTS, 1], s=size, color=colour, alpha=0.7, linewidths=0)


def _first_seeds(found: Sequence[Found]) -> Iterable[tuple[tuple[str, str], Found]]:
    """The trial of the lowest seed by dataset and trainer."""
    ordered = sorted(found, key=lambda trial: trial.record.trial.seed, reverse=True)
    return {(t.record.trial.dataset.label, t.record.trial.trainer.label): t for t in ordered}.items()


def _in_order(names: Sequence[str], order: Sequence[str]) -> list[str]:
    return sorted(set(names), key=lambda name: (order.index(name) if name in order else len(order), name))


def _save(figure: Figure, path: Path, caption: str) -> Drawn:
    # No software or date in the file: equal results give equal bytes.
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    return Drawn(path, caption)
