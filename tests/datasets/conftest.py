"""Data and cache in folders of the test's own."""

import hashlib
import os
from dataclasses import replace

import pictures
import pytest

from genbench.datasets import digits

REAL = os.environ.get("GENBENCH_DATA")


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """60 + 20 made-up digits, of which the last ten of the 60 are held out."""
    files = pictures.digits(tmp_path / "data")
    md5s = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    small = replace(digits.MNIST, files=md5s)
    for name, value in {"MNIST": small, "TRAINING": 60, "TEST": 20, "HELD_OUT": 10}.items():
        monkeypatch.setattr(digits, name, value)
    return files


@pytest.fixture(scope="session")
def real_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def real_data(monkeypatch, real_cache):
    """GENBENCH_DATA as it was given to the tests, with one cache for all of them; skips where it wasn't."""
    if REAL is None:
        pytest.skip("GENBENCH_DATA is not set")
    monkeypatch.setenv("GENBENCH_DATA", REAL)
    monkeypatch.setenv("GENBENCH_CACHE", str(real_cache))
