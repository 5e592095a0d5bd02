"""Where output goes and what paths are called hinders nobody: an old encoding, a full disk, a name that is no UTF-8."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from genbench.cli import list_

FULL = Path("/dev/full")
SMOKE = ("--suite", "toy2d-smoke", "--dataset", "ring8", "--checkpoints", "2", "--device", "cpu", "--jobs", "1")
RUN = [sys.executable, "-c", "from genbench.cli.main import main; main()"]


@pytest.fixture
def outside():
    """`outside("list", COLUMNS="0")` runs the command in a process of its own, which writes to a pipe."""

    def command(*arguments, stdout=subprocess.PIPE, **environment):
        return subprocess.run(
            [*RUN, *arguments], stdout=stdout, stderr=subprocess.PIPE, env=os.environ | environment, check=False
        )

    return command


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "utf-16"])
@pytest.mark.parametrize("form", ["terminal", "md", "json"])
def test_tables_are_printed_in_every_encoding_and_documents_in_utf8(form, encoding, once, outside):
    ran = outside("report", str(once[0]), "--format", form, "--no-figures", PYTHONIOENCODING=encoding)
    assert (ran.returncode, ran.stderr) == (0, b"")
    if form == "terminal":
        assert ("modes↑" if encoding.startswith("utf") else "modes\\u2191") in ran.stdout.decode(encoding)
    elif form == "md":
        assert "modes↑" in ran.stdout.decode("utf-8")
    else:
        assert json.loads(ran.stdout.decode("utf-8"))


@pytest.mark.parametrize("columns", ["0", "00", "", " "])
def test_width_of_nothing_counts_as_none_given(columns, once, outside):
    usual, other = (
        outside("report", str(once[0]), "--no-figures", COLUMNS=given).stdout.decode() for given in ("80", columns)
    )
    assert other == usual


def test_colours_make_no_terminal_of_a_file(tmp_path, outside):
    ran = outside("run", *SMOKE, "--seeds", "0", "--budget", "steps=5", "--out", str(tmp_path / "out"), FORCE_COLOR="1")
    assert ran.returncode == 0, ran.stderr
    assert b"done" in ran.stdout
    assert not re.search(rb"\x1b\[\d*[A-K]", ran.stdout + ran.stderr)  # nothing moves the cursor or clears a line


@pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["show", "gan"], ["--help"]], ids=" ".join)
def test_output_that_cannot_be_written_is_a_line(arguments, outside):
    with FULL.open("wb") as full:
        ran = outside(*arguments, stdout=full)
    assert ran.returncode == 2
    (line,) = ran.stderr.decode().splitlines()
    assert line.startswith("genbench: ")
    assert line.endswith("No space left on device. Make room, or name another folder.")


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_streams_that_are_closed_are_no_error(closed):
    command = f"{sys.executable} -c 'from genbench.cli.main import main; main()' list {closed}"
    ran = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_reader_that_goes_away_is_no_error(outside):
    ran = subprocess.run(
        " ".join([sys.executable, "-c", "'from genbench.cli.main import main; main()'", "show gan | head -n 1"]),
        shell=True, capture_output=True, check=False,
    )  # fmt: skip
    assert ran.stderr == b""


LONG = "a" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ["score", f"{LONG}.npy", "--dataset", "ring8"],
        ["run", "--dataset", "ring8", "--trainer", "gan", "--out", LONG],
        ["run", "--dataset", "ring8", "--trainer", "gan", "--out", "file/inside"],
        ["score", "loop", "--dataset", "mnist"],
        ["data", "verify", f"images[path={LONG}]"],
        ["data", "verify", "images[path=loop]"],
        ["report", LONG],
        ["compare", LONG, LONG],
        ["rescore", LONG, "--protocol", "smoke"],
        ["run", "--suite", "toy2d", "--plugin", f"{LONG}.py"],
        ["run", "--suite", "toy2d", "--plugin", "loop"],
        ["run", "--dataset", f"mixture[path={LONG},std=1]", "--trainer", "gan"],
        ["figures", LONG],
        ["new", "trainer", "mine", "--out", "file"],
    ],
    ids=lambda arguments: " ".join(word if word != LONG else "LONG" for word in arguments)[:60],
)
def test_what_the_system_refuses_is_a_line(arguments, genbench, tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    ran = genbench(*arguments)
    assert ran.code in (1, 2)
    assert "Traceback" not in ran.err
    assert ran.err.strip()


def test_error_of_a_program_is_no_line(genbench, monkeypatch):
    def broken(*_):
        raise OSError("of our own")

    monkeypatch.setattr(list_, "document", broken)
    with pytest.raises(OSError, match="of our own"):
        genbench("list", "--json")


@pytest.fixture
def odd(tmp_path):
    """A path whose name is no UTF-8."""
    return os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")


def test_names_that_are_no_utf8_are_read_and_written(odd, genbench, points):
    np.save(f"{odd}.npy", points)
    ring = ("--dataset", "ring8", "--protocol", "smoke")
    ran = genbench("score", f"{odd}.npy", *ring, "--save", "mine", "--out", odd)
    assert ran.code == 0, ran.err
    assert "Kept as 'mine'; genbench report " in ran.err
    assert "caf\\udce9.npy" in genbench("score", f"{odd}.npy", *ring).out
    assert genbench("report", odd, "--no-figures", "--format", "json").code == 0


def test_names_that_records_could_not_hold_are_refused(odd, genbench, points):
    Path(odd).mkdir()
    ran = genbench("data", "verify", f"images[path={odd}]")
    assert ran.code == 2
    assert "it is no UTF-8, which records are written in: rename it, or link to it" in ran.err
    np.save("mine.npy", points)
    ran = genbench("score", "mine.npy", "--dataset", "ring8", "--protocol", "smoke", "--json", "--save", odd[-4:])
    assert (ran.code, ran.out) == (2, "")
    assert "is no name" in ran.err
