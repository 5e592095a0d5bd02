"""Tasks of small trials in a folder of their own, and trainers that fail."""

from pathlib import Path

import made_up
import pytest

from genbench.executors.plan import make_plan
from genbench.executors.task import Context, Keep
from genbench.plugins import load_plugin
from genbench.spec import Budget
from genbench.store import Store

MISFITS = Path(__file__).parent.parent / "misfits.py"
PRINTED = Path(__file__).parent.parent / "printed.py"


@pytest.fixture
def misfits():
    """The path of a plugin that is loaded for one test."""
    with made_up.forgetful_registries():
        load_plugin(str(MISFITS))
        yield str(MISFITS)


@pytest.fixture
def printed(tmp_path, monkeypatch):
    """Datasets of printed digits, for one test, and a folder of its own for what is seen in them."""
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    with made_up.forgetful_registries():
        load_plugin(str(PRINTED))
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

    def of(*trainers, root=tmp_path, keep=None, **changes):
        plan = make_plan(suite(*trainers, **changes), Store(root), ["all"])
        plan.controls.clear()
        context = Context(str(root), plan.suite.name, plan.suite.protocols, "cpu", "genbench run")
        return plan.tasks(context, keep or Keep())

    return of
