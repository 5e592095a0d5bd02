"""Cards of metrics: what each says, how it behaves on what is no model, how its scores spread, what it can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genbench.references import Reference
from genbench.registry import metrics
from genbench.report.figures import scatter
from genbench.report.figures.style import Picture
from genbench.report.model import Table
from genbench.report.verdict import ORACLE
from genbench.scoring import power_cards
from genbench.stats.effects import deviation, minimal_detectable_effect


def card(name: str, reference: str, tables: Sequence[tuple[Table, str]]) -> dict[str, Any]:
    """What the card of a column says, whose metric is `reference`, as its template wants it.

    `tables` stand with what they are of. Of a dataset's several ones, the controls are shown once.
    """
    entry = metrics[Reference.parse(reference).name]
    datasets = list({table.dataset: table for table, _ in tables}.values())
    first, _, rest = entry.doc.partition("\n\n")
    return {
        "name": name,
        "reference": reference,
        "summary": " ".join(first.split()),
        "more": [" ".join(paragraph.split()) for paragraph in rest.split("\n\n") if paragraph.strip()],
        "unit": entry.unit,
        "best": {True: "higher is better", False: "lower is better", None: "best at the truth's own value"}[
            entry.higher_is_better
        ],
        "citation": entry.citation,
        "spreads": [_spreads(table, what, name) for table, what in tables],
        "behaviour": _behaviour(datasets, name),
        "power": [known for t in datasets if (known := power_cards.card(t.dataset, t.protocol.name, name)) is not None],
    }


def _behaviour(tables: list[Table], name: str) -> Picture | None:
    caption = (
        f"{name} on what needs no training: a point a draw, the median as a tick with its interval, the truth's "
        "null band in green."
    )
    figure = scatter.behaviour(tables, name)
    return Picture("behaviour", None, f"behaviour-{name}.svg", caption, figure) if figure is not None else None


def _spreads(table: Table, what: str, name: str) -> dict[str, Any]:
    """How far a column's scores lie apart: the truth's from draw to draw, the trainers' from seed to seed."""
    cells = {row.label: row.cells[name] for row in table.rows if name in row.cells}
    trainers = [row.label for row in table.trainers if row.label in cells]
    spreads = {label: deviation(cells[label].values) for label in trainers}
    return {
        "of": what,
        "truth": deviation(cells[ORACLE].values) if ORACLE in cells else None,
        "trainers": [
            (label, spread, minimal_detectable_effect(spread, len(cells[label].values)))
            for label, spread in spreads.items()
            if spread is not None
        ],
    }
