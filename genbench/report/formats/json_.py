"""Tables as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from genbench.report.formats.long import ends, middle
from genbench.report.formats.text import budget
from genbench.report.model import Row, Table
from genbench.report.sentence import sentence


def as_json(tables: Sequence[Table]) -> str:
    """The tables as JSON: columns with their identities, rows with medians, intervals and every seed's value."""
    payload = [
        {
            "suite": table.suite,
            "dataset": table.dataset,
            "budget": budget(table),
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


def _row_payload(table: Table, row: Row) -> dict[str, Any]:
    cells = {}
    for column in table.columns:
        cell = row.cells.get(column.name)
        if cell is not None:
            low, high = ends(cell)
            cells[column.name] = {
                "median": middle(cell),
                "low": low,
                "high": high,
                "letters": cell.letters,
                "lost": cell.lost,
                "mean": cell.mean,
                "seeds": list(cell.seeds),
                "values": list(cell.values),
                **({"spread": of.spread, "spread_kind": of.spread_kind} if (of := cell.published) else {}),
            }
    return {
        "kind": row.kind,
        "label": row.label,
        "finished": row.finished,
        "planned": row.planned,
        "failures": list(map(str, row.failures)),
        **({"source": row.source} if row.source else {}),
        "cells": cells,
    }
