"""Tables in the terminal, by rich."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from genbench.report.formats.beside import Block, blocks
from genbench.report.formats.text import LEGEND, headings, notes, seeds, texts, title
from genbench.report.model import Column, Row, Table
from genbench.report.sentence import sentence

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable


def terminal(tables: Sequence[Table]) -> None:
    """Prints the tables with rich; one that is wider than the terminal goes on below itself, column by column."""
    from rich.console import Console

    console = Console(highlight=False, emoji=False)
    for table in tables:
        console.print(title(table), markup=False, style="bold")
        console.print(sentence(table), markup=False)
        for columns in _blocks(table, console.width):
            console.print(_rich_table(replace(table, columns=columns)))
        for note in notes(table):
            console.print(note, markup=False, style="yellow")
        for block in blocks(table):
            _print_block(console, block)
    console.print(LEGEND, markup=False, style="dim")


def _print_block(console: Console, block: Block) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table as RichTable

    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("", *block.headings[1:]):
        shown.add_column(escape(heading), overflow="fold")
    for row in block.rows:
        shown.add_row(*map(escape, row))
    console.print(block.caption, markup=False, style="bold")
    console.print(shown)
    for note in block.notes:
        console.print(note, markup=False, style="dim")


def _rich_table(table: Table) -> RichTable:
    from rich import box
    from rich.markup import escape
    from rich.table import Table as RichTable

    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    shown.add_column("", overflow="fold")
    for heading in headings(table):
        shown.add_column(escape(heading), justify="right")
    for before, row in zip((None, *table.rows), table.rows, strict=False):
        if before is not None and before.kind != row.kind:
            shown.add_section()
        cells = [escape("\n".join(text.parts)) for text in texts(table, row)]
        shown.add_row(
            escape("\n".join(_label(row))), *cells, style=None if row.kind in ("trainer", "external") else "dim"
        )
    return shown


def _blocks(table: Table, width: int) -> Iterator[tuple[Column, ...]]:
    """The columns in groups that fit beside the rows' labels, as wide as they are; one at least in each."""
    shown = [
        [(heading,) for heading in headings(table)],
        *([of.parts for of in texts(table, row)] for row in table.rows),
    ]
    widths = [max(len(line) for parts in column for line in parts) + 2 for column in zip(*shown, strict=True)]
    labels = max((len(line) for row in table.rows for line in _label(row)), default=0) + 2
    block: list[Column] = []
    left = width - labels
    for column, needed in zip(table.columns, widths, strict=True):
        if block and needed > left:
            yield tuple(block)
            block, left = [], width - labels
        block.append(column)
        left -= needed
    yield tuple(block)


def _label(row: Row) -> list[str]:
    """The lines of a row's label."""
    return [line for line in (row.label, seeds(row), row.source) if line]
