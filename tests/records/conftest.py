"""A results folder, and a disk that is full."""

import errno
import os

import pytest


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


@pytest.fixture
def full_disk(monkeypatch):
    """fsync fails as it does on a full disk."""

    def fsync(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
