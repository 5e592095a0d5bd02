"""Pictures of numbers along training: metrics at the checkpoints, and losses in between."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from genbench.report.figures.axes import Axis, number_within_decades
from genbench.report.figures.stored import LOSS, networks_of
from genbench.report.figures.style import ABREAST, Colours, Layout, dashes, grid, wrapped
from genbench.report.overall import THRESHOLDS, Overall
from genbench.scoring.protocols import Protocol

NO_METRICS = ("trainer", "seed", "steps", "updates", "samples", "seconds", "modes_any")
"""Columns of a curve that have no panel: what the meter counts, and the modes under the laxer of two rules."""

PANELS = 6
"""So many panels stand in a row at most."""

LETTER, HANDLE, LINE = 0.075, 0.55, 0.17
"""Inches of a legend: a letter, what stands before a label, a line."""

CELL = Layout((2.0, 1.75), 0.7, 0.45, 0.1, 0.4, (0.85, 0.55))
LOSS_CELL = Layout((2.6, 1.5), 0.85, 0.45, 0.1, 0.3, (0.9, 0.3))
LOSS_GAPS = (0.9, 0.75)
"""Where trainers take several rows, so that a title has room below an axis's label."""

LOSS_LETTERS = 38
"""So many of a title fit into a line."""

PROFILE = Layout((4.2, 2.2), 0.6, 0.45, 0.1, 0.1, (0.0, 0.0))
LOSS_LABEL = (-0.19, 0.5)
LOSS_SHOWN = 98
"""Per cent of the losses, those in the middle, that a panel has room for: single spikes would flatten the rest."""

SEED_LINE: Any = {"linewidths": 0.6, "alpha": 0.5}
PROGRESS = {"steps": "generator steps", "updates": "network updates"}


def metrics_of(curves: pd.DataFrame, protocol: Protocol | None) -> list[Axis]:
    """The metrics that have values, scored under a protocol, in the order of their panels."""
    others = {*NO_METRICS, *(LOSS + network for network in networks_of(curves))}
    names = (name for name in curves.columns if name not in others and curves[name].notna().any())
    return sorted((Axis.along(name, protocol) for name in names), key=lambda axis: axis.place)


def medians_alone(trainers: Collection[str]) -> bool:
    """Whether there are so many trainers that lines of single seeds would hide everything."""
    return len(trainers) > ABREAST


def metrics(curves: pd.DataFrame, shown: Sequence[Axis], colours: Colours) -> Figure:
    """A column a metric, against generator steps above and against network updates below."""
    bands = -(-len(shown) // PANELS)
    columns = -(-len(shown) // bands)
    width = CELL.left + columns * CELL.size[0] + (columns - 1) * CELL.gaps[0] + CELL.right
    beside = max(1, int(width / (LETTER * max(map(len, colours), default=0) + HANDLE)))
    lines = -(-len(colours) // beside)
    figure, axes_grid = grid(len(PROGRESS) * bands, columns, CELL._replace(top=CELL.top + (lines - 1) * LINE))
    trainers = {trainer: mine for trainer, mine in curves.groupby("trainer") if trainer in colours}
    for place in range(bands * columns):
        column = axes_grid[place // columns * len(PROGRESS) :, place % columns]
        upper, lower = column[: len(PROGRESS)]
        if place >= len(shown):
            upper.set_axis_off()
            lower.set_axis_off()
            continue
        lower.sharey(upper)
        axis, metric = shown[place], shown[place].column
        for axes, (progress, label) in zip((upper, lower), PROGRESS.items(), strict=True):
            axes.set_xscale("log")
            if axis.is_logarithmic and curves[metric].min() > 0:
                axes.set_yscale("log")
            for trainer, colour in colours.items():
                if trainer in trainers:
                    mine = trainers[trainer]
                    if not medians_alone(colours):
                        axes.add_collection(LineCollection(_lines(mine, progress, metric), colors=colour, **SEED_LINE))
                    middle = mine.groupby(progress)[metric].median()
                    axes.plot(middle.index, middle, dashes(colour), color=colour, linewidth=2, label=trainer)
            for drawn in (axes.xaxis, axes.yaxis):
                if drawn.get_scale() == "log":
                    number_within_decades(drawn)
            axes.minorticks_off()
            axes.set(xlabel=label, ylabel=axis.label)
    handles, labels = axes_grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=min(len(labels), beside), frameon=False)
    return figure


def losses(curves: pd.DataFrame, colours: Colours) -> Figure | None:
    """A column a trainer, its networks' losses below each other, each on a scale of its own; ABREAST side by side."""
    if not _with_losses(curves):
        return None
    trainers = {trainer: mine for trainer, mine in curves.groupby("trainer") if trainer in colours}
    networks = {trainer: names for trainer, mine in trainers.items() if (names := _with_losses(mine))}
    shown = [trainer for trainer in colours if trainer in networks]
    deep, beside = max(map(len, networks.values())), min(ABREAST, len(shown))
    bands = -(-len(shown) // beside)
    titles = {trainer: wrapped(trainer, LOSS_LETTERS) for trainer in shown}
    layout = (LOSS_CELL if bands == 1 else LOSS_CELL._replace(gaps=LOSS_GAPS)).titled(titles.values())
    figure, axes_grid = grid(deep * bands, beside, layout)
    columns = axes_grid.reshape(bands, deep, beside).swapaxes(1, 2).reshape(-1, deep)
    for column, trainer in zip_longest(columns, shown):
        if trainer is None:
            for axes in column:
                axes.set_axis_off()
            continue
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
            axes.set(ylabel=f"{network}'s loss\n(own unit)", ylim=_bulk(mine[name]))
        column[0].set_title(titles[trainer])
        column[len(networks[trainer]) - 1].set_xlabel("generator steps")
    return figure


def profiles(trainers: Sequence[Overall], colours: Colours) -> Figure:
    """Performance profiles (arXiv:2108.13264): a line a trainer, falling as more is asked of its trials."""
    names = [each.trainer for each in trainers]
    columns = 2 if medians_alone(names) else 1
    room = columns * (HANDLE + LETTER * max(map(len, names))) + PROFILE.left / 3
    figure, ((axes,),) = grid(1, 1, PROFILE._replace(right=room))
    for each in trainers:
        colour = colours.get(each.trainer)
        axes.step(THRESHOLDS, each.profile, dashes(colour), where="post", color=colour, label=each.trainer)
    axes.set(xlabel="score (0 noise, 1 truth)", ylabel="trials (fraction)", ylim=(-0.02, 1.02))
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5), ncols=columns)
    return figure


def _bulk(losses: pd.Series[float]) -> tuple[float, float]:
    """Where an axis ends that shows the middle LOSS_SHOWN per cent, and a little more."""
    cut = (100 - LOSS_SHOWN) / 2
    low, high = np.percentile(losses[np.isfinite(losses)], [cut, 100 - cut])
    room = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
    return float(low - room), float(high + room)


def _with_losses(curves: pd.DataFrame) -> list[str]:
    """The networks that have losses, the generator first."""
    names = [network for network in networks_of(curves) if np.isfinite(curves[LOSS + network]).any()]
    return sorted(names, key=lambda name: (name != "generator", name))


def _lines(curves: pd.DataFrame, x: str, y: str) -> list[Any]:
    """Each seed's points `(marks, 2)`, from rows that stand seed by seed."""
    seeds = curves["seed"].to_numpy()
    return np.split(curves[[x, y]].to_numpy(), np.flatnonzero(seeds[1:] != seeds[:-1]) + 1)
