"""What a suite's tables let one say: which trainers their columns tell apart, and a sentence about each dataset.

This is the one place where runs are compared: tables, sentences, the page and `genbench compare` all show its findings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from genbench.report.model import Column, Finding, Row, Table
from genbench.stats.closure import corrected, lone_p, seeds_needed
from genbench.stats.intervals import median
from genbench.stats.letters import letters
from genbench.stats.ranks import odds_of_all

ORACLE = "oracle"

Findings = dict[frozenset[str], Finding]
Runs = dict[str, list[float]]
"""Of each of several rows, by its label, how bad its runs are, infinitely where they were lost."""


def judged(tables: Sequence[Table]) -> list[Table]:
    """A suite's tables with what their columns find out about their trainers, and letters at the trainers' cells.

    One family are all tables' deciding columns, and every other name's columns: in each, claims are corrected for all
    pairs of trainers and all tables.
    """
    families: dict[str | None, list[tuple[int, Column]]] = {}
    for place, table in enumerate(tables):
        for column in table.columns:
            families.setdefault(family(table, column), []).append((place, column))
    by_table: list[dict[str, Findings]] = [{} for _ in tables]
    for places in families.values():
        of = findings([(column, runs(tables[place], column)) for place, column in places])
        for (place, column), each in zip(places, of, strict=True):
            by_table[place][column.name] = each
    together = max(1, sum(len(table.trainers) > 1 for table in tables))
    return [
        _marked(replace(table, findings=of, seeds_needed=seeds_needed(max(2, len(table.trainers)), together)))
        for table, of in zip(tables, by_table, strict=True)
    ]


def family(table: Table, column: Column) -> str | None:
    """What a column's claims are corrected together with: None are all tables' deciding columns."""
    return None if column == deciding(table) else column.name


def findings(tables: Sequence[tuple[Column, Runs]]) -> list[Findings]:
    """What is to be said of every pair of rows in a column of each of several tables, corrected for all of them."""
    scaled = [_on_scale(column, of) for column, of in tables]
    claims = corrected(scaled)
    together = sum(map(bool, claims))
    return [_findings(of, ps, together) for of, ps in zip(scaled, claims, strict=True)]


def runs(table: Table, column: Column) -> Runs:
    """How bad every trainer's runs are in a column; none of a column that has no better way and no oracle."""
    return badness(table.trainers, column, table.control(ORACLE, column.name))


def badness(rows: Iterable[Row], column: Column, truth: float | None, sign: int | None = None) -> Runs:
    """How bad the rows' runs are in a column: less is better; lost runs are infinitely bad, rows without any left out.

    Where all runs of all rows are lost, nothing can be told, so none are there, and other tables don't pay for it.
    Without a direction, the way of `sign` is worse, and without that either, values are as bad as they are far from the
    truth.
    """
    measure = _measure(column, truth, sign)
    if measure is None:
        return {}
    bad = {}
    for row in rows:
        cell = row.cell(column.name)
        if cell.values or cell.lost:
            bad[row.label] = [*map(measure, cell.values), *[math.inf] * cell.lost]
    return bad if any(run < math.inf for of in bad.values() for run in of) else {}


def best_first(table: Table, column: Column) -> list[Row]:
    """The trainers that have values in a column, by how likely their runs beat those of the others, then by medians.

    Without a direction, the closest to the oracle are best.
    """
    of = runs(table, column)
    rows = [row for row in table.trainers if row.cell(column.name).values and row.label in of]
    if len(rows) < 2:
        return rows

    wins = dict(zip(of, map(math.fsum, odds_of_all(list(of.values()))), strict=True))
    return sorted(rows, key=lambda row: (-wins[row.label], median(of[row.label])))


def not_told_from_best(table: Table, column: Column) -> frozenset[str]:
    """The trainers that a column doesn't tell from the best of those that were tested; it is among them."""
    tested = _tested(table, column)
    return frozenset(label for label in tested if label == tested[0] or not _differ(table, column, tested[0], label))


def deciding(table: Table) -> Column | None:
    """The column that the verdict goes by; None where the table has none of those."""
    return next((c for name in table.protocol.deciding for c in table.columns if c.name == name), None)


def _findings(of: Runs, ps: Mapping[frozenset[str], float], tables: int) -> Findings:
    """What is to be said of pairs of rows whose corrected p are given, in one of so many tables."""
    methods, places = len(frozenset().union(*ps)), {label: i for i, label in enumerate(of)}
    wins = odds_of_all(list(of.values())) if ps else ()
    found = {}
    for pair, p in ps.items():
        one, other = sorted(pair, key=places.__getitem__)
        least = lone_p(len(of[one]), len(of[other]), methods, tables)
        found[pair] = Finding(one, other, p, float(wins[places[one]][places[other]]), least)
    return found


def _on_scale(column: Column, of: Runs) -> Runs:
    """The runs as they are tested: of a metric that is positive and has no upper bound, by their logarithm.

    Such scores vary by factors. Their ranks are the same, but how far they spread is judged more fairly. A score of
    zero lies one whole range of the others below the least of them.
    """
    way = -1 if column.higher_is_better else 1
    scores = [way * bad for runs in of.values() for bad in runs if bad != math.inf]
    logs = [math.log(score) for score in scores if score > 0]
    if column.higher_is_better is None or column.bounds != (0, None) or not logs or min(scores) < 0:
        return of
    least, far = min(logs), (max(logs) - min(logs)) or 1.0

    def scaled(bad: float) -> float:
        if bad == math.inf:
            return bad
        # From 1 on, so that what is equal but for rounding stays so.
        return way * (1 + (math.log(abs(bad)) - least if bad else -far))

    return {label: [scaled(bad) for bad in runs] for label, runs in of.items()}


def _measure(column: Column, truth: float | None, sign: int | None) -> Callable[[float], float] | None:
    if column.higher_is_better is not None:
        way = -1.0 if column.higher_is_better else 1.0
        return lambda value: way * value
    if truth is not None and sign is None:
        return lambda value: abs(value - truth)
    return None if sign is None else lambda value: sign * value


def _marked(table: Table) -> Table:
    """The table with letters, and a note where seeds are too few for any."""
    marks = {column.name: _letters(table, column) for column in table.columns}
    rows = tuple(
        replace(
            row,
            cells={
                name: replace(cell, letters=marks.get(name, {}).get(row.label, "")) if row.kind == "trainer" else cell
                for name, cell in row.cells.items()
            },
        )
        for row in table.rows
    )
    notes = table.notes
    if table.columns and len(table.trainers) > 1 and not any(table.findings.values()):
        shared = any(len(runs(table, column)) > 1 for column in table.columns)
        why = f"they could not have been told {with_seeds(table)}" if shared else "no column has values of two trainers"
        notes = (*notes, f"No differences are marked: {why}.")
    return replace(table, rows=rows, notes=notes)


def with_seeds(table: Table) -> str:
    """Why something could not have been told in a table, and what it takes."""
    return f"with these seeds; it takes {table.seeds_needed} of each trainer or more"


def _letters(table: Table, column: Column) -> Mapping[str, str]:
    labels = _tested(table, column)
    return letters(labels, partial(_differ, table, column)) if labels else {}


def _tested(table: Table, column: Column) -> list[str]:
    """The trainers that were tested in a column, the best first."""
    tested = frozenset().union(*table.findings.get(column.name, {}))
    return [row.label for row in best_first(table, column) if row.label in tested]


def _differ(table: Table, column: Column, one: str, other: str) -> bool:
    finding = table.findings.get(column.name, {}).get(frozenset((one, other)))
    return finding is not None and finding.differ
