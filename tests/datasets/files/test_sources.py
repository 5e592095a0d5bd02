"""Folders and zips of images: what counts, in which order, and what they are known by."""

import os
import shutil
import zipfile
import zlib
from pathlib import Path

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
    names = ("a.PNG", "b.jpg", "c.webp", "d.jpeg", "e.bmp", "f.tif", "g.TIFF", "h.gif", "i.ppm", "j.pgm", "k.jfif")
    for path in both({name: name.encode() for name in reversed(names)} | LITTER):
        source = open_source(path)
        assert source.names == names
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


def test_every_file_counts_or_is_counted(both):
    folder, zipped = map(open_source, both({"a.jpg": b"x", "b.gif": b"x", "c": b"x"} | LITTER))
    others = {"of .txt": 1, "of .tmp": 1, "without an ending": 1}
    assert folder.ignored == {"hidden folders": 2, "hidden files": 1} | others
    assert zipped.ignored == {"hidden files": 3} | others
    assert folder.left_out == "1 hidden files, 2 hidden folders, 1 of .tmp, 1 of .txt, 1 without an ending"


def test_links_are_followed_and_a_folder_counts_once(tmp_path):
    pictures.folder(tmp_path / "elsewhere", {"cats/1.jpg": b"1", "dogs/2.jpg": b"2", "3.jpg": b"3"})
    root = pictures.folder(tmp_path / "root", {"birds/1.jpg": b"4"})
    for name, target in {
        "cats": "../elsewhere/cats",
        "dogs": "../elsewhere/dogs",
        "again": "birds",
        "loop": ".",
        "birds/up": "..",
        "birds/5.jpg": "../../elsewhere/3.jpg",
    }.items():
        (root / name).symlink_to(target)
    source = open_source(root)
    assert source.names == ("birds/1.jpg", "birds/5.jpg", "cats/1.jpg", "dogs/2.jpg")
    assert [source.read(name) for name in source.names] == [b"4", b"3", b"1", b"2"]
    assert source.ignored == {"links to folders that count already, or that this one lies in": 3}
    plain = pictures.folder(tmp_path / "plain", {name: source.read(name) for name in source.names})
    assert open_source(plain).fingerprint == source.fingerprint


@pytest.mark.parametrize("target", ["..", "../..", "/"])
def test_links_to_what_the_folder_lies_in_are_left_out(target, tmp_path):
    pictures.folder(tmp_path / "data" / "test", {"2.jpg": b"2"})
    root = pictures.folder(tmp_path / "data" / "train", {"1.jpg": b"1"})
    (root / "up").symlink_to(target)
    source = open_source(root)
    assert source.names == ("1.jpg",)
    assert source.left_out == "1 links to folders that count already, or that this one lies in"


@pytest.mark.parametrize("target", ["nowhere.jpg", "broken.jpg", "0.jpg/1.jpg"], ids=["gone", "itself", "in a file"])
def test_links_that_lead_nowhere_are_named(target, tmp_path):
    root = pictures.folder(tmp_path / "root", {"0.jpg": b"x", ".hidden": b"x"})
    (root / "broken.jpg").symlink_to(target)
    (root / ".broken").symlink_to("nowhere")
    with pytest.raises(GenbenchError, match=r"root holds 1 links that lead nowhere: broken\.jpg\."):
        open_source(root)


def test_what_is_neither_file_nor_folder_is_left_out(tmp_path):
    root = pictures.folder(tmp_path / "root", {"0.jpg": b"x"})
    os.mkfifo(root / "1.jpg")
    assert open_source(root).left_out == "1 neither file nor folder"


def test_folder_that_cannot_be_entered_is_named(tmp_path, monkeypatch):
    root = pictures.folder(tmp_path / "root", {"0.jpg": b"x", "shut/1.jpg": b"x"})
    scandir = os.scandir

    def guarded(path):
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(sources.os, "scandir", guarded)
    with pytest.raises(GenbenchError, match=r"root/shut can't be read \(Permission denied\)"):
        open_source(root)


@pytest.mark.parametrize(
    ("stored", "names"),
    [
        (["./fakes/a.jpg", "./fakes/b.jpg"], ("a.jpg", "b.jpg")),
        (["pics\\cats\\a.jpg", "pics\\dogs\\b.jpg"], ("cats/a.jpg", "dogs/b.jpg")),
        (["/abs/a.jpg", "../b.jpg"], ("abs/a.jpg", "b.jpg")),
        (["x//a.jpg", "x/./b.jpg"], ("a.jpg", "b.jpg")),
    ],
    ids=["dot", "back slashes", "absolute", "doubled"],
)
def test_names_in_a_zip_are_those_that_unpacking_makes(stored, names, tmp_path):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as file:
        for i, name in enumerate(stored):
            member = zipfile.ZipInfo("x")
            member.filename = name
            file.writestr(member, bytes([i]))
    source = open_source(tmp_path / "archive.zip")
    assert source.names == names
    assert [source.read(name) for name in names] == [b"\0", b"\1"]


def test_of_a_name_that_comes_again_the_last_counts(tmp_path):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as file, pytest.warns(UserWarning, match="Duplicate name"):
        for name, content in (("x/a.jpg", b"1"), ("x/b.jpg", b"2"), ("./x/a.jpg", b"3"), ("x/b.jpg", b"4")):
            file.writestr(name, content)
    source = open_source(tmp_path / "archive.zip")
    assert {name: source.read(name) for name in source.names} == {"a.jpg": b"3", "b.jpg": b"4"}
    assert source.left_out == "2 named again later"


def test_image_of_a_quarter_of_a_gigabyte_is_refused_unread(tmp_path):
    root = pictures.folder(tmp_path / "root", {"0.jpg": b"x"})
    with (root / "0.jpg").open("wb") as file:
        file.truncate(sources.MOST_BYTES + 1)
    with pytest.raises(ValueError, match="more than an image should have"):
        open_source(root).read("0.jpg")


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
        "empty": r"holds no images.*1 of \.txt",
        "cut.zip": "is not a whole zip file",
    }.items():
        with pytest.raises(GenbenchError, match=rf"{name}.*{words}"):
            open_source(tmp_path / name)


def test_unpacking_changes_nothing(tmp_path, real_data):
    root = Path(os.environ["GENBENCH_DATA"]) / "celeba"
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
