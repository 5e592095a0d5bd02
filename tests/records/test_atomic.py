"""Files that are there whole or not at all."""

import os
from pathlib import Path

import made_up
import pytest

from genbench.records import process
from genbench.records.atomic import _file, write_atomically, write_model


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
    costly = made_up.COST.model_copy(update={"train_seconds": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        write_model(tmp_path / "cost.json", costly)
    assert made_up.files_in(tmp_path) == []


@pytest.mark.parametrize("there", [True, False], ids=["there", "dangling"])
def test_link_that_a_person_names_stays_and_the_file_behind_it_is_written(there, tmp_path):
    file, link = tmp_path / "elsewhere/record.json", tmp_path / "record.json"
    if there:
        write_atomically(file, b"old")
    link.symlink_to("elsewhere/record.json")
    write_atomically(link, b"new", follow=True)
    assert link.is_symlink()
    assert file.read_bytes() == b"new"


def test_any_other_link_is_replaced_and_nothing_behind_it_touched(tmp_path):
    """A results folder may be anyone's, and its links lead anywhere."""
    (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / "record.json").symlink_to("precious")
    write_atomically(tmp_path / "record.json", b"new")
    assert (tmp_path / "record.json").read_bytes() == b"new"
    assert (tmp_path / "precious").read_bytes() == b"mine"


def test_link_in_the_place_of_the_unfinished_file_is_not_followed(tmp_path):
    (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / f".record.json.{process.here()}.tmp").symlink_to("precious")
    write_atomically(tmp_path / "record.json", b"new")
    assert (tmp_path / "precious").read_bytes() == b"mine"


def test_link_to_itself_is_refused(tmp_path):
    (tmp_path / "record.json").symlink_to("record.json")
    with pytest.raises(OSError, match=r"symbolic links|not a regular file"):
        write_atomically(tmp_path / "record.json", b"content", follow=True)
    assert (tmp_path / "record.json").is_symlink()


def pipe(path):
    os.mkfifo(path)


def linked_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


@pytest.mark.parametrize("make", [Path.mkdir, pipe, linked_pipe])
def test_what_is_no_file_is_not_replaced(make, tmp_path):
    make(tmp_path / "record.json")
    mode = (tmp_path / "record.json").lstat().st_mode
    with pytest.raises(OSError, match="not a regular file"):
        write_atomically(tmp_path / "record.json", b"content", follow=True)
    assert (tmp_path / "record.json").lstat().st_mode == mode


def test_streams_are_no_files_though_they_may_lead_to_one():
    """Of a stream that is led into a file, what stands in it already would be lost."""
    with pytest.raises(OSError, match="not a regular file"):
        _file(Path("/dev/stdout"))
