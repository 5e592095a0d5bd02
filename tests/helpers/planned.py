"""Plans of a few steps, and the tasks that carry them out."""

from __future__ import annotations

import made_up

from genbench.executors.task import Context, Keep
from genbench.records.store import Store
from genbench.spec import Budget
from genbench.trials.plan import make_plan


def short_suite(*trainers, steps=12, **changes):
    """A suite of few steps, scored on few samples."""
    plain = {"trainers": trainers, "budgets": (Budget.parse(f"steps={steps}"),), "protocols": ("smoke",)}
    return made_up.suite(**{**plain, "checkpoints": 2, "control_draws": 2, **changes})


def trial_tasks(*trainers, root, keep=None, stack=1, engine="auto", **changes):
    """The tasks that run such a suite below `root`, without its datasets' controls."""
    plan = make_plan(short_suite(*trainers, **changes), Store(root), ["all"])
    plan.controls.clear()
    context = Context(str(root), plan.suite.name, plan.suite.protocols, "cpu", "genbench run", engine)
    return plan.tasks(context, keep or Keep(), stack)
