"""Stacked and compiled, a suite comes out as it does seed by seed in eager torch."""

import pytest
from scipy.stats import mannwhitneyu
from tasks import ignore, never

from genbench.executors.task import Context, Keep
from genbench.records.store import Store
from genbench.registry import suites
from genbench.spec import Budget
from genbench.trials.plan import make_plan

SEEDS = tuple(range(8))
STEPS = 60
METRICS = ("hq", "reverse_kl", "sliced_w2", "mmd", "precision", "recall", "coverage")
LEAST_P = 0.001
"""Below it, eight seeds against eight differ: 21 comparisons of equals come to it once in some fifty runs."""


@pytest.fixture
def scores(tmp_path):
    """`scores("gan", "plain", 1)`: each metric's values over the seeds."""

    def trained(trainer, engine, stack):
        plain = suites["toy2d-smoke"].build()
        budgets = (Budget(kind="steps", amount=STEPS),)
        changes = {"datasets": ("grid25",), "trainers": (trainer,), "seeds": SEEDS, "budgets": budgets}
        plan = make_plan(plain.model_copy(update=changes), Store(tmp_path / engine))
        plan.controls.clear()
        context = Context(str(tmp_path / engine), plan.suite.name, plan.suite.protocols, "cpu", "genbench run", engine)
        for task in plan.tasks(context, Keep(weights=False), stack):
            (status,) = {record.status for record in task.run(ignore, never).records}
            assert status == "done"
        found = list(Store(tmp_path / engine).trials(plan.suite.name))
        assert {trial.record.provenance["engine"]["name"] for trial in found} == {engine}
        return {name: [value(trial, name) for trial in found] for name in METRICS}

    def value(trial, name):
        (score,) = [score for score in trial.scores.scores if score.name == name]
        return score.value

    return trained


@pytest.mark.parametrize("trainer", ["gan", "wgan", "wgan-gp"])
def test_results_are_the_same_in_distribution(trainer, scores):
    before, after = scores(trainer, "plain", 1), scores(trainer, "compiled", 4)
    for name in METRICS:
        assert mannwhitneyu(before[name], after[name]).pvalue > LEAST_P, name
        assert len(set(before[name])) > 1, f"{name} says nothing at this budget"
