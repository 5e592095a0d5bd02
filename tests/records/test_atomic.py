"""Files that are there whole or not at all."""

import os
from pathlib import Path

import made_up
import pytest

from genbench.records.atomic import write_atomically, write_model
from genbench.records.record import Cost


@pytest.mark.usefixtures("full_disk")
def test_failed_write_leaves_no_half_file(tmp_path):
    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "folder/record.json", b"content")
    assert made_up.files_in(tmp_path) == []


def test_write_that_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "folder/record.json", b"content")
    assert made_up.files_in(tmp_path) == []


def test_failed_write_leaves_the_old_file_whole(tmp_path, request):
    path = tmp_path / "record.json"
    write_atomically(path, b"old")
    request.getfixturevalue("full_disk")
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert made_up.files_in(tmp_path) == ["record.json"]


def test_write_reaches_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    happened = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (happened.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(Path, "replace", lambda self, target: (happened.append("rename"), replace(self, target))[1])
    write_atomically(tmp_path / "record.json", b"content")
    assert happened == ["fsync", "rename", "fsync"]
    assert (tmp_path / "record.json").read_bytes() == b"content"


def test_numbers_that_json_lacks_are_never_written(tmp_path):
    costly = Cost(**made_up.COST.model_dump() | {"train_seconds": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        write_model(tmp_path / "cost.json", costly)
    assert made_up.files_in(tmp_path) == []
