"""The long table as comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from genbench.report.formats.long import Summary, lines
from genbench.report.model import Table


def comma_separated(tables: Sequence[Table]) -> str:
    """One line a row and metric, with every seed's value; values and seeds are separated by spaces."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(Summary.__annotations__), lineterminator="\n")
    writer.writeheader()
    for line in lines(tables):
        lists = {"values": " ".join(map(repr, line["values"])), "seeds": " ".join(map(str, line["seeds"]))}
        writer.writerow({**line, **lists})
    return buffer.getvalue()
