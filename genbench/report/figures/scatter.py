"""Every score behind a table: a point a seed or draw, their medians with intervals, and the truth's null band."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from genbench.report.figures.axes import Axis, number_within_decades
from genbench.report.figures.style import Colours, Layout, grid
from genbench.report.model import Column, Row, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = 4
"""So many sets of axes stand side by side at most."""

ROW, LETTER, LINE = 0.22, 0.075, 0.15
"""Inches of a row's height, of a letter's width, and of a further line of a label."""

CONTROL, BAND = "0.5", "#2a9d8f"
POINT: Any = {"s": 14, "linewidths": 0, "alpha": 0.55}


def scores(table: Table, colours: Colours) -> Figure | None:
    """A set of axes for each of the table's columns, a row for each of its own; None where there is nothing to show."""
    rows = [row for row in table.rows if any(cell.interval for cell in row.cells.values())]
    return _drawn([(table, column, Axis.of(column).label) for column in table.columns], rows, colours)


def behaviour(tables: Sequence[Table], name: str) -> Figure | None:
    """One metric on what needs no training, a set of axes a dataset; None where no table has it."""
    held = [
        (table, column, f"{table.dataset} ({column.unit or 'no unit'})")
        for table in tables
        for column in table.columns
        if column.name == name
    ]
    labels = dict.fromkeys(row.label for table, _, _ in held for row in table.rows if row.kind == "control")
    rows = [next(row for table, _, _ in held for row in table.rows if row.label == label) for label in labels]
    return _drawn(held, rows, {})


def _drawn(panels: Sequence[tuple[Table, Column, str]], rows: Sequence[Row], colours: Colours) -> Figure | None:
    """The axes of columns of tables, each with its label beneath."""
    if not panels or not rows:
        return None
    across = min(PANELS, len(panels))
    left = LETTER * max(len(row.label) for row in rows) + 0.2
    more = LINE * max(label.count("\n") for _, _, label in panels)
    layout = Layout((1.75, ROW * len(rows) + 0.1), left, 0.5 + more, 0.15, 0.15, (0.25, 0.6 + more))
    figure, axes_grid = grid(-(-len(panels) // across), across, layout)
    for axes in axes_grid.flat[len(panels) :]:
        axes.set_axis_off()
    for place, (axes, (table, column, label)) in enumerate(zip(axes_grid.flat, panels, strict=False)):
        _fill(axes, table, column, [row.label for row in rows], colours)
        axes.set_yticks(range(len(rows)), [row.label for row in rows] if place % across == 0 else [""] * len(rows))
        axes.set_xlabel(label)
    return figure


def _fill(axes: Axes, table: Table, column: Column, labels: Sequence[str], colours: Colours) -> None:
    """Draws a column's cells, a line for each of `labels`, from above."""
    cells = {row.label: row.cells[column.name] for row in table.rows if column.name in row.cells}
    shown = [cells[label] for label in labels if label in cells]
    if (band := table.band(column.name)) is not None:
        low, high = band
        axes.axvspan(low, high, color=BAND, alpha=0.35, linewidth=2 if low == high else 0)
    for at, label in enumerate(labels):
        cell = cells.get(label)
        if cell is None or cell.interval is None or not cell.values:
            continue
        colour = colours.get(label, CONTROL)
        axes.scatter(cell.values, [at] * len(cell.values), color=colour, **POINT)
        middle, low_end, high_end = cell.interval
        if low_end is not None and high_end is not None:
            # Where the end is a failure, the line goes on to the worst that was seen.
            shown_ends = np.clip([low_end, high_end], min(cell.values), max(cell.values))
            axes.plot(shown_ends, [at, at], color=colour, linewidth=1.2)
        if math.isfinite(middle):
            axes.plot([middle], [at], marker="|", color=colour, markersize=9, markeredgewidth=1.8)
    ends = [value for cell in shown for value in cell.values]
    if Axis.of(column).is_logarithmic and min([*ends, *(band or ())], default=0) > 0:
        axes.set_xscale("log")
        number_within_decades(axes.xaxis)
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
