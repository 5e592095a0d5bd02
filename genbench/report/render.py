"""Tables as text: for the terminal, Markdown, CSV and JSON. The numbers are the same in all of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from genbench.report.model import Cell, Column, Row, Table
from genbench.report.verdict import sentence

if TYPE_CHECKING:
    from rich.table import Table as RichTable

ROUNDING = 1e-9
ARROWS = {True: "↑", False: "↓", None: ""}
LEGEND = (
    "Mean over seeds ± half of its 95 % interval (Student's t). ↑ more is better, ↓ less is better; a column without "
    "an arrow is best at the oracle's value. Null band: 95 % of the truth's own scores at the same n. Letters: two "
    "trainers that share none in a column differ significantly (permutation test, Holm's correction, 5 %)."
)


def terminal(tables: Sequence[Table]) -> None:
    """Prints the tables with rich; one that is wider than the terminal goes on below itself, column by column."""
    from rich.console import Console

    console = Console(highlight=False, emoji=False)
    for table in tables:
        console.print(title(table), markup=False, style="bold")
        console.print(sentence(table), markup=False)
        for columns in _blocks(table, console.width):
            console.print(_rich_table(replace(table, columns=columns)))
        for note in _notes(table):
            console.print(note, markup=False, style="yellow")
    console.print(LEGEND, style="dim")


def _rich_table(table: Table) -> RichTable:
    from rich import box
    from rich.markup import escape
    from rich.table import Table as RichTable

    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    shown.add_column("", overflow="fold")
    for heading in _headings(table):
        shown.add_column(escape(heading), justify="right")
    for before, row in zip((None, *table.rows), table.rows, strict=False):
        if before is not None and before.kind != row.kind:
            shown.add_section()
        cells = ["\n".join(_lines(text)) for text in _texts(table, row)]
        shown.add_row(escape(_label(row)), *cells, style=None if row.kind == "trainer" else "dim")
    return shown


def _blocks(table: Table, width: int) -> Iterator[tuple[Column, ...]]:
    """The columns in groups that fit beside the rows' labels, as wide as they are; one at least in each."""
    texts = [_headings(table), *(_texts(table, row) for row in table.rows)]
    widths = [max(len(line) for text in column for line in _lines(text)) + 2 for column in zip(*texts, strict=True)]
    labels = max((len(line) for row in table.rows for line in _label(row).splitlines()), default=0) + 2
    block: list[Column] = []
    left = width - labels
    for column, needed in zip(table.columns, widths, strict=True):
        if block and needed > left:
            yield tuple(block)
            block, left = [], width - labels
        block.append(column)
        left -= needed
    yield tuple(block)


def _label(row: Row) -> str:
    return f"{row.label}\n{_seeds(row)}".strip()


def _lines(text: str) -> list[str]:
    """A cell in two lines: the value over its interval."""
    return text.split(" ", 1)


def markdown(tables: Sequence[Table]) -> str:
    """The tables as GitHub's Markdown."""
    parts = []
    for table in tables:
        lines = [
            f"**{title(table)}**",
            "",
            _escaped(sentence(table)),
            "",
            "| | | " + " | ".join(_headings(table)) + " |",
            "|---|---|" + "---:|" * len(table.columns),
            *(
                f"| {_escaped(row.label)} | {_seeds(row)} | " + " | ".join(_texts(table, row)) + " |"
                for row in table.rows
            ),
        ]
        notes = [f"- {_escaped(note)}" for note in _notes(table)]
        parts.append("\n".join([*lines, *(["", *notes] if notes else [])]))
    return "\n\n".join([*parts, LEGEND]) + "\n"


def comma_separated(tables: Sequence[Table]) -> str:
    """One line a row and metric, with every seed's value."""
    fields = [
        "suite", "dataset", "budget", "protocol", "kind", "row", "finished", "planned", "metric", "unit", "n",
        "mean", "low", "high", "letters", "values",
    ]  # fmt: skip
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fields, lineterminator="\n")
    writer.writeheader()
    for table, row, column, cell in _cells(tables):
        low, high = _ends(cell)
        writer.writerow(
            {
                "suite": table.suite,
                "dataset": table.dataset,
                "budget": table.budget,
                "protocol": table.protocol.name,
                "kind": row.kind,
                "row": row.label,
                "finished": row.finished,
                "planned": row.planned,
                "metric": column.name if column else None,
                "unit": column.unit if column else None,
                "n": column.identity.n if column else None,
                "mean": cell.interval.value if cell.interval else None,
                "low": low,
                "high": high,
                "letters": cell.letters,
                "values": " ".join(map(repr, cell.values)),
            }
        )
    return buffer.getvalue()


def as_json(tables: Sequence[Table]) -> str:
    """The tables as JSON: columns with their identities, rows with means, intervals and every seed's value."""
    payload = [
        {
            "suite": table.suite,
            "dataset": table.dataset,
            "budget": table.budget,
            "protocol": table.protocol.name,
            "columns": [
                {
                    "name": column.name,
                    "unit": column.unit,
                    "higher_is_better": column.higher_is_better,
                    "identity": column.identity.model_dump(mode="json"),
                }
                for column in table.columns
            ],
            "verdict": sentence(table),
            "rows": [_row_payload(table, row) for row in table.rows],
            "notes": list(table.notes),
        }
        for table in tables
    ]
    return json.dumps(payload, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def title(table: Table) -> str:
    """A table's heading."""
    return f"{table.dataset}, {table.budget}, protocol {table.protocol.name} (suite {table.suite})"


def number(value: float) -> str:
    """Three significant digits, or all before the point where there are more, without an exponent below a million."""
    return f"{value:.0f}" if abs(value) < 1e6 and (value == int(value) or abs(value) >= 1000) else f"{value:.3g}"


def _row_payload(table: Table, row: Row) -> dict[str, Any]:
    cells = {}
    for column in table.columns:
        cell = row.cells.get(column.name)
        if cell is not None:
            low, high = _ends(cell)
            mean = cell.interval.value if cell.interval else None
            numbers = {"mean": mean, "low": low, "high": high, "letters": cell.letters}
            cells[column.name] = {**numbers, "seeds": list(cell.seeds), "values": list(cell.values)}
    return {
        "kind": row.kind,
        "label": row.label,
        "finished": row.finished,
        "planned": row.planned,
        "failures": list(row.failures),
        "cells": cells,
    }


def _cells(tables: Sequence[Table]) -> Iterator[tuple[Table, Row, Column | None, Cell]]:
    """Every cell with its column; for a row without any, an empty one that has no column."""
    for table in tables:
        for row in table.rows:
            held = [column for column in table.columns if column.name in row.cells]
            yield from ((table, row, column, row.cells[column.name]) for column in held)
            if not held:
                yield table, row, None, Cell()


def _ends(cell: Cell) -> tuple[float | None, float | None]:
    if cell.band is not None:
        return cell.band
    return (cell.interval.low, cell.interval.high) if cell.interval else (None, None)


def _headings(table: Table) -> list[str]:
    return [f"{column.name}{ARROWS[column.higher_is_better]}" for column in table.columns]


def _texts(table: Table, row: Row) -> list[str]:
    return [_text(row, row.cells.get(column.name)) for column in table.columns]


def _text(row: Row, cell: Cell | None) -> str:
    if cell is None or not (cell.values or cell.band):
        return "–"
    if cell.band is not None:
        low, high = cell.band
        return number(low) if low == high else f"{number(low)} –{number(high)}"
    assert cell.interval is not None
    half = cell.interval.half_width
    if half is not None and half < ROUNDING * abs(cell.interval.value):
        half = 0.0  # the same samples in another order
    text = number(cell.interval.value) if half is None else f"{number(cell.interval.value)} ±{half:.2g}"
    text = f"{text} {cell.letters}" if cell.letters else text
    return text if len(cell.values) == row.finished else f"{text} ({len(cell.values)}/{row.finished})"


def _seeds(row: Row) -> str:
    if row.kind == "null band":
        return ""
    counted = str(row.finished) if row.finished == row.planned else f"{row.finished}/{row.planned}"
    return f"{counted} {'draws' if row.kind == 'control' else 'seeds'}"


def _notes(table: Table) -> list[str]:
    return [*(failure for row in table.rows for failure in row.failures), *table.notes]


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
