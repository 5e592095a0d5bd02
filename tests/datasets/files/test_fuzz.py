"""Folders, zips, tables and arrays as nobody makes them: each is read, every file counted, or refused in a line."""

import io
import os
import resource
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save as as_safetensors

from genbench.datasets.files.decoding import decode_all
from genbench.datasets.files.sources import open_source
from genbench.datasets.files.transforms import Transform
from genbench.errors import GenbenchError
from genbench.scoring.external import read

MOST_BYTES, SPARE_BYTES = 2 * 2**30, 2**28
QUICK = settings(max_examples=60, deadline=10_000, suppress_health_check=list(HealthCheck), derandomize=True)
LONG = settings(QUICK, max_examples=1_500, derandomize=False, database=None)
"""Of each of the four kinds: 6 000, which is 600 a minute for ten."""

FORMATS = {"PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "TIFF": ".tif", "PPM": ".ppm", "BMP": ".bmp", "WEBP": ".webp"}
MODES = ("RGB", "L", "RGBA", "P", "1", "CMYK", "I;16", "I", "F", "LA", "YCbCr")
EVENTS = ((2,), (1,), (3, 8, 8), (1, 8, 8))


@st.composite
def images(draw):
    """An encoded image of some format, mode and size, or of none."""
    kind, mode = draw(st.sampled_from(sorted(FORMATS))), draw(st.sampled_from(MODES))
    size = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    buffer = io.BytesIO()
    try:
        Image.new(mode, size, draw(st.integers(0, 255)) if mode in ("L", "P", "1", "I;16", "I", "F") else None).save(
            buffer, kind
        )
    except (OSError, ValueError, KeyError):  # no such mode in that format
        Image.new("RGB", size).save(buffer, "PNG")
    return draw(damaged(buffer.getvalue()))


@st.composite
def damaged(draw, content):
    """A content as it is, cut off, with bytes changed, or with more behind it."""
    how = draw(st.sampled_from(("whole", "whole", "cut", "changed", "longer", "empty")))
    if how == "cut":
        return content[: draw(st.integers(0, len(content)))]
    if how == "changed" and content:
        changed = bytearray(content)
        for place, byte in draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=9)):
            changed[place] = byte
        return bytes(changed)
    if how == "longer":
        return content + draw(st.binary(max_size=50))
    return b"" if how == "empty" else content


PARTS = st.sampled_from(
    [b"a", b"b", b"cats", b".", b"..", b".hidden", b"__MACOSX", b"caf\xe9", "数".encode(), b" ", b"x" * 120, b"a.png"]
)
ENDINGS = st.sampled_from([*(ending.encode() for ending in FORMATS.values()), b"", b".txt", b".JPG", b".jpg.", b".eps"])
NAMES = st.builds(lambda parts, ending: b"/".join(parts) + ending, st.lists(PARTS, min_size=1, max_size=4), ENDINGS)
TREES = st.dictionaries(NAMES, images(), min_size=1, max_size=8)


def looked_at(path):
    """What a source of images is said to hold: how many it lists and how many it leaves out; None where refused."""
    try:
        source = open_source(path)
    except GenbenchError as refused:
        assert str(path) in str(refused)
        return None
    assert source.left_out.count(",") >= len(source.ignored) - 1
    heard = []
    try:
        decode_all(source, Transform(8), lambda pixels: heard.append(len(pixels)), lambda done, total: None)
    except GenbenchError as refused:
        assert " images in " in str(refused)
    assert sum(heard) == len(source.names)
    assert len(source.fingerprint) == 64
    return len(source.names), source.ignored


def planted(root, tree):
    """Writes what of a tree can be written; returns the files that lie in it."""
    for name, content in tree.items():
        path = Path(os.path.normpath(root / os.fsdecode(name.lstrip(b"/"))))
        if path.is_relative_to(root) and path != root:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                continue
    return [path for path in root.rglob("*") if path.is_file()]


def folders(tree, links, tmp_path_factory):
    root = tmp_path_factory.mktemp("folder")
    files = planted(root, tree)
    for i, target in enumerate(links):
        (root / f"link{i}").symlink_to(target)
    if (found := looked_at(root)) is None or links:
        return
    count, ignored = found
    inside = sum(1 for path in files if any(_hides(part) for part in path.relative_to(root).parts[:-1]))
    ignored = dict(ignored)
    ignored.pop("hidden folders", 0)
    assert count + sum(ignored.values()) + inside == len(files)


def _hides(name):
    return name.startswith(".") or name == "__MACOSX"


def zips(tree, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("zip") / "archive.zip"
    with zipfile.ZipFile(path, "w", data.draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))) as archive:
        for name, content in tree.items():
            member = zipfile.ZipInfo("x")
            member.filename = name.decode("utf-8", "replace").replace(
                "/", data.draw(st.sampled_from(("/", "\\", "//")))
            )
            archive.writestr(member, content)
    whole = path.read_bytes()
    path.write_bytes(content := data.draw(damaged(whole)))
    found = looked_at(path)
    if found is not None and content == whole:
        count, ignored = found
        assert count + sum(ignored.values()) == sum(not member.is_dir() for member in zipfile.ZipFile(path).infolist())


CELLS = st.sampled_from(
    ["1", "-2.5", "1e5", "", "nan", "inf", "NA", "x", '"', '""', '"1"', "1,2", "0x1", "1_0", "１", "#"]
)


def tables(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    rows = data.draw(st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=6))
    between = data.draw(st.sampled_from([",", ";", "\t", " , "]))
    heading = data.draw(st.sampled_from(["", "x,y\n", "0,1\n", ",x,y\n", "# x,y\n", "\ufeffx,y\n"]))
    text = heading + "\n".join(between.join(row) for row in rows)
    path = folder / "table.csv"
    path.write_bytes(
        data.draw(damaged(text.encode(data.draw(st.sampled_from(["utf-8", "utf-16", "latin-1"])), "replace")))
    )
    taken(path, data)


def arrays(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("array")
    shape = data.draw(
        st.sampled_from([(9, 2), (9, 1), (9, 3, 8, 8), (9, 8, 8, 3), (9, 8, 8), (9,), (0, 2), (), (2, 9)])
    )
    dtype = data.draw(
        st.sampled_from(["float32", "float64", "float16", "uint8", "int64", "bool", "complex64", "U3", ">f4"])
    )
    array = np.zeros(shape, dtype) if dtype == "U3" else (np.random.default_rng(0).random(shape) * 255).astype(dtype)
    ending = data.draw(st.sampled_from([".npy", ".npz", ".parquet", ".safetensors", ".csv"]))
    buffer = io.BytesIO()
    if ending == ".npz":
        np.savez(buffer, **dict.fromkeys(data.draw(st.sampled_from(["a", "ab"])), array))
    elif ending == ".parquet" and array.ndim == 2 and dtype not in ("complex64", "U3", ">f4"):
        pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])]).to_parquet(buffer)
    elif ending == ".safetensors" and dtype not in ("complex64", "U3", ">f4"):
        buffer.write(as_safetensors({"a": np.ascontiguousarray(array)}))
    else:
        np.save(buffer, array)
    path = folder / f"array{ending}"
    path.write_bytes(data.draw(damaged(buffer.getvalue())))
    taken(path, data)


def taken(path, data):
    """Samples are of the event's shape and all finite, or the file is refused by its name."""
    event = data.draw(st.sampled_from(EVENTS))
    try:
        samples = read(path, event, None, data.draw(st.booleans()))
    except GenbenchError as refused:
        assert str(path) in str(refused)
        return
    assert tuple(samples.values.shape[1:]) == event
    assert len(samples.values) > 0
    assert samples.values.isfinite().all()


LINKS = st.lists(st.sampled_from([".", "..", "link0", "link1", "a", "cats", "/nonexistent"]), max_size=2)
NO_PARENTS = LINKS.map(lambda targets: [target for target in targets if target != ".."])


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def little_memory():
    """A peak below 2 GiB, or next to what other tests took in this process before."""
    before = peak()
    yield
    assert peak() < max(MOST_BYTES, before + SPARE_BYTES)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class TestAFew:
    @QUICK
    @given(TREES, NO_PARENTS)
    def test_folders(self, tmp_path_factory, tree, links):
        folders(tree, links, tmp_path_factory)

    @QUICK
    @given(TREES, st.data())
    def test_zips(self, tmp_path_factory, tree, data):
        zips(tree, data, tmp_path_factory)

    @QUICK
    @given(st.data())
    def test_tables(self, tmp_path_factory, data):
        tables(data, tmp_path_factory)

    @QUICK
    @given(st.data())
    def test_arrays(self, tmp_path_factory, data):
        arrays(data, tmp_path_factory)


@pytest.mark.slow
class TestThousands:
    @seed(1)
    @LONG
    @given(TREES, NO_PARENTS)
    def test_folders(self, tmp_path_factory, tree, links):
        folders(tree, links, tmp_path_factory)

    @seed(2)
    @LONG
    @given(TREES, st.data())
    def test_zips(self, tmp_path_factory, tree, data):
        zips(tree, data, tmp_path_factory)

    @seed(3)
    @LONG
    @given(st.data())
    def test_tables(self, tmp_path_factory, data):
        tables(data, tmp_path_factory)

    @seed(4)
    @LONG
    @given(st.data())
    def test_arrays(self, tmp_path_factory, data):
        arrays(data, tmp_path_factory)
