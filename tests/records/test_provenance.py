"""What a record says of its origin."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch

import genbench
from genbench.records import provenance


@pytest.fixture(autouse=True)
def uncached():
    provenance.git_state.cache_clear()
    yield
    provenance.git_state.cache_clear()


def git(folder: Path, *arguments: str) -> None:
    name = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout that looks like genbench's, and is the working folder."""
    (tmp_path / "genbench").mkdir()
    (tmp_path / "genbench/__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_gathers_what_the_design_asks_for() -> None:
    found = provenance.gather("cpu", "genbench run --suite toy2d")
    assert json.loads(json.dumps(found)) == found
    assert found["command"] == "genbench run --suite toy2d"
    assert found["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert found["packages"]["genbench"] == genbench.__version__
    assert found["threads"] == torch.get_num_threads()
    assert found["flags"]["matmul_precision"] == torch.get_float32_matmul_precision()
    assert {"commit", "dirty", "python", "platform", "torch_build", "device", "cores"} <= found.keys()
    assert found["device"]


def test_time_is_utc_and_now() -> None:
    created = datetime.fromisoformat(provenance.gather("cpu", "")["created"])
    assert created.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)


def test_clean_checkout(checkout: Path) -> None:
    (checkout / "results.json").write_text("untracked files don't change the code")
    found = provenance.git_state()
    assert len(found["commit"]) == 40
    assert found["dirty"] is False


def test_changed_checkout_is_dirty(checkout: Path) -> None:
    (checkout / "genbench/__init__.py").write_text("changed = True")
    assert provenance.git_state()["dirty"] is True


def test_elsewhere_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert provenance.git_state() == {"commit": None, "dirty": None}


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert provenance.git_state() == {"commit": None, "dirty": None}


def test_missing_package_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "PACKAGES", ("torch", "a-package-that-is-nowhere"))
    assert provenance.packages()["a-package-that-is-nowhere"] is None
