"""What every test needs."""

import os
import tempfile
from functools import partial
from pathlib import Path

import made_up
import pytest
from planned import short_suite, trial_tasks

from genbench.executors.process import run_conditions
from genbench.plugins import load_plugin

HELPERS = Path(__file__).parent / "helpers"

# Set before any test is collected: some build what they are parametrised over, and none may leave files with the user.
CACHE = tempfile.TemporaryDirectory(prefix="genbench-cache-")
os.environ["GENBENCH_CACHE"] = CACHE.name


@pytest.fixture(autouse=True, scope="session")
def as_in_a_run():
    """Results and timings are those of a run: torch on one thread, freed memory kept."""
    with run_conditions():
        yield


@pytest.fixture
def misfits():
    """The path of a plugin that is loaded for one test."""
    with made_up.forgetful_registries():
        load_plugin(str(HELPERS / "misfits.py"))
        yield str(HELPERS / "misfits.py")


@pytest.fixture
def printed(tmp_path, monkeypatch):
    """Datasets of printed digits, for one test, and a folder of its own for what is seen in them."""
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    with made_up.forgetful_registries():
        load_plugin(str(HELPERS / "printed.py"))
        yield


@pytest.fixture
def suite():
    """`suite("gan", seeds=(0, 1))`: a plan of a few steps, scored on few samples."""
    return short_suite


@pytest.fixture
def trials(tmp_path):
    """`trials("gan", root=…)`: the tasks that run them, without their dataset's controls."""
    return partial(trial_tasks, root=tmp_path)
