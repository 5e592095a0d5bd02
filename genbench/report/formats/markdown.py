"""Tables in GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genbench.report.formats.beside import Block, blocks
from genbench.report.formats.text import LEGEND, headings, notes, standing, texts, title
from genbench.report.model import Table
from genbench.report.sentence import sentence

MARKUP = re.compile(r"[|`\\*]|<(?=[A-Za-z/!?])|&(?=#?\w+;)|(?<=\])\(|(?<!\w)_|_(?!\w)")
"""What begins or ends something in Markdown where it stands: a lesser sign before a number doesn't."""


def markdown(tables: Sequence[Table]) -> str:
    """The tables as GitHub's Markdown."""
    parts = []
    for table in tables:
        lines = [
            f"**{_escaped(title(table))}**",
            "",
            _escaped(sentence(table)),
            "",
            "| | | " + " | ".join(map(_escaped, headings(table))) + " |",
            "|---|---|" + "---:|" * len(table.columns),
            *(
                f"| {_escaped(row.label)} | {standing(row)} | " + " | ".join(map(str, texts(table, row))) + " |"
                for row in table.rows
            ),
        ]
        below = [f"- {_escaped(note)}" for note in notes(table)]
        parts.append("\n".join([*lines, *(["", *below] if below else [])]))
        parts += map(_block, blocks(table))
    return "\n\n".join([*parts, LEGEND]) + "\n"


def _block(of: Block) -> str:
    lines = [
        f"**{_escaped(of.caption)}**",
        "",
        f"| {' | '.join(('', *map(_escaped, of.headings[1:])))} |",
        "|" + "---|" * len(of.headings),
        *(f"| {' | '.join(map(_escaped, row))} |" for row in of.rows),
        "",
        *(f"- {_escaped(note)}" for note in of.notes),
    ]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Any text on one line, of which nothing is taken for HTML, a link, an image or code."""
    return MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
