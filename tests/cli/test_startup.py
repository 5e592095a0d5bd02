"""What needs no torch starts without it."""

import os
import subprocess
import sys

import pytest

from genbench import __version__

WATCHED = """
import sys
from genbench.cli.main import main
sys.argv = ["genbench", *sys.argv[1:]]
try:
    main()
finally:
    print("torch" if "torch" in sys.modules else "no torch", file=sys.stderr)
"""


def watched(*arguments, **environment):
    ran = subprocess.run(
        [sys.executable, "-c", WATCHED, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout, ran.stderr.splitlines()[-1]


@pytest.mark.parametrize("command", ["--help", "--version"])
def test_help_needs_no_models_of_plans(command):
    """Importing pydantic alone takes a third of the time that help may take."""
    watching = WATCHED.replace("torch", "pydantic")
    ran = subprocess.run(
        [sys.executable, "-c", watching, *command.split()], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (0, "no pydantic")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("--help", 0),
        ("--version", 0),
        ("run --help", 0),
        ("score --help", 0),
        ("rescore --help", 0),
        ("score none.npy --dataset ring8", 2),
        ("score tox.ini --dataset ring9", 2),
        ("rescore none --protocol smoke", 2),
        ("list", 0),
        ("list --json", 0),
        ("show wgan-gp", 0),
        ("show toy2d", 0),
        ("show modes", 0),
        ("run --suite toy3d", 2),
        ("run --suite toy2d --trainer gan[lr=0]", 2),
        ("report none", 2),
        ("compare none none", 2),
        ("compare --help", 0),
        ("check --help", 0),
        ("new suite Mine", 2),
        ("time --help", 0),
        ("data list", 0),
        ("data list --json", 0),
        ("data prepare ring8", 2),
        ("data prepare celeba", 1),
        ("run --trainer gan --dataset celeba", 2),
    ],
)
def test_imports_no_torch(command, code):
    assert watched(*command.split(), GENBENCH_DATA="nowhere", GENBENCH_CACHE="none")[::2] == (code, "no torch")


@pytest.mark.parametrize("options", [[], ["--format", "md", "--no-figures"]], ids=["pictures", "tables"])
def test_report_imports_no_torch(options, results):
    code, out, torch = watched("report", results, *options)
    assert (code, torch) == (0, "no torch")
    assert "wgan-gp" in out


def test_parquet_imports_no_torch(results, tmp_path):
    options = ["--no-figures", "--format", "parquet", "--file", tmp_path / "tables.parquet"]
    assert watched("report", results, *options)[::2] == (0, "no torch")


def test_compare_imports_no_torch(results):
    code, out, torch = watched("compare", results, "--trainer", "gan", "--against", "wgan-gp")
    assert (code, torch) == (0, "no torch")
    assert "gan against wgan-gp" in out


def test_completion_imports_no_torch():
    code, out, torch = watched(
        _GENBENCH_COMPLETE="complete_bash",
        COMP_WORDS="genbench rep",
        COMP_CWORD="1",
        _TYPER_COMPLETE_ARGS="genbench rep",
    )
    assert (code, out.split(), torch) == (0, ["report"], "no torch")


def test_run_of_a_finished_plan_imports_no_torch(results):
    options = [
        "--suite",
        "toy2d-smoke",
        "--dataset",
        "ring8",
        "--trainer",
        "gan",
        "--seeds",
        "0-1",
        "--budget",
        "steps=5",
    ]
    code, out, torch = watched("run", *options, "--out", results)
    assert (code, torch) == (0, "no torch")
    assert "Nothing is left to run." in out


def test_version_is_the_packages(genbench):
    assert genbench("--version").out == f"{__version__}\n"


@pytest.mark.parametrize("command", [[], ["-h"]])
def test_help_names_every_command(command, genbench):
    ran = genbench(*command)
    commands = [
        "run",
        "score",
        "rescore",
        "report",
        "compare",
        "pack",
        "list",
        "show",
        "new",
        "check",
        "time",
        "data",
        "doctor",
    ]
    for name in commands:
        assert f" {name} " in ran.out + ran.err
