"""The command line in this process, in a folder of its own, and results that took one run for all tests."""

import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import made_up
import numpy as np
import pytest
from typer.testing import CliRunner

from genbench import seeding
from genbench.cli.main import app, main
from genbench.registry import datasets

HELPERS = Path(__file__).parent.parent / "helpers"
SMOKE = ("--suite", "toy2d-smoke", "--dataset", "ring8", "--checkpoints", "2", "--device", "cpu", "--jobs", "1")
FEW = ("--seeds", "0-1", "--budget", "steps=5")


class Ran(NamedTuple):
    """What a command left behind in the terminal."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    with made_up.forgetful_registries():
        yield


@pytest.fixture
def genbench(monkeypatch, capsys):
    """`genbench("list", "--json")` runs the command and returns its exit code and what it printed."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["genbench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ran(ended.value.code or 0, *capsys.readouterr())

    return command


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Results of gan and wgan-gp on ring8 with two seeds each, and what the run printed; not to be changed."""
    root = tmp_path_factory.mktemp("once") / "results"
    ran = CliRunner().invoke(app, ["run", *SMOKE, *FEW, "--trainer", "gan,wgan-gp", "--out", str(root)])
    assert ran.exit_code == 0, ran.output
    return root, ran.output


@pytest.fixture
def results(once, tmp_path):
    """A copy of those results."""
    return Path(shutil.copytree(once[0], tmp_path / "results"))


@pytest.fixture
def smoke(genbench, once, tmp_path):
    """`smoke("--trainer", "gan")`: a small run into `out`, where ring8's controls are measured already."""
    out = tmp_path / "out"
    cell = out / "toy2d-smoke" / "ring8"
    cell.mkdir(parents=True)
    shutil.copy(once[0] / "toy2d-smoke" / "ring8" / "controls.json", cell)
    return lambda *options: genbench("run", *SMOKE, "--seeds", "0", "--budget", "steps=12", "--out", out, *options)


@pytest.fixture
def misfits():
    return str(HELPERS / "misfits.py")


@pytest.fixture
def points():
    """1 000 samples of ring8, a little too wide."""
    drawn = datasets.build("ring8").sample(1_000, seeding.stream(3, "test"))
    return (drawn * 1.01).numpy()


@pytest.fixture
def mine(points):
    np.save("mine.npy", points)
    return "mine.npy"


@pytest.fixture
def score(genbench):
    """`score("mine.npy", …)`: the JSON that the command prints."""

    def as_json(*arguments):
        ran = genbench("score", *arguments, "--json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    return as_json
