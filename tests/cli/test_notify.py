"""`genbench run --notify`: what is run when a run ends, what it is told, and who never hears of it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genbench.cli import notify
from genbench.cli.heartbeat import Heart
from genbench.cli.options import command_line
from genbench.records import beats, layout
from genbench.trials import session

NAMES = ("STATUS", "SUITE", "RESULTS", "COMMAND", "SUMMARY")
SECRET = "https://example.org/hook/s3cr3t"
TELLS = " && ".join(f'echo "{name} $GENBENCH_{name}" >> told' for name in NAMES)


DIVERGES = "wgan-gp[lr=1e30]"
FINISHED = ("run", "--suite", "toy2d-smoke", "--dataset", "ring8", "--trainer", "gan", "--seeds", "0,1",
            "--budget", "steps=5")  # fmt: skip
"""A run of the fixture `results`, which has all of it."""


def told():
    return dict(line.split(" ", 1) for line in Path("told").read_text().splitlines())


@pytest.fixture
def interrupted(monkeypatch):
    """Whoever runs several trials presses Ctrl-C when the first has ended."""
    finish = Heart.finish

    def finish_and_interrupt(heart, outcome):
        finish(heart, outcome)
        if heart.pace.finished == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Heart, "finish", finish_and_interrupt)


def test_a_run_that_went_well_is_done(smoke, tmp_path):
    assert smoke("--trainer", "gan", "--notify", TELLS).code == 0
    assert told() == {
        "STATUS": "done",
        "SUITE": "toy2d-smoke",
        "RESULTS": str(tmp_path / "out"),
        "COMMAND": command_line(),
        "SUMMARY": "toy2d-smoke: 1 done",
    }


def test_a_run_with_a_failed_trial_failed(smoke):
    assert smoke("--trainer", f"gan,{DIVERGES}", "--notify", TELLS).code == 1
    assert told()["STATUS"] == "failed"
    assert sorted(told()["SUMMARY"].removeprefix("toy2d-smoke: ").split(", ")) == ["1 diverged", "1 done"]


def test_a_run_with_nothing_left_is_done(results, genbench):
    assert genbench(*FINISHED, "--out", results, "--notify", TELLS).code == 0
    assert (told()["STATUS"], told()["SUMMARY"]) == ("done", "toy2d-smoke: nothing was left to run")


def test_a_run_with_nothing_left_and_failures_before_failed(smoke):
    smoke("--trainer", DIVERGES)
    assert smoke("--trainer", DIVERGES, "--notify", TELLS).code == 1
    assert (told()["STATUS"], told()["SUMMARY"]) == ("failed", "toy2d-smoke: 1 failed before")


@pytest.mark.usefixtures("interrupted")
def test_an_interrupted_run_is_interrupted(smoke):
    assert smoke("--trainer", "gan,wgan,wgan-gp", "--notify", TELLS).code == 130
    assert told()["STATUS"] == "interrupted"
    assert re.fullmatch(r"toy2d-smoke: [12] done, interrupted", told()["SUMMARY"])


def test_sigterm_interrupts_too(once, tmp_path):
    code = "import sys; from genbench.cli.main import main; sys.argv[0] = 'genbench'; main()"
    options = ["--suite", "toy2d-smoke", "--dataset", "ring8", "--trainer", "gan[width=16,batch=32]", "--seeds", "0",
               "--device", "cpu", "--budget", "steps=200000", "--checkpoints", "90", "--notify", TELLS]  # fmt: skip
    cell = tmp_path / "out" / "toy2d-smoke" / "ring8"
    cell.mkdir(parents=True)
    shutil.copy(once[0] / "toy2d-smoke/ring8/controls.json", cell)
    with subprocess.Popen(
        [sys.executable, "-c", code, "run", *options, "--engine", "plain", "--jobs", "1", "--out", "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        deadline = time.monotonic() + 120
        while not list(Path("out").rglob(layout.CHECKPOINT)) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.terminate()
        child.communicate(timeout=60)
    assert child.returncode == 130
    assert told()["STATUS"] == "interrupted"


def test_an_error_after_training_began_failed(smoke, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session, "commit", full)
    monkeypatch.setattr(beats, "write", lambda *arguments: None)
    assert smoke("--trainer", "gan", "--notify", TELLS).code in (1, 2)
    assert told()["STATUS"] == "failed"


@pytest.mark.parametrize(
    "options",
    [("--trainer", "gan", "--dry-run"), ("--trainer", "gan[lr=0]"), ("--trainer", "crashes-at-once", "--plugin", ...)],
    ids=["dry run", "bad parameter", "preflight"],
)
def test_nothing_is_run_before_training_begins(options, smoke, misfits):
    smoke(*(misfits if option is ... else option for option in options), "--notify", TELLS)
    assert not Path("told").exists()


@pytest.mark.usefixtures("interrupted")
@pytest.mark.parametrize("spelling", [("--notify", f"echo {SECRET}"), (f"--notify=echo {SECRET}",)])
def test_the_command_is_in_no_record_no_beat_and_no_command_to_go_on(spelling, smoke, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(beats, "write", lambda root, beat: said.append(beat.model_dump_json()))
    ran = smoke("--trainer", f"{DIVERGES},gan,wgan", "--tensorboard", *spelling, "--weights")
    assert ran.code == 130
    assert re.search(rf"to go on:\n +genbench run .*--trainer '{re.escape(DIVERGES)},gan,wgan'.* --weights\n", ran.out)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert said and layout.RECORD in {path.name for path in files}
    contents = [ran.out.encode(), *map(str.encode, said), *(path.read_bytes() for path in files)]
    for hidden in (b"s3cr3t", b"--notify"):
        assert not any(hidden in content for content in contents)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["run", "--notify", "X", "--seeds", "0"], "genbench run --seeds 0"),
        (["run", "--notify=X Y", "--seeds", "0"], "genbench run --seeds 0"),
        (["run", "--notify", "--seeds"], "genbench run"),
        (["run", "--seeds", "0", "--notify"], "genbench run --seeds 0"),
        (["run", "--notify", "X", "--notify=Y", "--notify", "Z"], "genbench run"),
        (["run", "--out", "--notifying"], "genbench run --out --notifying"),
    ],
)
def test_both_spellings_are_left_out_of_the_command_line(given, kept, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/genbench", *given])
    assert command_line() == kept


def test_what_it_prints_goes_to_standard_error(capfd):
    notify._run("echo heard; echo warned >&2", {})
    assert capfd.readouterr() == ("", "heard\nwarned\n")


@pytest.mark.parametrize(
    ("command", "told_of"),
    [
        ("exit 3", "failed with exit code 3"),
        (f"{SECRET}-is-no-program", "failed with exit code 127"),
        ("kill -TERM $$", "was killed by SIGTERM"),
        ("sleep 600", "took more than 0.5 s and was killed"),
    ],
)
def test_its_failure_is_a_warning_that_keeps_the_secret(command, told_of, results, genbench, monkeypatch):
    monkeypatch.setattr(notify, "MOST_SECONDS", 0.5)
    ran = genbench(*FINISHED, "--out", results, "--notify", command)
    assert ran.code == 0
    assert ran.err == f"genbench: the command of --notify {told_of}.\n"


def test_one_that_takes_too_long_is_killed_with_all_that_it_started(monkeypatch, capsys):
    monkeypatch.setattr(notify, "MOST_SECONDS", 1.0)
    notify._run("sleep 600 & echo $! > pid; wait", {})
    assert "and was killed" in capsys.readouterr().err
    with pytest.raises(ProcessLookupError):
        _wait_for_the_end_of(int(Path("pid").read_text()))


def _wait_for_the_end_of(pid):
    for _ in range(100):
        os.kill(pid, 0)
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            raise ProcessLookupError  # nobody has looked after it yet
        time.sleep(0.05)


def test_ctrl_c_ends_it_at_once(monkeypatch, request):
    monkeypatch.setattr(subprocess.Popen, "wait", _interrupted_once(subprocess.Popen.wait))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # which what runs in the background ignores
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with pytest.raises(KeyboardInterrupt):
        notify._run("echo $$ > pid; sleep 600", {})
    with pytest.raises(ProcessLookupError):
        _wait_for_the_end_of(int(Path("pid").read_text()))


def _interrupted_once(wait):
    def interrupted(child, timeout=None):
        if timeout is None:
            return wait(child)
        while not Path("pid").exists() or not Path("pid").read_text():
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)
        return wait(child, timeout)

    return interrupted
