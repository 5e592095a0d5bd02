"""What whole commands take: starting up, and reports of many records.

`reference_ratio` is the time of an empty Python over the command's, each in a process of its own, in turn.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from itertools import count, islice
from pathlib import Path

import pytest

from genbench.records.layout import CONTROLS, CURVE, PLAN, RECORD, SAMPLES, SCORES
from genbench.records.store import Store

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
SUITE = "toy2d"
COMMANDS = ("--help", "--version", "list", "show wgan-gp", "doctor", "run --help", "report --help")
RECORDS = (100, 1_000, 10_000)
ROUNDS = 7
EMPTY = [sys.executable, "-c", ""]


def genbench(*arguments):
    return [sys.executable, "-c", "from genbench.cli.main import main; main()", *map(str, arguments)]


def seconds_of(command, folder):
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=os.environ | {"COLUMNS": "80"}, check=True, capture_output=True)
    return time.perf_counter() - started


@pytest.mark.parametrize("command", COMMANDS)
def test_start_up(benchmark, command, tmp_path):
    compare(benchmark, genbench(*command.split()), tmp_path, ROUNDS)
    benchmark.group = "start-up"
    benchmark.extra_info["command"] = command


@pytest.mark.parametrize("records", RECORDS)
def test_status(benchmark, records, results):
    compare(benchmark, genbench("status", results(records)), results(records), 3)
    benchmark.group = f"status of {records} records"
    benchmark.extra_info.update(command="status", records=records)


@pytest.mark.parametrize("options", [[], ["--no-figures"], ["--out", "page"]], ids=["pictures", "tables", "page"])
@pytest.mark.parametrize("records", RECORDS)
def test_report(benchmark, records, options, results):
    compare(benchmark, genbench("report", results(records), *options), results(records), 1 if records > 1_000 else 3)
    benchmark.group = f"report of {records} records"
    benchmark.extra_info.update(command=" ".join(("report", *options)), records=records)


def compare(benchmark, command, folder, rounds):
    """Times a command in rounds that alternate with an empty Python."""
    empty: list[float] = []
    benchmark.pedantic(
        seconds_of, args=(command, folder), setup=lambda: empty.append(seconds_of(EMPTY, folder)), rounds=rounds
    )
    seconds, reference = benchmark.stats.stats.median, statistics.median(empty)
    benchmark.extra_info.update(seconds=seconds, reference_seconds=reference, reference_ratio=reference / seconds)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """`results(1000)`: a folder of so many records of toy2d's size, copies of a reference trial under other seeds."""
    made = {}

    def of(records):
        if records not in made:
            made[records] = tmp_path_factory.mktemp(f"records-{records}")
            fill(made[records], records)
        return made[records]

    return of


def fill(root, records):
    """Large files are links, so ten thousand records fit anywhere."""
    source, target = Store(REFERENCE), Store(root)
    firsts = [found for found in source.trials(SUITE) if found.record.trial.seed == 0]
    for seed, found in islice(((seed, found) for seed in count() for found in firsts), records):
        trial = found.record.trial.model_copy(update={"seed": seed})
        folder = target.folder(SUITE, trial)
        folder.mkdir(parents=True)
        for name, model in ((RECORD, found.record), (SCORES, found.scores)):
            changed = model.model_dump(mode="json") | {"id": trial.id}
            changed |= {"trial": trial.model_dump(mode="json")} if name == RECORD else {}
            (folder / name).write_text(json.dumps(changed, indent=1), encoding="utf-8")
        for name in (CURVE, SAMPLES):
            os.link(found.folder / name, folder / name)
    for path in (REFERENCE / SUITE).glob(f"*/{CONTROLS}"):
        shutil.copy(path, root / path.relative_to(REFERENCE))
    shutil.copy(REFERENCE / SUITE / PLAN, root / SUITE / PLAN)
