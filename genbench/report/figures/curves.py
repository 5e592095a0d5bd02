"""Pictures of numbers along training: metrics at the checkpoints, and losses in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from genbench.report.figures.style import Colours, Layout, grid
from genbench.report.overall import THRESHOLDS, Overall

LABELS = {
    "modes": "modes captured",
    "hq": "HQ samples (fraction)",
    "reverse_kl": "reverse KL (nats)",
    "arc_coverage": "arc covered (fraction)",
    "curve_distance": "distance to curve (noise stds)",
    "sliced_w2": "sliced W2 (data units)",
    "confident": "confident samples (fraction)",
    "fd": "Fréchet distance",
    "fid": "FID",
    "kid": "KID",
    "precision": "precision (fraction)",
    "recall": "recall (fraction)",
    "density": "density (ratio)",
    "coverage": "coverage (fraction)",
}
"""The panels' order and what stands at their axes; `fd[mnist-cnn-1]` goes by what is before its bracket."""

IMAGE_LABELS = {"modes": "classes captured"}
DISTANCES = ("fd", "fid", "kid")
"""Between sets of images; they often span less than a power of ten."""

LOGARITHMIC = ("reverse_kl", "sliced_w2", "curve_distance", *DISTANCES)
NO_METRICS = ("trainer", "seed", "steps", "updates", "samples", "seconds", "modes_any")
"""Columns of a curve that have no panel: what the meter counts, and the modes under the laxer of two rules."""

LOSS = "loss_"
PANELS = 6
"""So many panels stand in a row at most."""

LETTER, HANDLE, LINE = 0.075, 0.55, 0.17
"""Inches of a legend: a letter, what stands before a label, a line."""

CELL = Layout((2.0, 1.75), 0.6, 0.45, 0.1, 0.4, (0.75, 0.55))
LOSS_CELL = Layout((2.6, 1.5), 0.7, 0.45, 0.1, 0.3, (0.75, 0.3))
PROFILE = Layout((4.2, 2.2), 0.6, 0.45, 0.1, 0.1, (0.0, 0.0))
LOSS_LABEL = (-0.19, 0.5)
LOSS_SHOWN = 98
"""Per cent of the losses, those in the middle, that a panel has room for: single spikes would flatten the rest."""

SEED_LINE: Any = {"linewidths": 0.6, "alpha": 0.5}
PROGRESS = {"steps": "generator steps", "updates": "network updates"}


def metrics_of(curves: pd.DataFrame) -> list[str]:
    """The metrics that have values, in the order of their panels; those that have no place of their own come last."""
    order = list(LABELS)
    names = [
        name
        for name in curves.columns
        if name not in NO_METRICS and not name.startswith(LOSS) and curves[name].notna().any()
    ]
    return sorted(names, key=lambda name: order.index(_base(name)) if _base(name) in order else len(order))


def metrics(curves: pd.DataFrame, names: Sequence[str], colours: Colours, images: bool = False) -> Figure:
    """A column a metric, against generator steps above and against network updates below."""
    bands = -(-len(names) // PANELS)
    columns = -(-len(names) // bands)
    width = CELL.left + columns * CELL.size[0] + (columns - 1) * CELL.gaps[0] + CELL.right
    beside = max(1, int(width / (LETTER * max(map(len, colours), default=0) + HANDLE)))
    lines = -(-len(colours) // beside)
    figure, axes_grid = grid(len(PROGRESS) * bands, columns, CELL._replace(top=CELL.top + (lines - 1) * LINE))
    trainers = {trainer: mine for trainer, mine in curves.groupby("trainer") if trainer in colours}
    for place in range(bands * columns):
        column = axes_grid[place // columns * len(PROGRESS) :, place % columns]
        upper, lower = column[: len(PROGRESS)]
        if place >= len(names):
            upper.set_axis_off()
            lower.set_axis_off()
            continue
        lower.sharey(upper)
        metric = names[place]
        for axes, (progress, label) in zip((upper, lower), PROGRESS.items(), strict=True):
            axes.set_xscale("log")
            if _base(metric) in LOGARITHMIC and curves[metric].min() > 0:
                axes.set_yscale("log")
                if _base(metric) in DISTANCES:
                    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            for trainer, colour in colours.items():
                if trainer in trainers:
                    mine = trainers[trainer]
                    axes.add_collection(LineCollection(_lines(mine, progress, metric), colors=colour, **SEED_LINE))
                    middle = mine.groupby(progress)[metric].median()
                    axes.plot(middle.index, middle, color=colour, linewidth=2, label=trainer)
            axes.minorticks_off()
            axes.set(xlabel=label, ylabel=metric_label(metric, images))
    handles, labels = axes_grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=min(len(labels), beside), frameon=False)
    return figure


def losses(curves: pd.DataFrame, colours: Colours) -> Figure | None:
    """A column a trainer, its networks' losses below each other, each on a scale of its own."""
    if not _networks(curves):
        return None
    trainers = {trainer: mine for trainer, mine in curves.groupby("trainer") if trainer in colours}
    networks = {trainer: found for trainer, mine in trainers.items() if (found := _networks(mine))}
    shown = [trainer for trainer in colours if trainer in networks]
    figure, axes_grid = grid(max(map(len, networks.values())), len(shown), LOSS_CELL)
    for column, trainer in zip(axes_grid.T, shown, strict=True):
        mine, colour = trainers[trainer], colours[trainer]
        for axes in column[len(networks[trainer]) :]:
            axes.set_axis_off()
        for axes, network in zip(column, networks[trainer], strict=False):
            name = LOSS + network
            axes.add_collection(LineCollection(_lines(mine, "steps", name), colors=colour, **SEED_LINE))
            middle = mine.groupby("steps")[name].median()
            axes.plot(middle.index, middle, color=colour, linewidth=1.2)
            axes.tick_params(labelbottom=network == networks[trainer][-1])
            axes.yaxis.set_label_coords(*LOSS_LABEL)
            axes.set(ylabel=f"{network}'s loss", ylim=_bulk(mine[name]))
        column[0].set_title(trainer)
        column[len(networks[trainer]) - 1].set_xlabel("generator steps")
    return figure


def profiles(found: Sequence[Overall], colours: Colours) -> Figure:
    """Performance profiles (arXiv:2108.13264): a line a trainer, falling as more is asked of its trials."""
    figure, ((axes,),) = grid(1, 1, PROFILE)
    for each in found:
        axes.step(THRESHOLDS, each.profile, where="post", color=colours.get(each.trainer), label=each.trainer)
    axes.set(xlabel="score between noise and the truth", ylabel="share of trials", ylim=(-0.02, 1.02))
    axes.legend(frameon=False, loc="lower left")
    return figure


def metric_label(name: str, images: bool = False) -> str:
    """What stands at a metric's axis: `Fréchet distance (mnist-cnn-1)` for `fd[mnist-cnn-1]`."""
    base, _, inside = name.partition("[")
    label = (IMAGE_LABELS if images else {}).get(base) or LABELS.get(base) or base.replace("_", " ")
    return f"{label} ({inside.rstrip(']')})" if inside else label


def _base(name: str) -> str:
    return name.partition("[")[0]


def _bulk(losses: pd.Series[float]) -> tuple[float, float]:
    """Where an axis ends that shows the middle LOSS_SHOWN per cent, and a little more."""
    cut = (100 - LOSS_SHOWN) / 2
    low, high = np.percentile(losses[np.isfinite(losses)], [cut, 100 - cut])
    room = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
    return float(low - room), float(high + room)


def _networks(curves: pd.DataFrame) -> list[str]:
    """The networks that have losses, the generator first."""
    names = [n.removeprefix(LOSS) for n in curves.columns if n.startswith(LOSS) and np.isfinite(curves[n]).any()]
    return sorted(names, key=lambda name: (name != "generator", name))


def _lines(curves: pd.DataFrame, x: str, y: str) -> list[Any]:
    """Each seed's points `(marks, 2)`, from rows that stand seed by seed."""
    seeds = curves["seed"].to_numpy()
    return np.split(curves[[x, y]].to_numpy(), np.flatnonzero(seeds[1:] != seeds[:-1]) + 1)
