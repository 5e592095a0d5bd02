"""What a trial costs outside its updates: drawing, checkpoints, scoring, records.

A stack of toy2d's trials is run whole, compilation aside; `outside` is the share of its time that no update took, and
the other shares say where that went. Updates are timed where the training loop calls them.
"""

import time
from pathlib import Path

import pytest

from genbench.engine.stacked import Stacked
from genbench.executors.task import Context, Keep
from genbench.records.store import Store
from genbench.registry import suites
from genbench.spec import Budget
from genbench.trials.plan import make_plan

STACK = 5


@pytest.mark.parametrize("trainer", ["gan", "wgan", "wgan-gp"])
def test_share_outside_the_update(benchmark, trainer, tmp_path, monkeypatch):
    clock = {"updates": 0.0, "compilation": 0.0}

    def timed(what, method):
        def call(*args):
            started = time.perf_counter()
            try:
                return method(*args)
            finally:
                clock[what] += time.perf_counter() - started

        return call

    task = prepared(trainer, tmp_path)
    monkeypatch.setattr(Stacked, "warm_up", timed("compilation", Stacked.warm_up))
    monkeypatch.setattr(Stacked, "_run", timed("updates", Stacked._run))
    (outcome,) = benchmark.pedantic(lambda: [task.run(lambda word: None, lambda: False)], rounds=1)
    whole = benchmark.stats.stats.median - clock["compilation"]
    costs = [record.cost for record in outcome.records]
    assert len(costs) == STACK
    benchmark.group = f"{STACK} trials of toy2d"
    benchmark.extra_info.update(
        trainer=trainer,
        replicas=STACK,
        seconds=whole,
        compilation_seconds=clock["compilation"],
        outside=1 - clock["updates"] / whole,
        scoring=sum(cost.eval_seconds for cost in costs) / whole,
        drawing=(sum(cost.train_seconds for cost in costs) - clock["updates"]) / whole,
    )


def prepared(trainer, root):
    """A stack's task, after a short one that has built the metrics."""
    suite = suites["toy2d"].build().model_copy(update={"trainers": (trainer,), "datasets": ("grid25",)})

    def task(suite, folder):
        plan = make_plan(suite, Store(folder))
        plan.controls.clear()
        context = Context(str(folder), suite.name, suite.protocols, "cpu", "genbench run", "compiled")
        return plan.tasks(context, Keep(), STACK)[0]

    short = suite.model_copy(update={"budgets": (Budget(kind="steps", amount=20),), "checkpoints": 2})
    task(short, Path(root, "short")).run(lambda word: None, lambda: False)
    return task(suite, Path(root, "whole"))
