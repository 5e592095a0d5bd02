"""A suite in one file: read like its folder, the same bytes for the same results, and nobody's way in."""

import shutil
import zipfile

import made_up
import pytest

from genbench import archives
from genbench.errors import GenbenchError
from genbench.records import packed
from genbench.records.store import Store


@pytest.fixture
def folder(results):
    for seed in range(3):
        made_up.put(results, made_up.trial(seed=seed), made_up.scores({"modes": 8.0 - seed}))
    oracle = {"oracle": [made_up.scores({"modes": 8.0})] * 2}
    made_up.put_controls(results, made_up.component("ring8"), oracle, [made_up.score("modes", None, (8.0, 8.0))])
    Store(results).write_plan(made_up.suite(seeds=(0, 1, 2)))
    return results / "made-up"


def read(root):
    here = Store(root)
    trials = [(each.record, each.scores) for each in here.trials("made-up")]
    found = here.suites(), here.plan("made-up"), trials, list(here.controls("made-up"))
    assert not here.unreadable
    assert not here.copies
    return found


def test_an_archive_is_read_like_the_folder(folder):
    before = read(folder.parent)
    assert len(before[2]) == 3
    packed.write(folder.with_suffix(".zip"), folder)
    shutil.rmtree(folder)
    assert read(folder.parent) == before


def test_the_folder_goes_first(folder):
    packed.write(folder.with_suffix(".zip"), folder)
    made_up.put(folder.parent, made_up.trial(seed=3), made_up.scores({"modes": 1.0}))
    assert len(read(folder.parent)[2]) == 4


def test_equal_results_make_equal_bytes(folder, tmp_path):
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    packed.write(one, folder)
    for path in folder.rglob("*.json"):
        path.touch()
    packed.write(other, folder)
    assert one.read_bytes() == other.read_bytes()


def test_an_archive_that_changed_is_read_again(folder, tmp_path):
    archive = folder.with_suffix(".zip")
    packed.write(archive, folder)
    aside = folder.rename(tmp_path / "aside")
    assert len(read(folder.parent)[2]) == 3
    aside.rename(folder)
    made_up.put(folder.parent, made_up.trial(seed=3), made_up.scores({"modes": 1.0}))
    packed.write(archive, folder)
    shutil.rmtree(folder)
    assert len(read(folder.parent)[2]) == 4


def test_nothing_is_added_to_an_archive(folder):
    packed.write(folder.with_suffix(".zip"), folder)
    shutil.rmtree(folder)
    with pytest.raises(GenbenchError, match=r"made-up is packed\. To go on with it: unzip \S+made-up\.zip -d \S+$"):
        Store(folder.parent).write_plan(made_up.suite())


def test_a_file_that_is_no_archive_of_a_suite_counts_for_nothing(results):
    results.mkdir(exist_ok=True)
    (results / "notes.zip").write_bytes(b"no archive")
    with zipfile.ZipFile(results / "photos.zip", "w") as file:
        file.writestr("photos/one.png", b"")
    here = Store(results)
    assert here.suites() == []
    assert not here.unreadable


@pytest.mark.parametrize(
    "name", ["../outside.json", "made-up/../../outside.json", "/outside.json", "other/record.json", "made-up\\..\\x"]
)
def test_names_that_lead_elsewhere_are_refused_before_anything_is_written(name, folder, tmp_path):
    archive = folder.with_suffix(".zip")
    packed.write(archive, folder)
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(name, b"{}")
    shutil.rmtree(folder)
    here = Store(folder.parent)
    assert list(here.trials("made-up")) == []
    assert "doesn't belong to made-up" in here.unreadable[0].reason
    assert not list(tmp_path.rglob("outside.json"))


def test_damage_is_named(folder):
    archive = folder.with_suffix(".zip")
    packed.write(archive, folder)
    content = bytearray(archive.read_bytes())
    content[200:240] = bytes(40)
    archive.write_bytes(content)
    shutil.rmtree(folder)
    here = Store(folder.parent)
    assert list(here.trials("made-up")) == []
    assert here.unreadable[0].path == archive


def test_more_than_fits_is_refused(folder, monkeypatch):
    archive = folder.with_suffix(".zip")
    packed.write(archive, folder)
    monkeypatch.setattr(packed, "MOST_BYTES", 10)
    with pytest.raises(GenbenchError, match="would unpack to more than"):
        packed.unpacked(archive)


def test_file_without_a_name_is_refused(tmp_path):
    """A name ends where its first zero byte is."""
    with zipfile.ZipFile(tmp_path / "made-up.zip", "w") as archive:
        archive.writestr("made-up/suite.json", "{}")
        archive.writestr("nameless", "{}")
    content = (tmp_path / "made-up.zip").read_bytes().replace(b"nameless", b"\0ameless")
    (tmp_path / "made-up.zip").write_bytes(content)
    with pytest.raises(zipfile.BadZipFile, match="has no name"):
        archives.opened(tmp_path / "made-up.zip", 10)
    with pytest.raises(GenbenchError, match="has no name"):
        packed.unpacked(tmp_path / "made-up.zip")
