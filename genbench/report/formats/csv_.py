"""The long table as comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from genbench.report.formats.long import Summary, lines
from genbench.report.model import Table

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that programs of tables compute rather than show. (OWASP, CSV Injection)"""


def _plain(value: Any) -> Any:
    """A cell that is shown as it is: a text that would be computed begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def comma_separated(tables: Sequence[Table]) -> str:
    """One line a row and metric, with every seed's value; values and seeds are separated by spaces."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(Summary.__annotations__), lineterminator="\n")
    writer.writeheader()
    for line in lines(tables):
        lists = {"values": " ".join(map(repr, line["values"])), "seeds": " ".join(map(str, line["seeds"]))}
        writer.writerow({**{key: _plain(value) for key, value in line.items()}, **lists})
    return buffer.getvalue()
