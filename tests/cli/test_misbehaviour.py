"""Trainers that do what no trainer should: each leaves one record, and every other trial is as it would have been."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from genbench.records.store import Store

MISFITS = Path(__file__).parent.parent / "helpers" / "misfits.py"
PATIENCE = 300.0

SILENCE = 30
"""Seconds after which a trainer is taken to hang; what a busy machine needs to import torch is no hanging."""
FEW = ("--dataset", "ring8", "--seeds", "0", "--checkpoints", "2", "--device", "cpu", "--budget", "steps=6")


ENDS = {
    "exits": ("crashed", "SystemExit: 0 (misfits.py:"),
    "gives-up": ("crashed", "KeyboardInterrupt (misfits.py:"),
    "refuses-to-go-on": ("crashed", "BadParameter: trainer refuses-to-go-on: no such luck."),
    "asks-for-too-much": ("out-of-memory", "lower batch or width"),
    "dies": ("crashed", "its process ended by itself with exit code 3"),
    "segfaults": ("crashed", "its process died: killed by SIGSEGV"),
    "is-killed": ("crashed", "its process died: killed by SIGKILL, as when memory runs out; try fewer --jobs"),
    "hangs": ("timed-out", f"nothing was heard of it for {SILENCE} s"),
    "leaves-a-thread": ("done", ""),
    "leaves-a-child": ("done", ""),
    "talks": ("done", ""),
    "changes-everything": ("crashed", "expected dtype float"),
    "changes-the-machine": ("done", ""),
}
"""How trainers that no one should write end, and what is said of it."""

OTHERS = ("behaves", "gan[batch=16,width=8]")


class Ran(NamedTuple):
    """What a command left behind: its results, and what it said."""

    root: Path
    said: subprocess.CompletedProcess[str]

    @property
    def records(self):
        return {found.record.trial.trainer.label: found.record for found in Store(self.root).trials("custom")}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """`run("behaves", …)`: the command in a process of its own."""

    def started(*trainers, jobs=1, options=()):
        root = tmp_path_factory.mktemp("run")
        named = [part for name in trainers for part in ("--trainer", name)]
        command = ["run", *named, *FEW, "--jobs", str(jobs), "--out", "results", "--plugin", str(MISFITS), *options]
        code = "from genbench.cli.main import main; main()"
        said = subprocess.run(
            [sys.executable, "-c", code, *command],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(MISFITS.parent)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert [path.name for path in root.iterdir()] == ["results"]
        return Ran(root / "results", said)

    return started


@pytest.fixture(scope="module")
def alone(run):
    """Trainers that behave, by themselves."""
    return run(*OTHERS)


@pytest.fixture(scope="module", params=[pytest.param(1, marks=pytest.mark.slow), 2], ids=["one job", "two jobs"])
def beside(request, run):
    """The same after, and beside, all that don't."""
    return run(*ENDS, *OTHERS, jobs=request.param, options=("--timeout", str(SILENCE)))


def test_each_has_a_record_that_says_what_it_did(beside):
    told = {name: (record.status, record.reason or "") for name, record in beside.records.items() if name in ENDS}
    assert {name: status for name, (status, _) in told.items()} == {name: status for name, (status, _) in ENDS.items()}
    assert [name for name, (_, reason) in ENDS.items() if reason not in told[name][1]] == []
    assert beside.said.returncode == 1


def test_all_others_are_as_they_would_have_been(alone, beside):
    """The processes that were meddled with train and store them afterwards."""
    assert alone.said.returncode == 0, alone.said.stderr
    for name in OTHERS:
        kept, changed = alone.records[name], beside.records[name]
        assert (changed.status, changed.weights_sha256) == ("done", kept.weights_sha256)
        assert changed.provenance["flags"] == kept.provenance["flags"]
        assert {name: changed.files[name] for name in ("samples.safetensors",)} == {
            name: kept.files[name] for name in ("samples.safetensors",)
        }


def test_what_a_trainer_changed_for_itself_is_in_its_record(beside):
    assert beside.records["changes-everything"].provenance["flags"]["dtype"] == "float64"


def test_what_trainers_print_is_no_part_of_what_the_command_says(beside):
    for word in ("Heed me!", "And me!"):
        assert word not in beside.said.stdout
        assert word in beside.said.stderr


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ends-when-built", "its process ended by itself with exit code 0"),
        pytest.param("hangs-when-built", f"nothing was heard of it for {SILENCE} s", marks=pytest.mark.slow),
    ],
)
def test_one_that_cannot_be_built_is_named_before_anything_is_trained(name, reason, run):
    ran = run("behaves", name, options=("--timeout", str(SILENCE)))
    assert (ran.said.returncode, list(ran.records)) == (2, [])
    assert f"{name} on ring8 can't be tried: {reason}" in ran.said.stderr


def test_a_seed_that_dies_costs_none_of_those_that_train_with_it(run):
    ran = run("dies-at-seed-0", options=("--seeds", "0-2", "--stack", "3"))
    ended = {found.record.trial.seed: found.record.status for found in Store(ran.root).trials("custom")}
    assert ended == {0: "crashed", 1: "done", 2: "done"}
