"""One trial: what it leaves behind when it ends well, and when it doesn't."""

import errno
import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path

import made_up
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from tasks import ignore, never, stop_at

from genbench.executors.task import Keep
from genbench.records import layout
from genbench.records.commit import load_checkpoint
from genbench.records.store import Store
from genbench.report.frame import frame
from genbench.scoring.columns import OF_TRIALS
from genbench.trials import replica, session
from genbench.trials.controls import ControlTask


def run(task, stop=never):
    return made_up.record(task.run(ignore, stop))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def in_store(task):
    (found,) = Store(made_up.place(task).parents[3]).trials(task.context.suite)
    return found


@pytest.mark.parametrize("precision", ["high", "bf16"])
def test_what_could_not_say_how_it_computes_fails_in_the_row_of_what_did(precision, trials, monkeypatch):
    """Trials that failed as they were built, or whose process died, under another precision than the plain one."""
    tasks = [
        replace(task, context=replace(task.context, precision=precision))
        for seed in range(3)
        for task in trials("gan", steps=2, seeds=(seed,))
    ]
    finished = run(tasks[0])
    tasks[1].ended("crashed", "its process died")

    def unbuildable(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(session, "Training", unbuildable)
    run(tasks[2])
    lines = frame(Store(made_up.place(tasks[0]).parents[3]), finished.suite).lines
    trials = {line.seed: line.trial for line in lines if line.kind == "trainer"}
    assert sorted(each.record.status for each in trials.values()) == ["crashed", "done", "out-of-memory"]
    assert len({line.trainer for line in lines if line.kind == "trainer"}) == 1


def test_leaves_all_that_a_report_needs(trials):
    (task,) = trials("wgan-gp", steps=40, checkpoints=3)
    record = run(task)
    found = in_store(task)
    assert found.record == record
    assert found.folder == made_up.place(task)
    assert (record.status, record.reason, record.id) == ("done", None, task.trials[0].id)
    assert (record.cost.steps, record.cost.updates, record.cost.samples) == (40, 120, 80 * 256)
    assert record.cost.train_seconds > 0
    assert record.cost.eval_seconds > 0
    assert record.cost.peak_memory_bytes > 50 * 2**20
    assert record.provenance["command"] == "genbench run"
    assert record.provenance["threads"] == 1
    assert {score.identity.protocol for score in found.scores.scores} == {"smoke"}


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_precision_is_what_was_asked_for_and_in_the_record(precision, trials):
    (task,) = trials("gan")
    before = torch.get_float32_matmul_precision()
    record = run(replace(task, context=replace(task.context, precision=precision)))
    flags = record.provenance["flags"]
    assert flags["matmul_precision"] == precision
    assert flags["cudnn_conv_precision"] == ("ieee" if precision == "highest" else "tf32")
    assert (flags["cudnn_deterministic"], flags["cudnn_benchmark"]) == (True, False)
    assert torch.get_float32_matmul_precision() == before


def test_curve_and_strip_have_a_row_a_checkpoint(trials):
    (task,) = trials("gan", steps=40, checkpoints=4)
    run(task)
    curve = pd.read_parquet(made_up.place(task) / layout.CURVE)
    tensors = load_file(made_up.place(task) / layout.SAMPLES)
    assert curve["steps"].tolist() == [1, 2, 9, 40]
    assert curve["updates"].tolist() == [2, 4, 18, 80]
    assert {"loss_generator", "loss_discriminator", "seconds", "modes", "hq"} <= set(curve.columns)
    assert tensors["strip"].shape == (4, replica.STRIP_POINTS, 2)
    assert torch.equal(tensors["strip"][-1], tensors["final"][: replica.STRIP_POINTS].half())
    assert not torch.equal(tensors["strip"][0], tensors["strip"][-1])


def test_last_row_of_the_curve_is_the_score(trials):
    (task,) = trials("gan", steps=20)
    run(task)
    last = pd.read_parquet(made_up.place(task) / layout.CURVE).iloc[-1]
    scores = {score.name: score.value for score in in_store(task).scores.scores}
    assert {name: last[name] for name in ("modes", "hq", "sliced_w2")} == {
        name: scores[name] for name in ("modes", "hq", "sliced_w2")
    }


def test_samples_are_the_stored_weights_own(trials):
    from genbench import networks, seeding

    (task,) = trials("gan", steps=20)
    run(task)
    rng = seeding.stream(task.trials[0].seed, seeding.EVALUATION_NOISE)
    generator = networks.pair("mlp").generator(2, (2,), 64, 3, torch.Generator())
    weights = load_file(made_up.place(task) / layout.WEIGHTS)
    generator.load_state_dict(
        {key.removeprefix("generator."): value for key, value in weights.items() if key.startswith("generator.")}
    )
    with torch.no_grad():
        samples = generator(torch.randn(1_000, 2, generator=rng))
    assert torch.allclose(samples, load_file(made_up.place(task) / layout.SAMPLES)["final"], atol=1e-6)


def test_weights_and_most_samples_can_be_left_out_but_no_hash(trials):
    (kept,) = trials("gan")
    hashes = {run(kept).weights_sha256}
    (left_out,) = trials("gan", keep=Keep(weights=False, samples=7))
    (made_up.place(kept) / layout.WEIGHTS).unlink()
    hashes.add(run(left_out).weights_sha256)
    assert not (made_up.place(left_out) / layout.WEIGHTS).exists()
    assert len(load_file(made_up.place(left_out) / layout.SAMPLES)["final"]) == 7
    assert len(hashes) == 1
    assert None not in hashes


@pytest.mark.usefixtures("misfits")
@pytest.mark.parametrize(
    ("trainer", "status", "reason"),
    [
        ("crashes[at=3]", "crashed", r"^ValueError: no such luck \(misfits\.py:\d+\)$"),
        ("crashes-at-once", "crashed", r"^RuntimeError: nothing to build \(misfits\.py:\d+\)$"),
        ("turns-nan[at=3]", "diverged", "^the generator's loss became nan by generator step 12$"),
        (
            "fills-memory[at=3]",
            "out-of-memory",
            "^memory ran out; lower batch or width, or run fewer --jobs or a smaller --stack$",
        ),
        ("fills-the-device[at=3]", "out-of-memory", r"^CUDA out of memory\. Tried to allocate 2 GiB; lower batch"),
    ],
)
class TestFailure:
    """Whatever a trainer does, its trial leaves a record."""

    def test_is_recorded_with_its_reason(self, trainer, status, reason, trials):
        (task,) = trials(trainer, checkpoints=1)
        record = run(task)
        found = in_store(task)
        assert found.record == record
        assert found.scores is None
        assert record.status == status
        assert re.search(reason, record.reason)
        assert record.weights_sha256 is None
        assert record.cost.steps == {"crashes-at-once": 0, "turns-nan[at=3]": 12}.get(trainer, 2)
        assert record.provenance["packages"]["torch"]

    def test_keeps_its_checkpoint_where_another_try_may_go_on(self, trainer, status, reason, trials):
        (task,) = trials(trainer, checkpoints=12)
        run(task)
        expected = [layout.RECORD] if status == "diverged" else [layout.RECORD, layout.TRACEBACK]
        kept = [] if status == "diverged" or trainer == "crashes-at-once" else [layout.CHECKPOINT]
        assert names_in(made_up.place(task)) == [*kept, *expected]

    def test_leaves_the_number_of_threads_alone(self, trainer, status, reason, trials):
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            run(*trials(trainer))
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)


@pytest.mark.usefixtures("misfits")
def test_place_of_a_crash_is_the_line_that_raised(trials):
    from genbench.registry import trainers

    (task,) = trials("crashes[at=1]")
    record = run(task)
    source = trainers["crashes"].build.__globals__["__file__"]
    number = int(record.reason.rpartition(":")[2].rstrip(")"))
    lines = Path(source).read_text(encoding="utf-8").splitlines()
    assert lines[number - 1].strip() == 'raise ValueError("no such luck")'


@pytest.mark.usefixtures("misfits")
def test_place_of_a_crash_is_the_last_line_of_the_trainers_own_and_the_whole_way_is_kept(trials):
    (task,) = trials("multiplies-wrongly[at=1]")
    record = run(task)
    assert re.search(r"^RuntimeError: .*\(misfits\.py:\d+\)$", record.reason)
    whole = (made_up.place(task) / layout.TRACEBACK).read_text(encoding="utf-8")
    assert whole.startswith("Traceback (most recent call last):")
    assert "linear.py" in whole
    assert hashlib.sha256(whole.encode()).hexdigest() == record.files[layout.TRACEBACK]


def test_success_takes_an_earlier_failures_traceback_away(trials):
    (task,) = trials("gan")
    made_up.place(task).mkdir(parents=True)
    (made_up.place(task) / layout.TRACEBACK).write_text("Traceback …", encoding="utf-8")
    assert run(task).status == "done"
    assert layout.TRACEBACK not in names_in(made_up.place(task))


@pytest.mark.usefixtures("misfits")
def test_weights_that_are_not_finite_diverge_though_losses_are(trials, monkeypatch):
    from genbench.registry import trainers

    task = trials("turns-nan[at=12]")[0]
    build = trainers["turns-nan"].build
    built = build(None, at=12)
    monkeypatch.setattr(type(built), "step", lambda self, data, progress: {"generator": torch.zeros(())})
    monkeypatch.setattr(type(built), "weights", lambda self: {"generator.shift": torch.tensor(torch.inf)})
    record = run(task)
    assert (record.status, record.reason) == ("diverged", "generator.shift is no longer finite at generator step 1")


def test_baseline_that_diverges_says_so(trials):
    (task,) = trials("wgan-gp[lr=1e30]", steps=20)
    record = run(task)
    assert record.status == "diverged"
    assert "generator step" in record.reason


def test_stop_keeps_the_checkpoint_and_writes_no_record(trials):
    (task,) = trials("gan", steps=10_000)
    assert run(task, lambda: True) is None
    assert names_in(made_up.place(task)) == [layout.CHECKPOINT]
    _, facts = load_checkpoint(made_up.place(task))
    assert facts["meter"]["steps"] >= 1


def test_resumed_trial_meters_the_whole(trials, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    (task,) = trials("gan", steps=40, checkpoints=6)
    asked = iter(range(1, 1_000))
    run(task, lambda: next(asked) == 25)
    _, facts = load_checkpoint(made_up.place(task))
    record = run(task)
    assert record.cost.steps == 40
    assert record.cost.train_seconds > facts["meter"]["seconds"] > 0
    assert record.cost.eval_seconds > facts["eval_seconds"] > 0
    assert pd.read_parquet(made_up.place(task) / layout.CURVE)["steps"].tolist() == [1, 3, 6, 16, 40]


def test_progress_is_told_and_never_too_often(trials, monkeypatch):
    (task,) = trials("gan", steps=200)
    words = []
    task.run(words.append, never)
    assert 1 <= len(words) <= 1 + 200
    assert {word.name for word in words} == {f"{task.trials[0]}, steps=200"}
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    (task,) = trials("gan", steps=20, seeds=(1,))
    words.clear()
    task.run(words.append, never)
    assert [word.steps for word in words] == list(range(1, 21))
    assert words[-1].share == 1
    assert words[-1].note.startswith("modes ")


def test_disk_that_fills_up_is_a_reason_too(trials, monkeypatch):
    (task,) = trials("gan")

    def full(folder, *rest, **more):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(session, "commit", full)
    record = run(task)
    assert record.status == "crashed"
    assert record.reason.endswith("; not stored: No space left on device")


@pytest.mark.usefixtures("misfits")
def test_dataset_of_which_nothing_is_known_can_be_trained_on(trials):
    (task,) = trials("wgan-gp", datasets=("unknown",))
    assert run(task).status == "done"
    states = {score.name: score.state for score in in_store(task).scores.scores}
    assert (states["modes"], states["w2"]) == ("skipped", "ok")
    assert load_file(made_up.place(task) / layout.SAMPLES).keys() == {"final", "strip"}


def test_scores_carry_the_null_bands_of_stored_controls(trials):
    (task,) = trials("gan", steps=5)
    run(task)
    bare = {score.name: score for score in in_store(task).scores.scores}
    assert {score.null_low for score in bare.values()} == {None}
    bands = [score.model_copy(update={"null_low": -1.0, "null_high": 2.0}) for score in bare.values()]
    controls = made_up.ControlScores(dataset="ring8", key="", draws={}, bands=tuple(bands))
    Store(made_up.place(task).parents[3]).write_controls(task.context.suite, task.trials[0].dataset, controls)
    (task,) = trials("gan", steps=5)
    run(task)
    ends = {s.name: (s.null_low, s.null_high) for s in in_store(task).scores.scores}
    assert {ends[name] for name in ends.keys() - set(OF_TRIALS)} == {(-1.0, 2.0)}
    assert {ends[name] for name in ends.keys() & set(OF_TRIALS)} == {(None, None)}


def test_needs_its_datasets_controls(trials):
    (task,) = trials("gan")
    assert task.needs == ControlTask(task.context, task.trials[0].dataset, 2, "").name


def test_losses_are_noted_every_hundred_steps_and_go_on_after_a_pause(trials, tmp_path):
    (whole,), (cut_off,) = trials("gan", steps=300), trials("gan", steps=300, root=tmp_path / "cut off")
    run(whole)
    cut_off.run(ignore, stop_at(2))
    run(cut_off)
    losses = [pd.read_parquet(made_up.place(task) / layout.LOSSES) for task in (whole, cut_off)]
    assert losses[0]["steps"].tolist() == [100, 200, 300]
    assert losses[0]["updates"].tolist() == [200, 400, 600]
    assert np.isfinite(losses[0][["loss_generator", "loss_discriminator"]]).all().all()
    pd.testing.assert_frame_equal(losses[0], losses[1])


def test_average_is_scored_and_stored_beside_the_last_weights_and_goes_on_after_a_pause(trials, tmp_path):
    details = {"steps": 300, "checkpoints": 3, "ema": 0.9}
    (whole,), (cut_off,) = trials("gan", **details), trials("gan", root=tmp_path / "cut off", **details)
    (alone,) = trials("gan", root=tmp_path / "alone", **details | {"ema": None})
    run(whole), run(alone)
    cut_off.run(ignore, stop_at(2))
    run(cut_off)
    scores = in_store(whole).scores.scores
    assert {score.identity.ema for score in scores} == {None, 0.9}
    raw, averaged = ([score.value for score in scores if score.identity.ema == ema] for ema in (None, 0.9))
    assert raw == [score.value for score in in_store(alone).scores.scores]
    along = [score for score in scores if score.name in OF_TRIALS]
    assert len(averaged) == len(raw) - len(along)  # checkpoints are of the weights as trained
    assert averaged != raw
    tensors, weights = (load_file(made_up.place(whole) / name) for name in (layout.SAMPLES, layout.WEIGHTS))
    for name in ("final", "strip"):
        assert tensors[f"ema.{name}"].shape == tensors[name].shape
        assert not torch.equal(tensors[f"ema.{name}"], tensors[name])
    assert {name for name in weights if name.startswith("ema.")} == {
        f"ema.{name}" for name in weights if name.startswith("generator.")
    }
    again = [load_file(made_up.place(cut_off) / name) for name in (layout.SAMPLES, layout.WEIGHTS)]
    for found, expected in zip(again, (tensors, weights), strict=True):
        assert all(torch.equal(found[name], expected[name]) for name in expected)
