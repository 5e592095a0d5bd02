"""Parquet: the long table, with the types that a program expects."""

import io

import pandas as pd
import pyarrow.parquet
from made_up_tables import EVERYTHING, FAILED, FULL, table

from genbench.report.formats import parquet


def read(*tables):
    return pyarrow.parquet.read_table(io.BytesIO(parquet(tables)))


def test_types_do_not_depend_on_what_a_table_holds():
    assert read(FULL).schema == read(table(FAILED)).schema == read().schema
    types = {field.name: str(field.type) for field in read().schema}
    assert {types[name] for name in ("median", "low", "high", "mean", "spread")} == {"double"}
    assert {types[name] for name in ("finished", "planned", "n", "lost")} == {"int64"}
    assert types["values"].startswith("list<") and "double" in types["values"]
    assert types["seeds"].startswith("list<") and "int64" in types["seeds"]


def test_pandas_reads_it():
    frame = pd.read_parquet(io.BytesIO(parquet([EVERYTHING])))
    (row,) = frame[(frame["row"] == "wgan") & (frame["metric"] == "modes")].to_dict("records")
    assert (row["median"], row["mean"], row["lost"]) == (8, 7.4, 0)
    assert (list(row["values"]), list(row["seeds"])) == ([8, 7, 8, 8, 6], [0, 1, 2, 3, 4])
    assert frame[frame["kind"] == "published"]["source"].notna().all()


def test_row_that_always_failed_is_a_line_without_a_metric():
    (line,) = read(table(FAILED)).to_pylist()
    assert (line["row"], line["finished"], line["planned"], line["metric"], line["median"]) == (
        "wgan",
        0,
        2,
        None,
        None,
    )


def test_equal_tables_give_equal_bytes():
    assert parquet([EVERYTHING]) == parquet([EVERYTHING])
