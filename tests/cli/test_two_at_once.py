"""Several runs on one results folder: they share the work, and take over what a killed one has left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genbench.records import claims, process
from genbench.records.store import Store

MISFITS = Path(__file__).parent.parent / "helpers" / "misfits.py"
FEW = ("--dataset", "ring8", "--checkpoints", "2", "--device", "cpu", "--budget", "steps=6", "--jobs", "1")
PATIENCE = 300.0


@pytest.fixture
def start(tmp_path):
    """`start("--seeds", "0-3")`: a run of trainers that leave a mark, in a process of its own."""
    runs = []

    def started(*options, trainer="leaves-a-mark"):
        code = "from genbench.cli.main import main; main()"
        command = ["run", "--trainer", trainer, *FEW, "--out", "results", "--plugin", str(MISFITS), *options]
        runs.append(
            subprocess.Popen(
                [sys.executable, "-c", code, *command],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(MISFITS.parent), "MARKS": str(tmp_path / "marks")},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return runs[-1]

    yield started
    for run in runs:
        run.kill()
        run.wait()
        run.stdout.close()


def ended(run):
    said = run.communicate(timeout=PATIENCE)[0]
    return run.returncode, said


def marks(tmp_path):
    return (tmp_path / "marks").read_text().split() if (tmp_path / "marks").exists() else []


def seeds(tmp_path):
    return sorted(found.record.trial.seed for found in Store(tmp_path / "results").trials("custom"))


@pytest.mark.parametrize(
    ("trainer", "code"),
    [pytest.param("leaves-a-mark", 0, marks=pytest.mark.slow), ("leaves-a-mark-and-crashes", 1)],
)
def test_two_runs_share_the_trials_and_train_none_twice(trainer, code, start, tmp_path):
    runs = [start("--seeds", "0-5", "--stack", "1", trainer=trainer) for _ in range(2)]
    for run in runs:
        ended_with, said = ended(run)
        assert ended_with == code, said
    assert len(marks(tmp_path)) == 6
    assert seeds(tmp_path) == [0, 1, 2, 3, 4, 5]
    assert not list((tmp_path / "results").rglob(f"{claims.CLAIM}*"))


def test_what_a_killed_run_has_claimed_is_taken_over(start, tmp_path):
    run = start("--seeds", "0-1", "--stack", "1")
    deadline = time.monotonic() + PATIENCE
    while not marks(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert list((tmp_path / "results").rglob(claims.CLAIM))
    code, said = ended(start("--seeds", "0-1", "--stack", "1"))
    assert code == 0, said
    assert seeds(tmp_path) == [0, 1]
    assert not list((tmp_path / "results").rglob(f"{claims.CLAIM}*"))


def test_two_runs_of_different_plans_leave_both_planned(tmp_path):
    code = (
        "import sys, made_up; from pathlib import Path; from genbench.records.store import Store\n"
        "for i in range(int(sys.argv[1]), int(sys.argv[1]) + 10):\n"
        "    Store(Path(sys.argv[2])).write_plan(made_up.suite(seeds=(i,)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(MISFITS.parent)}
    command = [sys.executable, "-c", code]
    runs = [subprocess.Popen([*command, f"{10 * i}", str(tmp_path)], env=environment) for i in range(2)]
    assert [run.wait(PATIENCE) for run in runs] == [0, 0]
    assert sorted(Store(tmp_path).plan("made-up").seeds) == list(range(20))


def test_results_that_are_removed_meanwhile_are_not_said_to_be_done(start):
    code, said = ended(start("--seeds", "0", "--trainer", "behaves", trainer="removes-the-results"))
    assert code in (0, 1)
    code, said = ended(start("--seeds", "0,1", "--stack", "1", "--trainer", "removes-the-results", trainer="behaves"))
    assert code == 1
    assert "gone from" in said


def claimed(folder, owner):
    folder.mkdir(parents=True)
    (folder / claims.CLAIM).write_text(owner)


def test_a_claim_is_one_processs(tmp_path):
    mine, others = claims.Claims(), claims.Claims()
    assert mine.take(tmp_path / "trial")
    assert not others.take(tmp_path / "trial")
    mine.release(tmp_path / "trial")
    assert not (tmp_path / "trial").exists(), "an empty folder is no trial's"
    assert others.take(tmp_path / "trial")


def test_a_dead_processs_claim_is_anyones(tmp_path):
    claimed(tmp_path / "trial", process.here().replace(f"-{os.getpid()}-", "-1-"))
    assert claims.Claims().take(tmp_path / "trial")


def test_another_machines_claim_stands_until_nobody_touches_it(tmp_path):
    claimed(tmp_path / "trial", "elsewhere_0-7-7")
    assert not claims.Claims().take(tmp_path / "trial")
    long_ago = time.time() - claims.STALE_SECONDS - 60
    os.utime(tmp_path / "trial" / claims.CLAIM, (long_ago, long_ago))
    assert claims.Claims().take(tmp_path / "trial")


def test_a_claim_is_touched_while_its_process_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "HEARTBEAT_SECONDS", 0.05)
    mine = claims.Claims()
    mine.take(tmp_path / "trial")
    path = tmp_path / "trial" / claims.CLAIM
    os.utime(path, (0, 0))
    deadline = time.monotonic() + 10
    while path.stat().st_mtime < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert path.stat().st_mtime > 1
    mine.close()


def test_a_folder_that_is_given_back_in_between_is_made_again(tmp_path, monkeypatch):
    mkdir, times = Path.mkdir, []

    def made_and_removed(self, *args, **kwargs):
        mkdir(self, *args, **kwargs)
        if not times:
            times.append(self.rmdir())

    monkeypatch.setattr(Path, "mkdir", made_and_removed)
    assert claims.Claims().take(tmp_path / "trial")


def test_the_claim_of_a_process_that_is_stopped_stands(tmp_path):
    """As by Ctrl-Z, or when a laptop is closed: its workers may go on."""
    owner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        os.kill(owner.pid, signal.SIGSTOP)
        machine = process.here().rpartition("-")[0].rpartition("-")[0]
        claimed(tmp_path / "trial", f"{machine}-{owner.pid}-{process._started(owner.pid)}")
        long_ago = time.time() - claims.STALE_SECONDS - 60
        os.utime(tmp_path / "trial" / claims.CLAIM, (long_ago, long_ago))
        assert not claims.Claims().take(tmp_path / "trial")
    finally:
        owner.kill()
        owner.communicate()
    assert claims.Claims().take(tmp_path / "trial")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_claim_keeps_nobody(make, tmp_path):
    (tmp_path / "trial").mkdir()
    make(tmp_path / "trial" / claims.CLAIM)
    assert claims.Claims().take(tmp_path / "trial")


def test_a_claim_from_the_future_keeps_nobody(tmp_path):
    claimed(tmp_path / "trial", "elsewhere_0-7-7")
    later = time.time() + 1e6
    os.utime(tmp_path / "trial" / claims.CLAIM, (later, later))
    assert claims.Claims().take(tmp_path / "trial")
