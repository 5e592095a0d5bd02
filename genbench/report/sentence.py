"""The verdict on a dataset in a sentence: who is best, whether that can be told, and whether from the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genbench.report.model import Cell, Column, Row, Table
from genbench.report.verdict import best_first, deciding, with_seeds


def sentence(table: Table) -> str:
    """The verdict of a judged table: who is best by the protocol's deciding column, and whether that can be told.

    Of samples from elsewhere, among which no trainer is, whether they can be told from the truth.
    """
    column = deciding(table)
    rows = best_first(table, column) if column else []
    if column is None or not rows:
        said = (_of_externals(table, column) if column else "") or "nothing to judge yet."
    else:
        said = f"{_of_trainers(table, column, rows)}.{_of_truth(table, column, rows[0])}"
    return f"{table.dataset}: {said}{_failures(table)}"


def _of_trainers(table: Table, column: Column, rows: Sequence[Row]) -> str:
    best, others = rows[0], [row.label for row in table.trainers if row.label != rows[0].label]
    said = f"{best.label} has the best {column.name}, {_figure(best.cells[column.name])}{_of_them_failed(best)}"
    if not others:
        return f"{said}; there is no other trainer to compare with"
    found = table.findings.get(column.name, {})
    against = {label: found.get(frozenset((best.label, label))) for label in others}
    beaten = {label: f.p for label, f in against.items() if f is not None and f.beats(best.label)}
    beating = {label: f.p for label, f in against.items() if f is not None and f.beats(label)}
    alike = {label: f.p for label, f in against.items() if f is not None and not f.differ}
    untested = [label for label, f in against.items() if f is None]
    parts = []
    if beaten:
        parts.append(f"better than {_listed([*beaten])} (p ≤ {max(beaten.values()):.2g})")
    if beating:
        parts.append(f"although beaten by {_listed([*beating])} (p ≤ {max(beating.values()):.2g})")
    if alike:
        parts.append(f"not to be told from {_listed([*alike])} (p ≥ {min(alike.values()):.2g})")
    if untested:
        parts.append(f"could not have been told from {_listed(untested)} {with_seeds(table)}")
    return f"{said}: {'; '.join(parts)}"


def _of_truth(table: Table, column: Column, best: Row) -> str:
    """Whether the column tells the best from the truth at all."""
    band, interval = table.band(column.name), best.cells[column.name].interval
    if band is None or interval is None or not band[0] <= interval.value <= band[1]:
        return ""
    return f" {column.name} can't tell it from the truth (null band {band[0]:.3g} to {band[1]:.3g})."


def _of_externals(table: Table, column: Column) -> str:
    """What a deciding column says of each row of samples from elsewhere, held against the null band."""
    band = table.band(column.name)
    parts = []
    for row in table.rows:
        values = row.cell(column.name).values
        if row.kind == "external" and values:
            within = band is not None and band[0] <= values[0] <= band[1]
            ends = (
                f", {'inside' if within else 'outside'} the null band ({band[0]:.3g} to {band[1]:.3g})" if band else ""
            )
            parts.append(f"{row.label} has {column.name} {values[0]:.3g}{ends}")
    return f"{'; '.join(parts)}." if parts else ""


def _figure(cell: Cell) -> str:
    if len(cell.values) + cell.lost < 3:
        return _listed([_number(value) for value in cell.values])
    assert cell.interval is not None
    value, low, high = cell.interval
    said = f"median {_number(value)}"
    return said if low is None or high is None else f"{said} ({_number(low)} to {_number(high)})"


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "failed"


def _of_them_failed(row: Row) -> str:
    failed = len(row.failures)
    return f", although {failed} of its {row.finished + failed} trials failed" if failed else ""


def _failures(table: Table) -> str:
    failed = [f"{len(row.failures)} of {row.label}" for row in table.trainers if row.failures]
    return f" Failed, and counted as worse than any score: {_listed(failed)}." if failed else ""


def _listed(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
