"""Benchmark runs as a table: one line an entry, with the machine named. Every ratio is of one run.

`tox -e bench -- --benchmark-json=bench.json` measures, `python tests/benchmarks/table.py bench.json` prints the CSV.
"""

import json
import sys
from pathlib import Path

import pandas as pd

COLUMNS = [
    "trainer", "phase", "width", "batch", "replicas", "engine", "device", "flops", "seconds", "reference_seconds",
    "reference_ratio", "gemm_fraction", "machine",
]  # fmt: skip


def table(run):
    """The entries' `extra_info`, in the order in which they were measured."""
    machine = f"{run['machine_info']['cpu']['brand_raw']}, {run['machine_info']['cpu']['count']} cores"
    rows = [entry["extra_info"] | {"machine": machine} for entry in run["benchmarks"]]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


if __name__ == "__main__":
    tables = [table(json.loads(Path(name).read_bytes())) for name in sys.argv[1:]]
    sys.stdout.write(pd.concat(tables).to_csv(index=False, float_format="%.4g"))
