"""What a run has to do: the suite's trials and controls less what the store holds already."""

import pickle

import made_up
import pytest
import torch

from genbench.executors.task import Context, Keep
from genbench.records.layout import RECORD
from genbench.records.record import ControlScores
from genbench.records.store import Store
from genbench.registry import controls, datasets
from genbench.scoring.protocols import protocol
from genbench.scoring.scorer import Scorer
from genbench.spec import Budget, Component
from genbench.trials.controls import null_bands
from genbench.trials.plan import control_key, make_plan
from genbench.trials.resources import build_dataset
from genbench.trials.unscored import Way

CONTEXT = Context("results", "made-up", ("smoke",), "cpu", "genbench run")
NOW, BEFORE, FAILED, FAILED_BEFORE = "now", "before", "failed", "failed before"


def of_another_version(trial):
    return trial.model_copy(update={"trainer": trial.trainer.model_copy(update={"version": 0})})


def stored(root, trial, *kinds):
    """Stores `trial` as it is now, as an older version made it, or as it failed; returns the folders."""
    return [
        made_up.put(
            root,
            of_another_version(trial) if kind in (BEFORE, FAILED_BEFORE) else trial,
            status="crashed" if kind in (FAILED, FAILED_BEFORE) else "done",
        )
        for kind in kinds
    ]


def measured(root, suite, label="ring8", **changes):
    dataset = Component.resolve(datasets, label)
    plain = {"dataset": label, "key": control_key(suite, dataset), "draws": {}, "bands": ()}
    Store(root).write_controls(suite.name, dataset, ControlScores(**{**plain, **changes}))


def fate(plan):
    """Where a plan of one trial has put it."""
    (found,) = [name for name in ("run", "done", "failed", "stale") if getattr(plan, name)]
    return found


def of_another_source(component):
    return component.model_copy(update={"source": {"sha256": "0" * 64}})


def test_empty_store_leaves_everything_to_run_seed_by_seed(tmp_path, suite):
    plan = make_plan(suite("gan", "wgan", datasets=("ring8", "grid25"), seeds=(0, 1)), Store(tmp_path / "none"))
    assert [str(trial) for trial in plan.run] == [
        f"{trainer} on {dataset}, seed {seed}"
        for seed in (0, 1)
        for dataset in ("ring8", "grid25")
        for trainer in ("gan", "wgan")
    ]
    assert (plan.done, plan.failed, plan.stale) == ([], [], [])
    assert [dataset.label for dataset in plan.controls] == ["ring8", "grid25"]


@pytest.mark.parametrize(
    ("kinds", "rerun", "expected"),
    [
        ([], [], "run"),
        ([NOW], [], "done"),
        ([NOW], ["failed", "stale"], "done"),
        ([NOW], ["all"], "run"),
        ([FAILED], [], "failed"),
        ([FAILED], ["stale"], "failed"),
        ([FAILED], ["failed"], "run"),
        ([FAILED], ["all"], "run"),
        ([BEFORE], [], "stale"),
        ([BEFORE], ["failed"], "stale"),
        ([BEFORE], ["stale"], "run"),
        ([BEFORE], ["all"], "run"),
        ([FAILED_BEFORE], [], "stale"),
        ([FAILED_BEFORE], ["stale"], "run"),
        ([NOW, BEFORE], ["stale"], "done"),
        ([FAILED, BEFORE], ["stale"], "failed"),
        ([FAILED, BEFORE], ["failed"], "run"),
    ],
)
def test_what_becomes_of_a_trial(kinds, rerun, expected, tmp_path, suite):
    (trial,) = suite("gan").trials()
    stored(tmp_path, trial, *kinds)
    assert fate(make_plan(suite("gan"), Store(tmp_path), rerun)) == expected


@pytest.mark.parametrize(
    "older",
    [
        of_another_version,
        lambda trial: trial.model_copy(update={"engine": 0}),
        lambda trial: trial.model_copy(update={"dataset": trial.dataset.model_copy(update={"version": 0})}),
        lambda trial: trial.model_copy(update={"trainer": of_another_source(trial.trainer)}),
        lambda trial: trial.model_copy(update={"dataset": of_another_source(trial.dataset)}),
    ],
    ids=["trainer", "engine", "dataset", "trainer's source", "dataset's source"],
)
def test_stale_is_what_any_other_version_or_source_made(older, tmp_path, suite):
    (trial,) = suite("gan").trials()
    made_up.put(tmp_path, older(trial))
    assert fate(make_plan(suite("gan"), Store(tmp_path))) == "stale"


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 13},
        {"seeds": (1,)},
        {"trainer": "wgan"},
        {"trainer": "gan[lr=0.5]"},
        {"datasets": ("grid25",)},
    ],
    ids=str,
)
def test_trial_of_another_plan_is_neither_done_nor_stale(changes, tmp_path, suite):
    rest = dict(changes)
    (other,) = suite(rest.pop("trainer", "gan"), **rest).trials()
    stored(tmp_path, other, NOW, BEFORE)
    assert fate(make_plan(suite("gan"), Store(tmp_path))) == "run"


def test_trial_of_another_suite_is_not_done(tmp_path, suite):
    (trial,) = suite("gan").trials()
    made_up.put(tmp_path, trial, into="another")
    assert fate(make_plan(suite("gan"), Store(tmp_path))) == "run"


@pytest.mark.parametrize("changes", [{"checkpoints": 7}, {"protocols": ("genbench1",)}, {"control_draws": 9}], ids=str)
def test_trial_is_done_however_it_is_measured(changes, tmp_path, suite):
    (trial,) = suite("gan").trials()
    made_up.put(tmp_path, trial)
    assert fate(make_plan(suite("gan", **changes), Store(tmp_path))) == "done"


def test_trial_whose_record_cannot_be_read_runs_again(tmp_path, suite):
    (trial,) = suite("gan").trials()
    path = made_up.put(tmp_path, trial) / RECORD
    path.write_bytes(path.read_bytes()[:100])
    here = Store(tmp_path)
    assert fate(make_plan(suite("gan"), here)) == "run"
    assert [unreadable.path for unreadable in here.unreadable] == [path]


BUDGETS = tuple(map(Budget.parse, ("updates=24", "samples=768", "seconds=0.1")))


def test_stacks_are_of_one_budget_and_of_one_seed_where_that_is_in_seconds(tmp_path, suite):
    plan = make_plan(suite("gan", "wgan", budgets=BUDGETS, seeds=(0, 1, 2)), Store(tmp_path))
    stacks = plan.stacks(2)
    found = [
        (trials[0].trainer.label, str(trials[0].budget), [trial.seed for trial in trials])
        for trials in stacks
        if len({trial.model_copy(update={"seed": 0}) for trial in trials}) == 1
    ]
    assert len(found) == len(stacks)
    assert sorted(found) == sorted(
        (trainer, str(budget), seeds)
        for trainer in ("gan", "wgan")
        for budget in BUDGETS
        for seeds in ([[0], [1], [2]] if budget.kind == "seconds" else [[0, 1], [2]])
    )


def test_every_task_of_several_budgets_has_a_name_of_its_own(tmp_path, suite):
    plan = make_plan(suite("gan", budgets=BUDGETS, seeds=(0, 1)), Store(tmp_path))
    tasks = plan.tasks(CONTEXT, Keep(), stack=2)
    assert [task.name for task in tasks] == [
        "controls on ring8",
        "gan on ring8, seeds 0-1, updates=24",
        "gan on ring8, seeds 0-1, samples=768",
        "gan on ring8, seed 0, seconds=0.1",
        "gan on ring8, seed 1, seconds=0.1",
    ]


def test_budget_that_is_done_leaves_the_others_to_run(tmp_path, suite):
    planned = suite("gan", budgets=BUDGETS)
    made_up.put(tmp_path, planned.trials()[1])
    plan = make_plan(planned, Store(tmp_path))
    assert [str(trial.budget) for trial in plan.run] == ["updates=24", "seconds=0.1"]
    assert [str(trial.budget) for trial in plan.done] == ["samples=768"]


def test_fresh_record_takes_the_stale_ones_of_its_own_trial_away(tmp_path, suite):
    planned = suite("gan", seeds=(0, 1))
    (mine, old), (other,) = (
        stored(tmp_path, trial, *kinds)
        for trial, kinds in zip(planned.trials(), ([NOW, BEFORE], [BEFORE]), strict=True)
    )
    plan = make_plan(planned, Store(tmp_path), ["all"])
    assert old.is_dir()
    record = next(found.record for found in Store(tmp_path).trials("made-up") if found.folder == mine)
    plan.remove_stale(record)
    assert (mine.is_dir(), old.is_dir(), other.is_dir()) == (True, False, True)


def test_stale_records_that_were_not_to_run_again_stay(tmp_path, suite):
    (trial,) = suite("gan").trials()
    mine, old = stored(tmp_path, trial, NOW, BEFORE)
    plan = make_plan(suite("gan"), Store(tmp_path), ["stale"])
    plan.remove_stale(next(found.record for found in Store(tmp_path).trials("made-up") if found.folder == mine))
    assert old.is_dir()


@pytest.mark.parametrize(
    "made_by",
    [
        {"control_draws": 3},
        {"protocols": ("genbench1",)},
        {"protocols": ("smoke", "genbench1")},
    ],
    ids=str,
)
def test_controls_of_another_plan_are_measured_again(made_by, tmp_path, suite):
    measured(tmp_path, suite("gan", **made_by))
    assert [dataset.label for dataset in make_plan(suite("gan"), Store(tmp_path)).controls] == ["ring8"]


def test_controls_that_are_up_to_date_are_left_alone(tmp_path, suite):
    planned = suite("gan", datasets=("ring8", "grid25"))
    measured(tmp_path, planned, "grid25")
    assert [dataset.label for dataset in make_plan(planned, Store(tmp_path)).controls] == ["ring8"]


@pytest.mark.parametrize("changes", [{"checkpoints": 9}, {"seeds": (3, 4)}, {"steps": 99}], ids=str)
def test_controls_do_not_depend_on_training(changes, tmp_path, suite):
    measured(tmp_path, suite("gan", **changes))
    assert make_plan(suite("wgan"), Store(tmp_path)).controls == []


def test_controls_are_out_of_date_where_a_new_control_is_registered(tmp_path, suite):
    measured(tmp_path, suite("gan"))
    with made_up.forgetful_registries():
        controls.register("a-new-one")(lambda dataset, n, rng: dataset.sample(n, rng))
        assert [dataset.label for dataset in make_plan(suite("gan"), Store(tmp_path)).controls] == ["ring8"]
    assert make_plan(suite("gan"), Store(tmp_path)).controls == []


def test_controls_that_cannot_be_read_are_measured_again(tmp_path, suite):
    measured(tmp_path, suite("gan"))
    (tmp_path / "made-up/ring8/controls.json").write_bytes(b"{")
    assert [dataset.label for dataset in make_plan(suite("gan"), Store(tmp_path)).controls] == ["ring8"]


def test_controls_are_measured_though_every_trial_is_done(tmp_path, suite):
    (trial,) = suite("gan").trials()
    made_up.put(tmp_path, trial)
    plan = make_plan(suite("gan"), Store(tmp_path))
    assert (fate(plan), len(plan.controls)) == ("done", 1)
    assert [task.name for task in plan.tasks(CONTEXT, Keep())] == ["controls on ring8"]


@pytest.mark.parametrize(
    ("samples", "renewed"), [(None, False), (99, False), (600, True), (1_000, True)], ids=["none", "few", "some", "all"]
)
def test_rescoring_makes_what_samples_are_stored_for_and_the_rest_is_lost(samples, renewed, tmp_path, suite):
    (trial,) = suite("gan").trials()
    held = {} if samples is None else {"samples": {"final": torch.zeros(samples, 2)}}
    made_up.put(tmp_path, trial, made_up.scores({"hq": 0.5}, protocol="smoke", version=0), **held)
    plan = make_plan(suite("gan"), Store(tmp_path))
    assert plan.unscored.renewable == ({Way("smoke", ()): [trial]} if renewed else {})
    lost = tuple(name for name in protocol("smoke").columns if protocol("smoke").wanted(name) > (samples or 0))
    assert plan.unscored.lost == ({("smoke", lost): [trial]} if lost else {})


def test_score_that_was_skipped_for_want_of_samples_is_lost(tmp_path, suite):
    """And one that was skipped because its metric doesn't apply is not."""
    (trial,) = suite("gan").trials()
    final = torch.zeros(600, 2)
    judge = Scorer(build_dataset(trial.dataset), protocol("smoke"))
    scores = judge(final, null_bands(trial.dataset, [protocol("smoke")])[protocol("smoke")])
    made_up.put(tmp_path, trial, scores, samples={"final": final})
    plan = make_plan(suite("gan"), Store(tmp_path))
    ((_, columns),) = plan.unscored.lost
    assert "modes" in columns
    assert not {"arc_coverage", "w2"} & {*columns}
    assert plan.unscored.renewable == {}


def test_control_key_tells_datasets_and_their_versions_apart(suite):
    ring8 = Component.resolve(datasets, "ring8")
    keys = {
        control_key(suite("gan"), dataset)
        for dataset in (ring8, ring8.model_copy(update={"version": 9}), Component.resolve(datasets, "ring[modes=7]"))
    }
    assert len(keys) == 3


@pytest.mark.parametrize("keep", [Keep(), Keep(weights=False, samples=10)])
def test_tasks_measure_controls_first_and_carry_what_they_need(keep, tmp_path, suite):
    plan = make_plan(suite("gan", "wgan", datasets=("ring8", "grid25"), checkpoints=7), Store(tmp_path))
    tasks = plan.tasks(CONTEXT, keep)
    assert [task.needs for task in tasks] == [None, None, *(["controls on ring8"] * 2), *(["controls on grid25"] * 2)]
    assert {task.name for task in tasks[:2]} == {task.needs for task in tasks[2:]}
    assert {task.draws for task in tasks[:2]} == {2}
    assert {(task.checkpoints, task.keep) for task in tasks[2:]} == {(7, keep)}
    assert len({task.name for task in tasks}) == len(tasks)
    assert pickle.loads(pickle.dumps(tasks)) == tasks  # noqa: S301


def test_controls_are_measured_again_where_curves_score_otherwise(tmp_path, suite, monkeypatch):
    """The oracle's scores along training belong to them."""
    from dataclasses import replace

    from genbench.registry import protocols

    plan = suite("gan", protocols=("smoke",))
    measured(tmp_path, plan)
    assert make_plan(plan, Store(tmp_path)).controls == []
    other = replace(protocol("smoke"), curve_n=500)
    monkeypatch.setitem(protocols._entries, "smoke", replace(protocols["smoke"], build=lambda: other))
    assert [dataset.label for dataset in make_plan(plan, Store(tmp_path)).controls] == ["ring8"]
