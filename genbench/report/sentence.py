"""The verdict on a dataset in a sentence: who is best, whether that can be told, and whether from the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genbench.report.model import Cell, Column, Row, Table
from genbench.report.verdict import ORACLE, badness, best_first, deciding, with_seeds
from genbench.stats import CONFIDENCE, LEVEL
from genbench.stats.intervals import chance_of, median

NAMED = 6
"""More trainers than so many are counted and not named."""

UNTAUGHT = ("noise", "gaussian")
"""The controls that have learnt nothing of a dataset's shape."""


def sentence(table: Table) -> str:
    """The verdict of a judged table: who is best by the protocol's deciding column, and whether that can be told.

    Of samples from elsewhere, among which no trainer is, whether they can be told from the truth.
    """
    column = deciding(table)
    rows = best_first(table, column) if column else []
    if column is None or not rows:
        said = (_of_externals(table, column) if column else "") or "nothing to judge yet."
    else:
        said = f"{_of_trainers(table, column, rows)}.{_of_untaught(table, column, rows[0])}"
        said += _of_truth(table, column, rows[0])
    return f"{table.dataset}: {said}{_lost(table, column)}"


def _of_trainers(table: Table, column: Column, rows: Sequence[Row]) -> str:
    best, others = rows[0], [row.label for row in table.trainers if row.label != rows[0].label]
    cell = best.cells[column.name]
    said = f"{best.label} has the best {column.name}, {_figure(cell)}{_by_what(column, rows)}{_of_lost(best, cell)}"
    if not others:
        return f"{said}; there is no other trainer to compare with"
    findings = table.findings.get(column.name, {})
    against = {label: findings.get(frozenset((best.label, label))) for label in others}
    beaten = {label: f.p for label, f in against.items() if f is not None and f.beats(best.label)}
    beating = {label: f.p for label, f in against.items() if f is not None and f.beats(label)}
    alike = {label: f.p for label, f in against.items() if f is not None and not f.differ}
    without = [row.label for row in table.trainers if not (row.cell(column.name).values or row.cell(column.name).lost)]
    untested = [label for label, f in against.items() if f is None and label not in without]
    parts = []
    if beaten:
        parts.append(f"better than {_several([*beaten], others)} (p ≤ {max(beaten.values()):.2g})")
    if beating:
        parts.append(f"although beaten by {_several([*beating], others)} (p ≤ {max(beating.values()):.2g})")
    if alike:
        parts.append(f"not to be told from {_several([*alike], others)} (p ≥ {min(alike.values()):.2g})")
    if untested:
        parts.append(f"could not have been told from {_several(untested, others)} {with_seeds(table)}")
    if without:
        parts.append(f"there is no {column.name} to hold against it of {listed(without)}")
    return f"{said}: {'; '.join(parts)}"


def _of_untaught(table: Table, column: Column, best: Row) -> str:
    """Whether what has learnt nothing is no worse than the best, so that the column judges nobody here."""
    controls = [row for row in table.rows if row.kind == "control" and row.label in UNTAUGHT]
    bad = badness([best, *controls], column, table.control(ORACLE, column.name))
    if best.label not in bad:
        return ""
    no_worse = [row for row in controls if row.label in bad and median(bad[row.label]) <= median(bad[best.label])]
    if not no_worse:
        return ""
    scores = listed([f"{row.label} scores {table.control(row.label, column.name):.3g}" for row in no_worse])
    return f" But {scores} and learnt nothing: {column.name} alone doesn't tell who is good here."


def _of_truth(table: Table, column: Column, best: Row) -> str:
    """Whether the column tells the best from the truth at all: by its median, or by more runs outside the band than
    the truth has there."""
    band, cell = table.band(column.name), best.cells[column.name]
    if band is None or cell.interval is None or not band[0] <= cell.interval.value <= band[1]:
        return ""
    outside = cell.lost + sum(not band[0] <= value <= band[1] for value in cell.values)
    if chance_of(len(cell.values) + cell.lost, outside, 1 - CONFIDENCE) <= LEVEL:
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
        return listed([f"{value:.3g}" for value in cell.values])
    assert cell.interval is not None
    value, low, high = cell.interval
    if not cell.lost and len(set(cell.values)) == 1:
        return f"{value:.3g} in every run"
    middle, least, most = (cell.lacking if end is None or math.isinf(end) else f"{end:.3g}" for end in cell.interval)
    said = f"median {middle}"
    return said if low is None or high is None else f"{said} ({least} to {most})"


def _by_what(column: Column, rows: Sequence[Row]) -> str:
    """By what the first of the rows is best, where others' medians are better."""
    way = -1.0 if column.higher_is_better else 1.0
    middles = [way * cell.interval.value for row in rows if (cell := row.cells[column.name]).interval is not None]
    odds = column.higher_is_better is not None and middles[0] > min(middles)
    return ", as its runs beat those of others most often" if odds else ""


def _of_lost(row: Row, cell: Cell) -> str:
    runs = len(cell.values) + cell.lost
    ways = ((len(row.failures), "trials failed"), (cell.undefined, "samples left nothing to measure"))
    said = [f"{n} of its {runs} {what}" for n, what in ways if n > 0]
    return f", although {listed(said)}" if said else ""


def _lost(table: Table, column: Column | None) -> str:
    """Whose runs failed, or left the deciding column nothing to measure."""
    failed = [f"{len(row.failures)} of {row.label}" for row in table.trainers if row.failures]
    said = f" Failed, and counted as worse than any score: {listed(failed)}." if failed else ""
    undefined = {row.label: row.cell(column.name).undefined for row in table.trainers} if column else {}
    nothing = [f"{n} of {label}" for label, n in undefined.items() if n > 0]
    return said + (f" Nothing to measure, and counted likewise: {listed(nothing)}." if nothing else "")


def _several(labels: Sequence[str], others: Sequence[str]) -> str:
    """Some of the others by their names, or where these would be many by how many they are."""
    if len(labels) <= NAMED:
        return listed(labels)
    return f"all {len(others)} others" if len(labels) == len(others) else f"{len(labels)} of the {len(others)} others"


def listed(labels: Sequence[str]) -> str:
    """One, two and three."""
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
