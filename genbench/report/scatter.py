"""Every score behind a table: a point a seed or draw, their means with intervals, and the truth's null band."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from genbench.report.curves import LOGARITHMIC, metric_label
from genbench.report.model import Table
from genbench.report.style import Colours, Layout, grid

PANELS = 4
"""So many metrics stand side by side at most."""

ROW = 0.22
"""Inches of a row."""

CONTROL = "0.5"
BAND = "#2a9d8f"
POINT: Any = {"s": 14, "linewidths": 0, "alpha": 0.55}


def scores(table: Table, colours: Colours, images: bool = False) -> Figure | None:
    """A set of axes for each of the table's columns, a row for each trainer and control; None without any column."""
    rows = [row for row in table.rows if row.cells and row.kind != "null band"]
    bands = {name: cell.band for row in table.rows if row.kind == "null band" for name, cell in row.cells.items()}
    if not table.columns or not rows:
        return None
    columns = min(PANELS, len(table.columns))
    height = ROW * len(rows) + 0.1
    label = 0.075 * max(len(row.label) for row in rows) + 0.2
    layout = Layout((1.75, height), label, 0.5, 0.15, 0.15, (0.25, 0.6))
    figure, axes_grid = grid(-(-len(table.columns) // columns), columns, layout)
    for place, axes in enumerate(axes_grid.flat):
        if place >= len(table.columns):
            axes.set_axis_off()
            continue
        column = table.columns[place]
        if (band := bands.get(column.name)) is not None:
            low, high = band
            axes.axvspan(low, high, color=BAND, alpha=0.35, linewidth=2 if low == high else 0)
        for at, row in enumerate(rows):
            cell = row.cells.get(column.name)
            if cell is None or cell.interval is None:
                continue
            colour = colours.get(row.label, CONTROL)
            axes.scatter(cell.values, [at] * len(cell.values), color=colour, **POINT)
            mean, low_end, high_end = cell.interval
            if low_end is not None and high_end is not None:
                axes.plot([low_end, high_end], [at, at], color=colour, linewidth=1.2)
            axes.plot([mean], [at], marker="|", color=colour, markersize=9, markeredgewidth=1.8)
        if column.name.partition("[")[0] in LOGARITHMIC and _all_positive(table, column.name):
            axes.set_xscale("log")
            axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), [row.label for row in rows] if place % columns == 0 else [""] * len(rows))
        axes.set_xlabel(metric_label(column.name, images))
        axes.tick_params(axis="y", length=0)
    return figure


def _all_positive(table: Table, name: str) -> bool:
    found = [row.cells[name] for row in table.rows if name in row.cells]
    return all(value > 0 for cell in found for value in (*cell.values, *(cell.band or ()))) and all(
        cell.interval is None or cell.interval.low is None or cell.interval.low > 0 for cell in found
    )
