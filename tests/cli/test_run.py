"""`genbench run`: what it refuses, what it skips, how it fails and how it goes on after an interruption."""

import errno
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import made_up
import pytest

from genbench.cli.execution import stack_size
from genbench.executors.signals import STOPPING
from genbench.records import atomic, layout
from genbench.records.store import Store
from genbench.trials import session
from genbench.trials.plan import Plan

CUSTOM = ("run", "--trainer", "gan", "--dataset", "ring8")
PATIENCE = 120.0


def records(root, suite="toy2d-smoke"):
    return [found.record for found in Store(Path(root)).trials(suite)]


def contents(root):
    return {path: path.read_bytes() for path in Path(root).rglob("*") if path.is_file()}


def command_to_go_on(out):
    return shlex.split(re.search(r"to go on:\n +(genbench .*)\n", out)[1])


def test_run_leaves_a_record_a_trial_and_says_how_to_see_them(once):
    root, out = once
    assert {(r.trial.trainer.label, r.trial.seed, r.status) for r in records(root)} == {
        (trainer, seed, "done") for trainer in ("gan", "wgan-gp") for seed in (0, 1)
    }
    assert "toy2d-smoke: 2 trainers × 1 datasets × 2 seeds, steps=5, into" in out
    assert "4 trials to run, 0 done already" in out
    assert "[4/4] " in out
    assert "\n4 done\n" in out
    assert out.endswith(f"To see the results: genbench report {root} --suite toy2d-smoke\n")


@pytest.mark.parametrize(
    ("trials", "jobs", "size"), [(45, 2, 5), (45, 16, 2), (20, 2, 5), (12, 2, 3), (5, 2, 2), (5, 1, 2), (0, 4, 2)]
)
def test_seeds_are_stacked_where_every_process_has_enough_to_do(trials, jobs, size):
    plan = Plan(made_up.suite(seeds=(0, 1)), run=[made_up.trial(seed=seed) for seed in range(trials)])
    assert stack_size(plan, "cpu", jobs) == size
    assert stack_size(plan, "cuda", jobs) == 2


def test_trials_that_were_computed_otherwise_than_is_asked_for_are_told(results, genbench):
    command = ("run", "--suite", "toy2d-smoke", "--dataset", "ring8", "--trainer", "gan", "--seeds", "0,1",
               "--budget", "steps=5", "--out", results)  # fmt: skip
    ran = genbench(*command, "--precision", "high")
    assert "0 trials to run, 2 done already" in ran.out
    assert (
        "2 of those done were computed with precision highest, not precision high; to train all again: --rerun all"
        in ran.out
    )
    assert "computed with" not in genbench(*command).out


@pytest.mark.parametrize(
    "arguments", [("--stack", "0"), ("--engine", "fast"), ("--engine", "graph", "--device", "cpu")]
)
def test_engine_and_stack_that_are_none_are_refused(arguments, genbench, tmp_path):
    ran = genbench(*CUSTOM, "--budget", "steps=5", "--out", tmp_path / "out", *arguments)
    assert ran.code == 2
    assert not (tmp_path / "out").exists()


def test_finished_trials_are_skipped_and_left_as_they_are(results, genbench):
    before = contents(results)
    ran = genbench("run", "--suite", "toy2d-smoke", "--dataset", "ring8", "--trainer", "gan", "--seeds", "0,1",
                   "--budget", "steps=5", "--out", results)  # fmt: skip
    assert ran.code == 0
    assert "0 trials to run, 2 done already" in ran.out
    assert "Nothing is left to run." in ran.out
    assert contents(results) == before


def test_only_what_is_missing_is_run(smoke, tmp_path):
    smoke("--trainer", "gan")
    ran = smoke("--trainer", "gan", "--seeds", "0-1")
    assert ran.code == 0
    assert "1 trials to run, 1 done already" in ran.out
    assert [record.trial.seed for record in records(tmp_path / "out")] == [0, 1]


def test_rerun_all_runs_again(smoke, tmp_path):
    smoke("--trainer", "gan")
    (before,) = records(tmp_path / "out")
    assert "1 trials to run, 0 done already" in smoke("--trainer", "gan", "--rerun", "all").out
    (after,) = records(tmp_path / "out")
    assert after.weights_sha256 == before.weights_sha256
    assert after != before


def test_several_budgets_are_run_beside_each_other_and_skipped_once_done(smoke, tmp_path):
    """Steps are trained two seeds at a time, seconds one: a seed's own."""
    options = ("--trainer", "gan", "--seeds", "0-1", "--budget", "seconds=0.2", "--stack", "2")
    ran = smoke(*options)
    assert ran.code == 0
    assert "1 trainers × 1 datasets × 2 seeds × 2 budgets, steps=12, seconds=0.2, into" in ran.out
    assert "Seconds are each seed's own: trials of such a budget are trained one at a time." in ran.out
    assert "gan on ring8, seed 1, seconds=0.2: done" in ran.out
    found = {(str(r.trial.budget), r.trial.seed): r for r in records(tmp_path / "out")}
    assert found.keys() == {(budget, seed) for budget in ("steps=12", "seconds=0.2") for seed in (0, 1)}
    assert all(found["seconds=0.2", seed].cost.train_seconds >= 0.2 for seed in (0, 1))
    assert [str(budget) for budget in Store(tmp_path / "out").plan("toy2d-smoke").budgets] == [
        "steps=12",
        "seconds=0.2",
    ]
    assert "Nothing is left to run." in smoke(*options).out


def test_stack_is_not_spoken_of_where_no_budget_is_in_seconds(smoke):
    assert "Seconds are" not in smoke("--trainer", "gan", "--stack", "2").out


def test_dry_run_estimates_each_budget(genbench):
    ran = genbench("run", "--suite", "toy2d-equal-smoke", "--trainer", "gan", "--dataset", "ring8", "--seeds", "0-1",
                   "--dry-run")  # fmt: skip
    assert ran.code == 0
    assert "toy2d-equal-smoke: 1 trainers × 1 datasets × 2 seeds × 3 budgets, updates=60, samples=15360" in ran.out
    for budget in ("updates=60", "samples=15360", "seconds=0.1"):
        assert re.search(rf"gan on ring8, {budget}: 2 × \d", ran.out)


def test_weights_are_left_out_where_asked(smoke, tmp_path):
    assert smoke("--trainer", "gan", "--no-weights").code == 0
    assert list(tmp_path.rglob(layout.WEIGHTS)) == []
    assert len(list(tmp_path.rglob(layout.SAMPLES))) == 1


def test_record_names_the_command_that_made_it(smoke, tmp_path):
    smoke("--trainer", "gan[width=8]")
    (record,) = records(tmp_path / "out")
    assert record.provenance["command"] == shlex.join(sys.argv)
    assert record.provenance["command"].startswith("genbench run --suite toy2d-smoke")


def test_dry_run_estimates_and_writes_nothing(genbench, tmp_path):
    ran = genbench("run", "--suite", "toy2d-smoke", "--trainer", "gan", "--seeds", "0-2", "--dry-run", "--jobs", "2")
    assert ran.code == 0
    assert "9 trials to run" in ran.out
    for dataset in ("ring8", "grid25", "swissroll"):
        assert re.search(rf"gan on {dataset}: 3 × \d", ran.out)
    assert re.search(r"About [\d.]+ (s|min|h).* of training with 2 at once", ran.out)
    assert list(tmp_path.iterdir()) == []


def test_dry_run_of_a_finished_plan_says_so(results, genbench):
    before = contents(results)
    ran = genbench("run", "--suite", "toy2d-smoke", "--dataset", "ring8", "--trainer", "gan", "--seeds", "0",
                   "--budget", "steps=5", "--out", results, "--dry-run")  # fmt: skip
    assert (ran.code, "Nothing is left to run." in ran.out) == (0, True)
    assert contents(results) == before


def test_trainer_and_dataset_make_a_suite_of_their_own(genbench):
    ran = genbench(*CUSTOM, "--dry-run")
    assert ran.code == 0
    assert "custom: 1 trainers × 1 datasets × 5 seeds, steps=6000" in ran.out


REFUSED = {
    "unknown suite": (["--suite", "toy3d"], "No suite is named 'toy3d'. Did you mean toy2d"),
    "unknown trainer": (
        ["--suite", "toy2d", "--trainer", "wgan_gp"],
        "No trainer is named 'wgan_gp'. Did you mean wgan",
    ),
    "unknown dataset": (["--suite", "toy2d", "--dataset", "ring9"], "No dataset is named 'ring9'. Did you mean ring"),
    "unknown parameter": (["--suite", "toy2d", "--trainer", "gan[lrr=1]"], "Did you mean lr"),
    "unknown recipe": (["--suite", "toy2d", "--trainer", "gan[recipe=mine]"], "No recipe of gan is named 'mine'"),
    "parameter out of range": (["--suite", "toy2d", "--trainer", "gan[lr=0]"], "parameter lr can't be 0"),
    "parameter of another type": (["--suite", "toy2d", "--trainer", "gan[width=wide]"], "width can't be wide"),
    "half a reference": (["--suite", "toy2d", "--trainer", "gan[lr=1"], "is not a reference"),
    "missing file": (["--suite", "toy2d", "--dataset", "mixture[path=none.csv,std=1]"], "none.csv is not a file"),
    "no budget": (["--suite", "toy2d", "--budget", "steps=0"], "'steps=0' is not a budget"),
    "negative budget": (["--suite", "toy2d", "--budget", "seconds=-1"], "is not a budget"),
    "endless budget": (["--suite", "toy2d", "--budget", "seconds=inf"], "is not a budget"),
    "unknown budget": (["--suite", "toy2d", "--budget", "epochs=3"], "steps, updates, samples or seconds"),
    "half a step": (["--suite", "toy2d", "--budget", "steps=1.5"], "whole numbers"),
    "seeds in words": (["--suite", "toy2d", "--seeds", "some"], "are not seeds"),
    "seeds backwards": (["--suite", "toy2d", "--seeds", "4-0"], "run backwards. Write 0-4"),
    "unknown device": (["--suite", "toy2d", "--device", "tpu"], "No device is named 'tpu'"),
    "missing device": (["--suite", "toy2d", "--device", "cuda:99"], "so cuda:99 can't be used. Give --device cpu."),
    "no plan": ([], "Nothing to run. Give --suite (toy2d"),
    "trainer alone": (["--trainer", "gan"], "both --trainer and --dataset"),
    "missing plugin": (["--suite", "toy2d", "--plugin", "none.py"], "none.py is not a file"),
    "unknown module": (["--suite", "toy2d", "--plugin", "no_such_module"], "Plugin no_such_module failed to load"),
    "no checkpoints": (["--suite", "toy2d", "--checkpoints", "0"], "--checkpoints"),
    "no jobs": (["--suite", "toy2d", "--jobs", "0"], "--jobs"),
    "unknown rerun": (["--suite", "toy2d", "--rerun", "some"], "--rerun"),
    "unknown option": (["--suite", "toy2d", "--steps", "3"], "--steps"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_before_anything_is_written(case, genbench, tmp_path):
    options, message = REFUSED[case]
    ran = genbench("run", *options)
    assert ran.code == 2
    assert message in ran.err
    assert list(tmp_path.iterdir()) == []


def test_refusal_is_one_line_without_a_traceback(genbench):
    ran = genbench("run", "--suite", "toy3d")
    assert (ran.out, ran.err.count("\n")) == ("", 1)
    assert ran.err.startswith("genbench: ")


def test_plugin_that_fails_is_refused_with_its_error(genbench, tmp_path):
    (tmp_path / "broken.py").write_text("raise ImportError('no such library')")
    ran = genbench(*CUSTOM, "--plugin", "broken.py")
    assert (ran.code, "broken.py failed to load: ImportError: no such library" in ran.err) == (2, True)


@pytest.mark.parametrize("out", ["a-file", "a-file/deeper"])
def test_folder_that_cannot_be_written_to_is_refused(out, genbench, tmp_path):
    (tmp_path / "a-file").write_text("")
    ran = genbench(*CUSTOM, "--out", out)
    assert ran.code == 2
    assert f"Can't write to {tmp_path / out} (" in ran.err
    assert "--out DIR" in ran.err


def test_disk_that_is_almost_full_is_refused(genbench, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(2**40, 2**40 - 2**20, 2**20))
    ran = genbench(*CUSTOM)
    assert (ran.code, "Only 1 MiB are free" in ran.err) == (2, True)


@pytest.mark.parametrize("name", [layout.PLAN, layout.CONTROLS, layout.CHECKPOINT, layout.SAMPLES, layout.RECORD])
def test_disk_that_fills_up_is_told_without_a_traceback(name, smoke, tmp_path, monkeypatch):
    write = atomic.write_atomically

    def full(path, content):
        if path.name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write(path, content)

    if name == layout.CONTROLS:
        (tmp_path / "out/toy2d-smoke/ring8/controls.json").unlink()
    monkeypatch.setattr(atomic, "write_atomically", full)
    ran = smoke("--trainer", "gan")
    assert ran.code in (1, 2)
    assert "No space left on device" in ran.out + ran.err
    assert all(record.status != "done" for record in records(tmp_path / "out"))


def test_failed_trial_is_told_and_run_again_only_where_asked(smoke, misfits, tmp_path):
    options = ("--trainer", "crashes,behaves", "--plugin", misfits)
    ran = smoke(*options)
    assert ran.code == 1
    assert "crashes on ring8, seed 0, steps=12: crashed (ValueError: no such luck (misfits.py:" in ran.out
    assert "1 crashed" in ran.out
    assert "1 done" in ran.out
    assert "--rerun failed" in ran.out
    again = smoke(*options)
    assert again.code == 1
    assert "0 trials to run, 1 done already" in again.out
    assert "1 failed before" in again.out
    assert "1 trials to run, 1 done already" in smoke(*options, "--rerun", "failed").out
    assert sorted(record.status for record in records(tmp_path / "out")) == ["crashed", "done"]


@pytest.mark.parametrize(
    ("dataset", "message"),
    [("refuses", "dataset refuses: its file is empty."), ("breaks", "RuntimeError: a library gave up")],
)
def test_dataset_that_cannot_be_built_is_told_without_a_traceback(dataset, message, genbench, misfits):
    ran = genbench("run", "--trainer", "gan", "--dataset", dataset, "--seeds", "0", "--plugin", misfits)
    assert ran.code == 2
    assert message in ran.err


def test_unreadable_record_is_named_and_made_again(results, genbench):
    bad = next(iter(sorted(results.rglob("gan/seed-0-*/record.json"))))
    bad.write_bytes(b"{")
    ran = genbench("run", "--suite", "toy2d-smoke", "--dataset", "ring8", "--trainer", "gan", "--seeds", "0",
                   "--checkpoints", "2", "--budget", "steps=5", "--out", results)  # fmt: skip
    assert ran.code == 0
    assert f"Unreadable: {bad}: not JSON" in ran.out
    assert "1 trials to run" in ran.out
    assert json.loads(bad.read_bytes())["status"] == "done"


def test_interrupted_run_goes_on_by_the_command_that_it_prints(smoke, genbench, misfits, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    ran = smoke(
        "--trainer", "behaves[at=5],interrupts-the-parent[at=5]", "--seeds", "0-1", "--stack", "1", "--plugin", misfits
    )
    assert ran.code == 130
    assert [record.trial.trainer.name for record in records(tmp_path / "out")] == ["behaves"]
    assert len(list(tmp_path.rglob(layout.CHECKPOINT))) == 1
    program, *arguments = command_to_go_on(ran.out)
    assert program == "genbench"
    while (ran := genbench(*arguments)).code == 130:
        pass
    assert ran.code == 0
    made = {(r.trial.trainer.name, r.trial.seed): r.weights_sha256 for r in records(tmp_path / "out")}
    assert len(made) == 4
    assert made["behaves", 0] == made["interrupts-the-parent", 0]
    assert made["behaves", 1] == made["interrupts-the-parent", 1] != made["behaves", 0]


def test_ctrl_c_in_a_terminal_exits_with_130_and_loses_nothing(genbench, once, tmp_path):
    options = ["--suite", "toy2d-smoke", "--dataset", "ring8", "--trainer", "gan[width=16,batch=32]", "--seeds", "0-1",
               "--device", "cpu", "--budget", "steps=800", "--checkpoints", "4"]  # fmt: skip
    for folder in ("whole", "cut"):
        cell = tmp_path / folder / "toy2d-smoke" / "ring8"
        cell.mkdir(parents=True)
        shutil.copy(once[0] / "toy2d-smoke/ring8/controls.json", cell)
    assert genbench("run", *options, "--out", "whole", "--jobs", "1").code == 0
    code = "import sys; from genbench.cli.main import main; sys.argv[0] = 'genbench'; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "run", *options, "--out", "cut", "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    ) as terminal:
        deadline = time.monotonic() + PATIENCE
        while not list(Path("cut").rglob(layout.CHECKPOINT)) and time.monotonic() < deadline:
            time.sleep(0.02)
        # As a terminal does it: to the program and all its workers.
        os.killpg(terminal.pid, signal.SIGINT)
        out, err = terminal.communicate(timeout=PATIENCE)
    assert (terminal.returncode, err.strip()) == (130, STOPPING.decode().strip())
    assert list(Path("cut").rglob(layout.CHECKPOINT))
    assert genbench(*command_to_go_on(out)[1:], "--jobs", "1").code == 0
    whole, cut = ({r.id: r.weights_sha256 for r in records(folder)} for folder in ("whole", "cut"))
    assert whole == cut
    assert len(set(whole.values())) == 2
