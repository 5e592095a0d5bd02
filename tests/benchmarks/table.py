"""Benchmark runs as tables: a CSV a module, a line an entry, with the machine named. Every ratio is of one run.

`tox -e bench -- --benchmark-json=bench.json` measures, `python tests/benchmarks/table.py bench.json FOLDER` writes.
"""

import json
import sys
from pathlib import Path

import pandas as pd


def tables(runs):
    """The entries' `extra_info` by module, in the order in which they were measured."""
    rows = {}
    for run in runs:
        cpu = run["machine_info"]["cpu"]
        for entry in run["benchmarks"]:
            module = Path(entry["fullname"].partition("::")[0]).stem.removeprefix("test_")
            machine = f"{cpu['brand_raw']}, {cpu['count']} cores"
            rows.setdefault(module, []).append(entry["extra_info"] | {"machine": machine})
    return {module: pd.DataFrame(found) for module, found in rows.items()}


if __name__ == "__main__":
    *names, folder = sys.argv[1:]
    for module, table in tables(json.loads(Path(name).read_bytes()) for name in names).items():
        columns = [*(name for name in table if name != "machine"), "machine"]
        text = table[columns].to_csv(index=False, float_format="%.4g", lineterminator="\n")
        Path(folder, f"{module}.csv").write_text(text, encoding="utf-8")
