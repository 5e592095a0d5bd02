"""The long table as parquet, with values and seeds as lists."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from genbench.report.formats.long import Summary, lines
from genbench.report.model import Table


def parquet(tables: Sequence[Table]) -> bytes:
    """One row a row and metric, as `pandas.read_parquet` reads it."""
    import pyarrow as pa
    from pyarrow.parquet import write_table

    text, whole, real = pa.string(), pa.int64(), pa.float64()
    types: dict[str, Any] = {
        **dict.fromkeys(Summary.__annotations__, text),
        **dict.fromkeys(("finished", "planned", "n", "lost"), whole),
        **dict.fromkeys(("median", "low", "high", "mean", "spread"), real),
        "higher_is_better": pa.bool_(),
        "values": pa.list_(real),
        "seeds": pa.list_(whole),
    }
    buffer = io.BytesIO()
    write_table(pa.Table.from_pylist(list(lines(tables)), pa.schema(types.items())), buffer)
    return buffer.getvalue()
