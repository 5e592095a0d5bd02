"""What a trial costs outside its updates: drawing, checkpoints, scoring, records.

A trainer's stacks of toy2d, one a dataset, are run one after the other by one process, compilation aside; `outside` is
the share of the time that no update took, and the other shares say where that went. Updates are timed where the
training loop calls them, and checkpoints where a replica keeps one. On more cores than one, what a stack leaves for the
processor goes on beside the next one's training, and only the last has nothing to go beside: `outside` holds what
training waited for.
"""

import time
from pathlib import Path

import pytest

from genbench.engine.stacked import Stacked
from genbench.executors.local import LocalExecutor
from genbench.executors.task import Context, Keep
from genbench.records.store import Store
from genbench.registry import suites
from genbench.spec import Budget
from genbench.trials.plan import make_plan
from genbench.trials.replica import Replica

STACK = 5
DATASETS = ("ring8", "grid25", "swissroll")


@pytest.mark.parametrize("trainer", ["gan", "wgan", "wgan-gp"])
def test_share_outside_the_update(benchmark, trainer, tmp_path, monkeypatch):
    clock = {"updates": 0.0, "compilation": 0.0, "checkpoints": 0.0}

    def timed(what, method):
        def call(*args):
            started = time.perf_counter()
            try:
                return method(*args)
            finally:
                clock[what] += time.perf_counter() - started

        return call

    tasks = prepared(trainer, tmp_path)
    monkeypatch.setattr(Stacked, "warm_up", timed("compilation", Stacked.warm_up))
    monkeypatch.setattr(Stacked, "_run", timed("updates", Stacked._run))
    monkeypatch.setattr(Replica, "save", timed("checkpoints", Replica.save))
    outcomes = benchmark.pedantic(lambda: list(LocalExecutor().run(tasks, lambda word: None)), rounds=1)
    whole = benchmark.stats.stats.median - clock["compilation"]
    costs = [record.cost for outcome in outcomes for record in outcome.records]
    assert len(costs) == STACK * len(DATASETS)
    outside = 1 - clock["updates"] / whole
    drawing = (sum(cost.train_seconds for cost in costs) - clock["updates"]) / whole
    benchmark.group = f"{STACK * len(DATASETS)} trials of toy2d"
    benchmark.extra_info.update(
        trainer=trainer,
        replicas=STACK,
        seconds=whole,
        compilation_seconds=clock["compilation"],
        outside=outside,
        scoring=outside - drawing,
        drawing=drawing,
        checkpoints=clock["checkpoints"] / whole,
    )
    print(f"\n{trainer}: outside {outside:.1%}, checkpoints {clock['checkpoints'] / whole:.1%} of {whole:.0f} s")


def prepared(trainer, root):
    """The stacks' tasks, after short ones that have built the metrics."""
    suite = suites["toy2d"].build().model_copy(update={"trainers": (trainer,), "datasets": DATASETS})

    def tasks(suite, folder):
        plan = make_plan(suite, Store(folder))
        plan.controls.clear()
        context = Context(str(folder), suite.name, suite.protocols, "cpu", "genbench run", "compiled")
        return plan.tasks(context, Keep(), STACK)

    short = suite.model_copy(update={"budgets": (Budget(kind="steps", amount=20),), "checkpoints": 2})
    for task in tasks(short, Path(root, "short")):
        task.run(lambda word: None, lambda: False)
    return tasks(suite, Path(root, "whole"))
