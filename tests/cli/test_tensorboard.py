"""`genbench run --tensorboard`: where event files lie, who needs them, and who takes them for something else."""

import importlib.util
import json
import re

import pytest

from genbench.records import layout
from genbench.records.store import Store
from genbench.trials import board


@pytest.fixture
def out(smoke, tmp_path):
    """Results of a run with `--tensorboard`."""
    ran = smoke("--trainer", "gan", "--tensorboard")
    assert ran.code == 0, ran.err
    return tmp_path / "out"


def test_event_files_lie_in_a_folder_like_the_trials_own(out):
    (found,) = Store(out).trials("toy2d-smoke")
    place = out / "tensorboard" / found.folder.relative_to(out)
    files = list((out / "tensorboard").rglob("events.out.tfevents.*"))
    assert files
    assert {file.parent for file in files} == {place}


def test_nothing_takes_them_for_a_suite(out, genbench):
    assert Store(out).suites() == ["toy2d-smoke"]
    assert list(json.loads(genbench("status", out, "--json").out)["suites"]) == ["toy2d-smoke"]
    verified, reported = genbench("verify", out), genbench("report", out, "--no-figures", "--format", "md")
    assert (verified.code, reported.code) == (0, 0)
    said = verified.out + verified.err + reported.out + reported.err
    assert not re.search("tensorboard|Unreadable", said.replace("--tensorboard", ""))


def test_without_it_nothing_is_written(smoke, tmp_path):
    assert smoke("--trainer", "gan").code == 0
    assert not (tmp_path / "out" / layout.BOARDS).exists()


def test_trials_are_the_same_with_and_without(out, smoke):
    assert "Nothing is left to run." in smoke("--trainer", "gan").out


def test_worker_processes_are_told(smoke, tmp_path):
    assert smoke("--trainer", "gan", "--seeds", "0-1", "--stack", "1", "--jobs", "2", "--tensorboard").code == 0
    seeds = {path.parent.name[:6] for path in (tmp_path / "out" / layout.BOARDS).rglob("events.*")}
    assert seeds == {"seed-0", "seed-1"}


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_missing_package_is_told_before_anything_is_written(more, genbench, tmp_path, monkeypatch):
    def find(name, *arguments):
        return None if name == board.PACKAGE else importlib.util.find_spec(name, *arguments)

    monkeypatch.setattr(board, "find_spec", find)
    ran = genbench("run", "--trainer", "gan", "--dataset", "ring8", "--tensorboard", *more)
    assert ran.code == 2
    assert "pip install 'genbench[tensorboard]'" in ran.err
    assert list(tmp_path.iterdir()) == []
