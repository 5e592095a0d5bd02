"""Several seeds trained as one stack: each leaves its own record, and one that fails leaves the others alone."""

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from tasks import ignore, never, stop_at

from genbench.engine import stacked
from genbench.executors.task import Context, Keep
from genbench.records import layout
from genbench.records.commit import load_checkpoint
from genbench.records.record import Cost
from genbench.records.store import Store
from genbench.spec import Budget
from genbench.trials import replica, resources, session
from genbench.trials.plan import make_plan
from genbench.trials.session import folder
from genbench.trials.trial import TrialTask

SEEDS = (0, 1, 2)


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Leaves the stacked path uncompiled, which is quicker for a few steps."""
    monkeypatch.setattr(stacked, "compiled", lambda update, arguments: update)
    monkeypatch.setattr(stacked, "_compiled", {})
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)


@pytest.fixture
def double():
    """Rounding stays far below every difference that a mistake could make."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def stack(tmp_path, suite):
    """`stack("gan")`: one task that trains all seeds of it together."""

    def of(trainer, root=tmp_path, seeds=SEEDS, size=3, engine="compiled", **changes):
        plan = make_plan(suite(trainer, seeds=seeds, **changes), Store(root), ["all"])
        plan.controls.clear()
        context = Context(str(root), plan.suite.name, plan.suite.protocols, "cpu", "genbench run", engine)
        return plan.tasks(context, Keep(), size)

    return of


def weights(task, trial):
    return load_file(folder(task.context, trial) / layout.WEIGHTS)


def test_every_seed_leaves_a_record_of_its_own(stack):
    (task,) = stack("wgan-gp[width=8,batch=16]")
    records = task.run(ignore, never).records
    assert [record.trial.seed for record in records] == list(SEEDS)
    assert {record.status for record in records} == {"done"}
    assert {record.provenance["engine"]["stack"] for record in records} == {3}
    assert len({record.weights_sha256 for record in records}) == 3
    found = {found.record.trial.seed: found for found in Store(Path(task.context.root)).trials(task.context.suite)}
    assert [found[record.trial.seed].record for record in records] == list(records)
    assert all(trial.scores is not None for trial in found.values())


@pytest.mark.usefixtures("double")
def test_seed_is_trained_as_it_is_alone(stack, tmp_path):
    (together,) = stack("wgan[width=8,batch=16]", tmp_path / "together")
    alone = stack("wgan[width=8,batch=16]", tmp_path / "alone", size=1)
    together.run(ignore, never)
    for task in alone:
        task.run(ignore, never)
        (trial,) = task.trials
        own, shared = weights(task, trial), weights(together, trial)
        assert all(torch.allclose(own[name], shared[name], atol=1e-9) for name in own)
        samples = [load_file(folder(each.context, trial) / layout.SAMPLES)["final"] for each in (task, together)]
        assert torch.allclose(*samples, atol=1e-9)


@pytest.mark.parametrize(("size", "sizes"), [(1, [1, 1, 1]), (2, [2, 1]), (3, [3]), (8, [3])])
def test_plan_stacks_what_differs_in_its_seed_alone(size, sizes, stack):
    tasks = stack("gan", size=size)
    assert [len(task.trials) for task in tasks] == sizes
    assert [trial.seed for task in tasks for trial in task.trials] == list(SEEDS)
    seeds = "seed 0" if size == 1 else f"seeds 0-{min(size, 3) - 1}"
    assert tasks[0].name == f"gan on ring8, {seeds}, steps=12"


@pytest.mark.parametrize("stops", [(5,), (3, 4), (1, 1, 1)])
def test_stack_that_was_cut_off_ends_at_the_same_bits(stops, stack, tmp_path):
    (whole,), (cut,) = (stack("gan[width=8,batch=16]", tmp_path / name) for name in ("whole", "cut"))
    expected = [record.weights_sha256 for record in whole.run(ignore, never).records]
    for times in stops:
        assert cut.run(ignore, stop_at(times)).records == ()
        assert all((folder(cut.context, trial) / layout.CHECKPOINT).is_file() for trial in cut.trials)
    assert [record.weights_sha256 for record in cut.run(ignore, never).records] == expected


def test_seeds_that_stopped_at_different_steps_go_on_apart(stack, tmp_path):
    (whole,), (task,) = (stack("gan[width=8,batch=16]", tmp_path / name) for name in ("whole", "apart"))
    whole.run(ignore, never)
    replace(task, trials=task.trials[1:2]).run(ignore, stop_at(4))
    records = task.run(ignore, never).records
    assert sorted(record.trial.seed for record in records) == list(SEEDS)
    assert {record.trial.seed: record.provenance["engine"]["stack"] for record in records} == {0: 2, 1: 1, 2: 2}
    for trial in task.trials:
        own, other = weights(task, trial), weights(whole, trial)
        assert all(torch.allclose(own[name], other[name], atol=1e-4) for name in own)


def test_seed_that_diverges_is_recorded_and_the_others_go_on(stack, monkeypatch):
    (task,) = stack("gan[width=8,batch=16]")
    build = session.Training

    def spoilt(trials, *args):
        training = build(trials, *args)
        training.stack.weights(1)["generator.0.weight"].fill_(torch.nan)
        return training

    monkeypatch.setattr(session, "Training", spoilt)
    records = {record.trial.seed: record for record in task.run(ignore, never).records}
    assert {seed: record.status for seed, record in records.items()} == {0: "done", 1: "diverged", 2: "done"}
    assert "generator step" in records[1].reason
    assert not any((folder(task.context, trial) / layout.CHECKPOINT).exists() for trial in task.trials)


def test_trainer_that_cannot_be_stacked_runs_one_by_one(stack):
    (task,) = stack("gan[width=8,batch=16]", engine="auto")
    records = task.run(ignore, never).records
    assert [record.status for record in records] == ["done"] * 3
    assert {record.provenance["engine"]["reason"] for record in records} == {"24 updates don't repay compiling"}
    assert {record.provenance["engine"]["stack"] for record in records} == {1}


def test_crash_takes_the_stack_along(stack, misfits):
    (task,) = stack("crashes-at-once")
    records = task.run(ignore, never).records
    assert [(record.trial.seed, record.status) for record in records] == [(seed, "crashed") for seed in SEEDS]


def test_dead_process_is_blamed_for_what_had_not_ended(stack):
    (task,) = stack("gan[width=8,batch=16]")
    ended, under_way, waiting = task.trials
    cost = Cost(steps=1, updates=1, samples=1, train_seconds=0, eval_seconds=0, peak_memory_bytes=None)
    task = replace(task, found={})
    session.commit_failure(task.context, ended, "diverged", "it did", cost, {})
    records = task.ended("crashed", "killed").records
    assert [(record.trial, record.status, record.reason) for record in records] == [
        (ended, "diverged", "it did"),
        (under_way, "crashed", "killed"),
        (waiting, "crashed", "killed"),
    ]


def test_progress_counts_the_stacks_trials(stack):
    words = []
    (task,) = stack("gan")
    task.run(words.append, never)
    assert {(word.name, word.trials) for word in words} == {("gan on ring8, seeds 0-2, steps=12", 3)}


def test_seconds_of_curve_record_and_progress_are_one_and_the_same(stack):
    """Each trial's share: five times as many would be the stack's."""
    words = []
    (task,) = stack("gan[width=8,batch=16]", steps=40)
    records = task.run(words.append, never).records
    for record in records:
        curve = pd.read_parquet(folder(task.context, record.trial) / layout.CURVE)
        assert round(curve["seconds"].iloc[-1], 3) == record.cost.train_seconds > 0
        assert curve["seconds"].is_monotonic_increasing
        assert "compile_seconds" not in curve
    trained = [word.seconds for word in words]
    assert trained == sorted(trained)
    assert trained[-1] == curve["seconds"].iloc[-1]


def test_sampling_of_a_stack_is_shared_among_its_trials(stack, monkeypatch):
    (task,) = stack("gan[width=8,batch=16]", checkpoints=1)
    now = [100.0]
    draw = session.Session._sample

    def slowly(self, training):
        now[0] += 6.0
        return draw(self, training)

    monkeypatch.setattr(session.Session, "_sample", slowly)
    monkeypatch.setattr(replica, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    assert [record.cost.eval_seconds for record in task.run(ignore, never).records] == [2.0] * 3


def test_stack_that_was_cut_off_carries_its_seconds_along(stack, monkeypatch):
    warm_up = stacked.Stacked.warm_up

    def slowly(self):
        time.sleep(0.03)
        warm_up(self)

    monkeypatch.setattr(stacked.Stacked, "warm_up", slowly)
    (task,) = stack("gan[width=8,batch=16]", steps=40)
    task.run(ignore, stop_at(20))
    before = [load_checkpoint(folder(task.context, trial))[1]["meter"] for trial in task.trials]
    assert all(meter["seconds"] > 0 and meter["compile_seconds"] >= 0.01 for meter in before)
    for record, meter in zip(task.run(ignore, never).records, before, strict=True):
        assert record.cost.train_seconds > meter["seconds"]
        assert record.cost.compile_seconds >= meter["compile_seconds"] + 0.009


def test_budget_in_seconds_is_each_seeds_own_whatever_the_stack(stack):
    """Pooled, every seed would have had a third."""
    plan = [task.trials for task in stack("gan[width=8,batch=16]", budgets=(Budget(kind="seconds", amount=0.1),))]
    assert [len(trials) for trials in plan] == [1, 1, 1]
    (task, *_) = stack("gan[width=8,batch=16]", budgets=(Budget(kind="seconds", amount=0.1),))
    pooled = replace(task, trials=tuple(trial for trials in plan for trial in trials))
    records = pooled.run(ignore, never).records
    assert [record.trial.seed for record in records] == list(SEEDS)
    assert {record.provenance["engine"]["stack"] for record in records} == {1}
    assert all(record.cost.train_seconds >= 0.1 for record in records)


def test_task_of_trials_is_plain_data(stack):
    (task,) = stack("gan")
    assert task == TrialTask(task.context, task.trials, task.checkpoints, Keep(), {})


class TestTooLittleMemory:
    """A device that has no room for all seeds at once trains fewer at a time."""

    @pytest.fixture
    def room(self, monkeypatch):
        """`room(2)`: memory for so many seeds at once, and no more."""

        def for_(most):
            def training(trials, *args):
                if len(trials) > most:
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
                return original(trials, *args)

            original = session.Training
            monkeypatch.setattr(session, "Training", training)

        return for_

    @pytest.mark.parametrize(("most", "sizes"), [(3, [3, 3, 3]), (2, [2, 2, 1]), (1, [1, 1, 1])])
    def test_the_stack_is_halved_until_it_fits(self, most, sizes, stack, room):
        room(most)
        (task,) = stack("gan[width=8,batch=16]")
        records = task.run(ignore, never).records
        assert [(record.trial.seed, record.status) for record in records] == [(seed, "done") for seed in SEEDS]
        engines = [record.provenance["engine"] for record in records]
        assert [engine["stack"] for engine in engines] == sizes
        assert {engine.get("lowered_from") for engine in engines} == ({None} if most == 3 else {3})

    def test_one_seed_for_which_there_is_none_has_failed(self, stack, room):
        room(0)
        (task,) = stack("gan[width=8,batch=16]")
        records = task.run(ignore, never).records
        assert {record.status for record in records} == {"out-of-memory"}
        assert len(records) == len(SEEDS)

    def test_one_that_has_ended_is_not_trained_again(self, stack, monkeypatch):
        """Memory may run out after a replica has left the finite numbers."""
        sizes = []

        def run(own):
            sizes.append(len(own.replicas))
            if len(own.replicas) == 3:
                own._fail(own.replicas[1], "diverged", "by a test")
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            return original(own)

        original = session.Session.run
        monkeypatch.setattr(session.Session, "run", run)
        (task,) = stack("gan[width=8,batch=16]")
        records = task.run(ignore, never).records
        assert sizes == [3, 1, 1]
        assert sorted((record.trial.seed, record.status) for record in records) == [
            (0, "done"), (1, "diverged"), (2, "done"),
        ]  # fmt: skip

    def test_weights_are_those_of_any_stack_but_for_rounding(self, stack, room, tmp_path):
        (whole,) = stack("gan[width=8,batch=16]", root=tmp_path / "whole")
        whole.run(ignore, never)
        room(2)
        (halved,) = stack("gan[width=8,batch=16]", root=tmp_path / "halved")
        halved.run(ignore, never)
        for trial in whole.trials:
            for name, own in weights(whole, trial).items():
                torch.testing.assert_close(own, weights(halved, trial)[name])


@pytest.mark.parametrize(("budget", "later"), [("steps=12", True), ("seconds=0.2", False)])
def test_records_may_wait_for_the_end_but_not_beside_a_budget_in_seconds(budget, later, stack, monkeypatch):
    """What is worked out beside it would take of the next trial's seconds."""
    monkeypatch.setattr("genbench.trials.trial.cores.aside", lambda work: work)  # begun by nobody but who asks
    (task,) = stack("gan[width=8,batch=16]", seeds=(0,), budgets=(Budget.parse(budget),))
    end = task.begin(ignore, never)

    def stored():
        return list(Store(Path(task.context.root)).trials(task.context.suite))

    assert (stored() == []) == later
    (record,) = end().records
    assert (record.status, record.cost.steps > 0) == ("done", True)
    assert len(stored()) == 1


def test_what_fails_at_the_end_keeps_what_was_used(stack, monkeypatch):
    """A metric that fails on another core is its trial's failure, which has cost what it has."""
    (task,) = stack("gan[width=8,batch=16]", seeds=(0,))
    monkeypatch.setattr("genbench.metrics.transport.w2", lambda observed, reference: 1 / 0)
    resources._scorer.cache_clear()
    (record,) = task.run(ignore, never).records
    resources._scorer.cache_clear()
    assert (record.status, record.cost.steps) == ("crashed", 12)
    assert "ZeroDivisionError" in record.reason
    assert record.provenance["engine"]["name"]


def test_trials_that_train_one_by_one_are_stored_one_by_one(stack, monkeypatch):
    """What is finished is safe, whatever becomes of the next."""
    monkeypatch.setattr(session.Session, "_stop", lambda self, meter: seen.append(len(stored())) or False)
    (task,) = stack("gan[width=8,batch=16]", engine="plain")
    seen = []

    def stored():
        return list(Store(Path(task.context.root)).trials(task.context.suite))

    task.run(ignore, never)
    assert sorted(set(seen)) == [0, 1, 2]
