"""Results that somebody else made, or meddled with: a report shows all else, names the file, and harms nothing."""

import os
import shutil
import subprocess
import sys
import time

import malice
import pytest
from malice import MALICE

MOST_SECONDS, MOST_MEMORY = 20.0, 2 * 2**30
"""What a report of anyone's results may take."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Results that nobody has meddled with."""
    root = tmp_path_factory.mktemp("whole") / "results"
    return root, malice.results(root).relative_to(root)


@pytest.fixture
def root(whole, tmp_path):
    shutil.copytree(whole[0].parent, tmp_path / "theirs")
    return tmp_path / "theirs/results"


@pytest.mark.parametrize("name", MALICE)
def test_it_costs_what_it_is_in_and_nothing_else(name, root, whole, genbench):
    act, named, refused = MALICE[name]
    act(root, root / whole[1])
    before = malice.precious(root)
    ran = genbench("report", root)
    assert "Traceback" not in ran.err
    assert malice.precious(root) == before
    assert not any(letter in ran.out + ran.err for letter in "\x1b\x07\u202e")
    if refused is not None:
        assert ran.code == 2
        assert refused in ran.err
        assert sorted(path.name for path in root.parent.iterdir()) == ["precious", "results"]
        return
    assert ran.code == 0, ran.err
    assert "wgan" in ran.out
    assert {"curves-ring8.png", "landscapes.png"} <= {path.name for path in (root / "report/made-up").iterdir()}
    if named is not None:
        assert any(named in line for line in ran.err.splitlines() if line.startswith("Unreadable")), ran.err


def test_results_that_nobody_meddled_with_have_nothing_unreadable(root, genbench):
    ran = genbench("report", root)
    assert ran.code == 0
    assert "Unreadable" not in ran.err


def test_there_are_enough_attacks():
    assert len(MALICE) >= 60


@pytest.mark.slow
@pytest.mark.parametrize("name", MALICE)
def test_the_page_of_it_takes_little_time_and_memory(name, root, whole):
    """In a process of its own; `-s` tells how much of both."""
    MALICE[name].act(root, root / whole[1])
    code = "from genbench.cli.main import main; main()"
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-c", code, "report", str(root), "--out", str(root.parent / "page")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    print(f"{name}: {seconds:.1f} s, {usage.ru_maxrss / 2**20:.2f} GiB")
    assert child.returncode in (0, 2)
    assert seconds < MOST_SECONDS
    assert usage.ru_maxrss * 1024 < MOST_MEMORY
