"""Folders and zips of images: what counts, in which order, and what they are known by."""

import os
import shutil
import zipfile
import zlib

import pictures
import pytest

from genbench.datasets.files import sources
from genbench.datasets.files.sources import open_source
from genbench.errors import GenbenchError

LITTER = {"notes.txt": b"x", ".hidden.jpg": b"x", "__MACOSX/a.jpg": b"x", ".git/a.png": b"x", "a.jpg.tmp": b"x"}


@pytest.fixture
def both(tmp_path):
    """`both(files)`: a folder and a zip of the same files."""
    return lambda files: (
        pictures.folder(tmp_path / "folder", files),
        pictures.zipped(tmp_path / "archive.zip", dict(reversed(files.items()))),
    )


def test_images_alone_count_and_are_sorted(both):
    files = {name: name.encode() for name in ("b.jpg", "a.PNG", "c.webp", "d.jpeg", "e.bmp")} | LITTER
    for path in both(files):
        source = open_source(path)
        assert source.names == ("a.PNG", "b.jpg", "c.webp", "d.jpeg", "e.bmp")
        assert [source.read(name) for name in source.names] == [name.encode() for name in source.names]


@pytest.mark.parametrize("inside", ["", "top/", "top/deeper/"])
def test_zip_and_folder_are_known_by_the_same_fingerprint(inside, both):
    plain, zipped = map(open_source, both({f"{inside}{i}.jpg": bytes([i]) for i in range(9)} | LITTER))
    assert plain.names == zipped.names == tuple(f"{i}.jpg" for i in range(9))
    assert plain.fingerprint == zipped.fingerprint


@pytest.mark.parametrize(
    "other",
    [{"0.jpg": b"x", "1.jpg": b"z"}, {"0.jpg": b"x", "2.jpg": b"y"}, {"0.jpg": b"x"}, {"0.jpg": b"y", "1.jpg": b"x"}],
)
def test_fingerprint_tells_names_and_contents_apart(other, tmp_path):
    one, two = (
        pictures.folder(tmp_path / name, f) for name, f in (("1", {"0.jpg": b"x", "1.jpg": b"y"}), ("2", other))
    )
    assert open_source(one).fingerprint != open_source(two).fingerprint


def test_folder_is_read_once_for_its_fingerprint(tmp_path, monkeypatch):
    path = pictures.folder(tmp_path / "folder", {"0.jpg": b"x", "1.jpg": b"y"})
    before = open_source(path).fingerprint
    monkeypatch.setattr(sources.zlib, "crc32", lambda content: pytest.fail("read again"))
    assert open_source(path).fingerprint == before
    monkeypatch.undo()


def test_changed_folder_is_read_again(tmp_path, monkeypatch):
    path = pictures.folder(tmp_path / "folder", {"0.jpg": b"x", "1.jpg": b"y"})
    before = open_source(path).fingerprint
    (path / "1.jpg").write_bytes(b"z")
    os.utime(path / "1.jpg", ns=(1, 1))
    assert open_source(path).fingerprint != before


def test_damaged_memory_of_a_fingerprint_is_made_again(tmp_path):
    path = pictures.folder(tmp_path / "folder", {"0.jpg": b"x", "1.jpg": b"y"})
    before = open_source(path).fingerprint
    (memory,) = (tmp_path / "cache" / sources.MEMORY).iterdir()
    memory.write_text("[")
    assert open_source(path).fingerprint == before


@pytest.mark.parametrize(
    ("names", "classes", "labels"),
    [
        (("cats/1.jpg", "dogs/1.jpg", "dogs/2.jpg"), ("cats", "dogs"), [0, 1, 1]),
        (("faces/cats/1.jpg", "faces/dogs/sub/1.jpg"), ("cats", "dogs"), [0, 1]),
        (("only/1.jpg", "only/2.jpg"), (), None),
        (("1.jpg", "dogs/1.jpg"), (), None),
        (("1.jpg", "2.jpg"), (), None),
    ],
)
def test_folders_of_the_first_level_are_classes_where_all_images_lie_in_some(names, classes, labels, both):
    for path in both(dict.fromkeys(names, b"x")):
        source = open_source(path)
        assert (source.classes, source.labels) == (classes, labels)


def test_what_is_no_source_says_so(tmp_path):
    pictures.folder(tmp_path / "empty", {"notes.txt": b"x"})
    whole = pictures.zipped(tmp_path / "whole.zip", pictures.many(3))
    (tmp_path / "cut.zip").write_bytes(whole.read_bytes()[:-40])
    for name, words in {
        "nowhere": "is no folder and no zip file",
        "empty": r"holds no images.*\.jpg",
        "cut.zip": "is not a whole zip file",
    }.items():
        with pytest.raises(GenbenchError, match=rf"{name}.*{words}"):
            open_source(tmp_path / name)


def test_unpacking_changes_nothing(tmp_path, real_data):
    root = sources.Path(os.environ["GENBENCH_DATA"]) / "celeba"
    with zipfile.ZipFile(root / "img_align_celeba.zip") as file:
        file.extractall(tmp_path / "unpacked")
    zipped = open_source(root / "img_align_celeba.zip")
    assert open_source(tmp_path / "unpacked" / "img_align_celeba").fingerprint == zipped.fingerprint
    assert zipped.names[0] == "000001.jpg"
    shutil.rmtree(tmp_path / "unpacked")


@pytest.mark.parametrize("way", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("where", [20, 40, -12], ids=["header", "content", "end"])
def test_damaged_member_of_a_zip_is_noticed(way, where, tmp_path):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w", way) as file:
        file.writestr("a.jpg", bytes(range(200)))
        end = file.start_dir
    damaged = bytearray((tmp_path / "archive.zip").read_bytes())
    start = (end + where) if where < 0 else where
    damaged[start : start + 12] = bytes(12)
    (tmp_path / "archive.zip").write_bytes(damaged)
    source = open_source(tmp_path / "archive.zip")
    with pytest.raises((zipfile.BadZipFile, zlib.error)):
        source.read("a.jpg")
