"""`genbench data`: what is there, decoding it, checking it."""

import hashlib
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pictures
import pytest
from PIL import Image
from rich.cells import cell_len
from rich.console import Console

from genbench.cli.data import decode_first
from genbench.datasets import digits
from genbench.datasets.files import cache, sources
from genbench.features import download
from genbench.registry import datasets
from genbench.spec import Component


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """A small MNIST and a small CelebA, and a cache of the test's own."""
    files = pictures.digits(tmp_path / "data")
    pictures.celeba(tmp_path / "data")
    md5s = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    small = replace(digits.MNIST, files=md5s)
    for name, value in {"MNIST": small, "TRAINING": 60, "TEST": 20, "HELD_OUT": 10}.items():
        monkeypatch.setattr(digits, name, value)
    monkeypatch.setenv("GENBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


def listed(genbench, *options):
    found = json.loads(genbench("data", "list", "--json", *options).out)
    return {dataset["name"]: dataset for dataset in found["datasets"]}, found["entries"]


def test_list_tells_what_is_there_before_and_after(genbench, tmp_path):
    before, entries = listed(genbench)
    assert before.pop("fashion-mnist")["present"] is False
    assert before.keys() == {"mnist", "stacked-mnist", "stacked-mnist-fixed", "celeba"}
    assert entries == []
    for dataset in before.values():
        assert (dataset["present"], dataset["decoded"], dataset["problem"]) == (True, None, None)
    assert genbench("data", "prepare", "mnist", "stacked-mnist-fixed", "celeba").code == 0
    after, entries = listed(genbench)
    del after["fashion-mnist"]
    assert after["mnist"]["decoded"] == after["stacked-mnist"]["decoded"]
    assert {entry["folder"] for entry in entries} == {dataset["decoded"] for dataset in after.values()}
    assert {Path(entry["folder"]).parent for entry in entries} == {tmp_path / "cache"}
    assert all(entry["usable"] and entry["bytes"] > 60_000 for entry in entries)


def test_list_in_words(genbench, tmp_path):
    genbench("data", "prepare", "celeba[size=16]")
    (tmp_path / "data" / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    out = genbench("data", "list").out
    assert f"\n{'mnist':21}missing, not decoded" in out
    assert f"\n{'celeba':21}present, not decoded" in out
    assert f"{'in cache':21}celeba-16-" in out
    assert max(map(cell_len, out.splitlines())) <= 80


def test_list_tells_of_a_broken_archive_and_of_entries_of_another_version(genbench, tmp_path, monkeypatch):
    with monkeypatch.context() as old:
        old.setattr(cache, "CACHE_VERSION", 0)
        assert genbench("data", "prepare", "celeba").code == 0
    (tmp_path / "data" / "celeba" / "img_align_celeba.zip").write_bytes(b"no zip")
    found, entries = listed(genbench)
    assert "is not a whole zip file" in found["celeba"]["problem"]
    assert [entry["usable"] for entry in entries] == [False]
    assert "of another version" in " ".join(genbench("data", "list").out.split())


def test_data_names_another_folder(genbench, tmp_path):
    assert not listed(genbench, "--data", tmp_path / "elsewhere")[0]["celeba"]["present"]
    assert os.environ["GENBENCH_DATA"] == str(tmp_path / "elsewhere")


def test_prepare_takes_parameters_and_own_images(genbench, tmp_path):
    path = pictures.folder(tmp_path / "own", pictures.many(50))
    ran = genbench("data", "prepare", f"celeba[size=16,crop=100],images[path={path},size=16]", "mnist[size=28]")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert [line.partition("]")[2][:15] for line in lines] == [": 60 images, 0 ", ": 50 images, 0 ", ": 80 images, 0 "]
    assert len(cache.entries()) == 3


def test_verify_finds_nothing_wrong(genbench):
    ran = genbench("data", "verify", "mnist", "celeba")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].endswith("raw is sound; 80 images in 10 classes; not decoded yet")
    assert lines[1].endswith("img_align_celeba.zip is sound; 60 images; not decoded yet")
    genbench("data", "prepare", "mnist", "celeba")
    ran = genbench("data", "verify", "mnist", "celeba")
    assert (ran.code, ran.out.count("is sound, and so is")) == (0, 2)


def test_verify_finds_what_is_wrong_and_goes_on(genbench, tmp_path):
    faces = {f"img_align_celeba/{i:06}.jpg": pictures.encoded(i, (89, 109)) for i in range(1, 61)}
    faces["img_align_celeba/000009.jpg"] = b""
    pictures.zipped(tmp_path / "data" / "celeba" / "img_align_celeba.zip", faces)
    path = tmp_path / "data" / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    ran = genbench("data", "verify", "celeba", "mnist")
    assert ran.code == 1
    assert "1 of the 60 images" in ran.err
    assert "000009.jpg: an empty file" in ran.err
    assert "train-labels-idx1-ubyte is not MNIST's" in ran.err
    assert genbench("data", "prepare", "celeba").code == 1


def test_verify_tells_what_is_no_image_and_what_is_read_in_part(genbench, tmp_path):
    path = pictures.folder(tmp_path / "own", pictures.many(50) | {"a.txt": b"x", ".b.jpg": b"x", "README": b"x"})
    frames = [Image.new("L", (30, 30), shade) for shade in (0, 99)]
    frames[0].save(path / "moving.gif", save_all=True, append_images=frames[1:])
    for command in ("verify", "prepare"):
        ran = genbench("data", command, f"images[path={path},size=16]")
        assert "left out: 1 hidden files, 1 of .txt, 1 without an ending" in ran.out
    ran = genbench("data", "verify", f"images[path={path},size=16]")
    assert "; 51 images; of 1 with several frames the first is read; left out" in ran.out


@pytest.mark.parametrize("command", ["prepare", "verify"])
def test_images_that_are_all_but_black_are_told(command, genbench, tmp_path):
    masks = np.random.default_rng(0).integers(0, 2, (50, 20, 20), dtype=np.uint8)
    files = {f"{i:02}.png": io.BytesIO() for i in range(50)}
    for mask, file in zip(masks, files.values(), strict=True):
        Image.fromarray(mask).save(file, "PNG")
    path = pictures.folder(tmp_path / "own", {name: file.getvalue() for name, file in files.items()})
    ran = genbench("data", command, f"images[path={path},size=16]")
    assert ran.code == 1
    assert f"The images in {path} hold no pixel above 1 of 255, as masks do" in ran.err


def test_names_of_several_lines_are_told_in_one(genbench, tmp_path):
    path = pictures.folder(tmp_path / "own", pictures.many(50) | {"new\nline\x1b[31m.png": b"no image"})
    ran = genbench("data", "verify", f"images[path={path},size=16]")
    assert "\n  new\\nline\\x1b[31m.png: " in ran.err


def test_verify_notices_other_contents_of_equal_size_and_time(genbench, tmp_path):
    path, name = tmp_path / "own", f"images[path={tmp_path / 'own'},size=16]"
    for seed in (0, 100):
        pictures.folder(path, {f"{i:02}.bmp": pictures.encoded(seed + i, kind="BMP") for i in range(50)})
        for file in path.iterdir():
            os.utime(file, (0, 0))
        if seed:
            said = genbench("data", "verify", name).out
            assert "changed since it was last read" in said
            assert "not decoded yet" in said
        assert genbench("data", "prepare", name).code == 0
    assert len(cache.entries()) == 2
    assert "changed" not in genbench("data", "verify", name).out


def test_verify_reads_afresh_whatever_a_file_system_says(genbench, tmp_path, monkeypatch):
    path = pictures.folder(tmp_path / "own", {f"{i:02}.bmp": pictures.encoded(i, kind="BMP") for i in range(50)})
    name = f"images[path={path},size=16]"
    genbench("data", "prepare", name)
    listed = sources.open_source(path).listed
    (path / "07.bmp").write_bytes(pictures.encoded(99, kind="BMP"))
    monkeypatch.setattr(sources, "_in_folder", lambda root, ignored: iter(listed))  # neither time nor number differs
    assert "changed since it was last read; not decoded yet" in genbench("data", "verify", name).out


def test_verify_finds_a_damaged_entry(genbench):
    genbench("data", "prepare", "celeba")
    (folder,) = cache.entries()
    content = bytearray((folder / cache.PIXELS).read_bytes())
    content[-1] ^= 1
    (folder / cache.PIXELS).write_bytes(content)
    ran = genbench("data", "verify", "celeba")
    assert ran.code == 1
    assert f"{folder} is damaged. Remove it" in ran.err


@pytest.mark.parametrize(
    ("names", "message"),
    [(["ring8"], "not made of images"), (["celebb"], "Did you mean celeba"), (["images"], "path is missing")],
)
def test_what_is_no_dataset_of_images_is_bad_usage(names, message, genbench):
    for command in ("prepare", "verify"):
        ran = genbench("data", command, *names)
        assert ran.code == 2
        assert message in ran.err


def test_run_decodes_what_its_datasets_need_before_it_starts():
    decode_first(Console(), [Component.resolve(datasets, name) for name in ("celeba", "ring8", "celeba[size=32]")])
    assert [folder.name.rpartition("-")[0] for folder in cache.entries()] == ["celeba-32", "celeba-64"]


def test_run_refuses_missing_data_before_it_starts(genbench, tmp_path):
    ran = genbench("run", "--trainer", "gan", "--dataset", "celeba", "--data", tmp_path / "none", "--out", "out")
    assert ran.code == 2
    assert str(tmp_path / "none" / "celeba") in ran.err


def test_prepare_fetches_the_weights_of_an_extractor(genbench, tmp_path, monkeypatch):
    content = tmp_path / "theirs.pth"
    content.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    fetched = replace(download.INCEPTION, url=content.as_uri(), sha256=digest, needs=("nowhere", "genbench[inception]"))
    monkeypatch.setattr(download, "INCEPTION", fetched)
    ran = genbench("data", "prepare", "inception", "celeba[size=16]")
    assert ran.code == 0
    assert "inception: 0 MB in" in ran.out
    assert "to look through it: pip install 'genbench[inception]'" in ran.out
    assert "celeba[size=16]: 60 images" in ran.out
    assert fetched.path.read_bytes() == b"weights"


def test_prepare_says_in_a_line_what_could_not_be_fetched(genbench, monkeypatch):
    monkeypatch.setattr(download, "INCEPTION", replace(download.INCEPTION, url="http://127.0.0.1:9/weights"))
    ran = genbench("data", "prepare", "inception")
    assert ran.code == 1
    assert ran.err.startswith("inception: http://127.0.0.1:9/weights could not be fetched (")
    assert "--inception-weights FILE" in ran.err
    assert len(ran.err.splitlines()) == 1
