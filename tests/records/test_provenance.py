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
    """A git checkout that genbench runs from."""
    (tmp_path / "genbench").mkdir()
    (tmp_path / "genbench/__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "genbench")
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


def test_the_working_folder_does_not_matter(checkout: Path, tmp_path_factory, monkeypatch: pytest.MonkeyPatch) -> None:
    found = provenance.git_state()
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    provenance.git_state.cache_clear()
    assert provenance.git_state() == found


def test_installed_into_a_folder_of_another_repository_there_is_no_commit(checkout: Path, monkeypatch) -> None:
    """As in a virtual environment that lies in somebody's project."""
    package = checkout / ".venv/lib/genbench"
    package.mkdir(parents=True)
    monkeypatch.setattr(provenance, "PACKAGE", package)
    assert provenance.git_state() == {"commit": None, "dirty": None}


def test_a_folder_that_looks_like_genbenchs_is_not_asked_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git starts what a repository's settings name, and any folder may be a repository."""
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    hook.chmod(0o755)
    (tmp_path / "genbench").mkdir()
    (tmp_path / "genbench/__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    git(tmp_path, "config", "core.fsmonitor", str(hook))
    own = provenance.git_state()
    provenance.git_state.cache_clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    assert provenance.git_state() == own
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "genbench")
    provenance.git_state.cache_clear()
    assert provenance.git_state()["dirty"] is False
    assert not (tmp_path / "started").exists()


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert provenance.git_state() == {"commit": None, "dirty": None}


def test_missing_package_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "PACKAGES", ("torch", "a-package-that-is-nowhere"))
    assert provenance.packages()["a-package-that-is-nowhere"] is None
