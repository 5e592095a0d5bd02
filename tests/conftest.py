"""What every test needs."""

import os
import tempfile
from pathlib import Path

import made_up
import pytest

from genbench.executors.process import run_conditions
from genbench.executors.task import Context, Keep
from genbench.plugins import load_plugin
from genbench.records.store import Store
from genbench.spec import Budget
from genbench.trials.plan import make_plan

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

    def of(*trainers, steps=12, **changes):
        plain = {"trainers": trainers, "budgets": (Budget.parse(f"steps={steps}"),), "protocols": ("smoke",)}
        return made_up.suite(**{**plain, "checkpoints": 2, "control_draws": 2, **changes})

    return of


@pytest.fixture
def trials(tmp_path, suite):
    """`trials("gan", root=…)`: the tasks that run them, without their dataset's controls."""

    def of(*trainers, root=tmp_path, keep=None, stack=1, engine="auto", **changes):
        plan = make_plan(suite(*trainers, **changes), Store(root), ["all"])
        plan.controls.clear()
        context = Context(str(root), plan.suite.name, plan.suite.protocols, "cpu", "genbench run", engine)
        return plan.tasks(context, keep or Keep(), stack)

    return of
