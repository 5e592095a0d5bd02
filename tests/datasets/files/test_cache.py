"""Decoded once, whole or not at all, and never twice at once."""

import io
import json
import multiprocessing
import shutil
from collections import namedtuple
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pictures
import pytest
from PIL import Image
from preparing import TRANSFORM, prepare_and_count, prepared

from genbench.datasets.files import cache, decoding
from genbench.datasets.files.decoding import decoded, resized
from genbench.datasets.files.sources import open_source
from genbench.datasets.files.transforms import Transform
from genbench.errors import GenbenchError

Usage = namedtuple("Usage", "total used free")


def left(root):
    """What there is in the cache besides locks."""
    return sorted(path.name for path in root.iterdir() if path.suffix != ".lock") if root.is_dir() else []


def twin(content, transform):
    """An image's pixels the slow and obvious way, all of it by Pillow."""
    image = Image.open(io.BytesIO(content)).convert(transform.mode)
    left, top, side = transform.square(*image.size)
    square = image.crop((left, top, left + side, top + side))
    pixels = np.asarray(square.resize((transform.size, transform.size), Image.Resampling.BICUBIC))
    return pixels.reshape(transform.size, transform.size, -1).transpose(2, 0, 1)


def pixels_of(content, transform):
    """An image's pixels as genbench makes them."""
    return resized(decoded(content, transform)[0][None], transform.size)[0].numpy()


@pytest.fixture
def root(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def few(tmp_path):
    return pictures.zipped(tmp_path / "few.zip", pictures.many(70))


@pytest.mark.parametrize("transform", [TRANSFORM, Transform(9, "L"), Transform(8, "RGB", 148, (178, 148))], ids=str)
def test_pixels_are_those_of_each_image_in_order(transform, few):
    entry = prepared(few, transform)
    source = open_source(few)
    assert entry.pixels.shape == (70, *transform.shape)
    assert entry.pixels.dtype == np.uint8
    for i, name in enumerate(source.names):
        assert pictures.nearly_the_same(entry.pixels[i], twin(source.read(name), transform))
    assert entry.sound


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_images_of_many_sizes_are_resized_each_from_its_own(kind, tmp_path):
    files = {f"{i:02}.img.{kind.lower()}": pictures.encoded(i, (20 + i % 4, 30 - i % 3), kind) for i in range(40)}
    entry = prepared(pictures.folder(tmp_path / "folder", files))
    for i, content in enumerate(files.values()):
        assert pictures.nearly_the_same(entry.pixels[i], twin(content, TRANSFORM))


@pytest.mark.parametrize(
    "way",
    [{"CHUNK": 3, "cores": 1}, {"CHUNK": 3, "cores": 3}, {"CHUNK_BYTES": 1, "cores": 2}, {"LARGE_SIDE": 1}],
    ids=str,
)
def test_share_of_the_work_changes_nothing(way, few, monkeypatch):
    alone = np.array(prepared(few).pixels)
    shutil.rmtree(prepared(few).folder)
    cores = way.pop("cores", 2)
    monkeypatch.setattr(decoding, "_cores", lambda: cores)
    for name, value in way.items():
        monkeypatch.setattr(decoding, name, value)
    heard = []
    entry = prepared(few, progress=lambda done, total: heard.append((done, total)))
    assert np.array_equal(entry.pixels, alone)
    assert heard[-1] == (70, 70)
    assert heard == sorted(heard)


def test_second_time_nothing_is_decoded(few, monkeypatch):
    first = prepared(few)
    monkeypatch.setattr(decoding, "decode_all", lambda *args: pytest.fail("decoded again"))
    second = prepared(few)
    assert second.folder == first.folder
    assert np.array_equal(second.pixels, first.pixels)


def test_zip_and_its_folder_share_an_entry(few, tmp_path):
    unpacked = pictures.folder(tmp_path / "unpacked", pictures.many(70))
    assert prepared(few).folder == prepared(unpacked).folder


def test_each_transform_has_an_entry_of_its_own(few):
    transforms = [Transform(16), Transform(17), Transform(16, "L"), Transform(16, "RGB", 100, (178, 148))]
    assert len({prepared(few, transform).folder for transform in transforms}) == 4


def test_labels_are_kept(tmp_path):
    files = pictures.many(3, "b/{}.png", kind="PNG") | pictures.many(2, "a/{}.png", kind="PNG")
    assert prepared(pictures.folder(tmp_path / "folder", files)).labels.tolist() == [0, 0, 1, 1, 1]


def test_entry_of_another_version_is_left_alone(few, root, monkeypatch):
    monkeypatch.setattr(cache, "CACHE_VERSION", 0)
    old = prepared(few).folder
    monkeypatch.undo()
    monkeypatch.setenv("GENBENCH_CACHE", str(root))
    new = prepared(few).folder
    assert new != old
    assert cache.entries() == sorted([old, new])


@pytest.mark.parametrize("damage", [b"cut", b"\x93NUMPY\x01\x00\x04\x00{'{ ", b"[]", b"{}", b"[" * 100_000])
@pytest.mark.parametrize("file", [cache.PIXELS, cache.ABOUT])
def test_damaged_entry_is_made_again(file, damage, few):
    entry = prepared(few)
    (entry.folder / file).write_bytes(damage)
    assert prepared(few).sound


def test_changed_pixels_are_noticed(few):
    entry = prepared(few)
    path = entry.folder / cache.PIXELS
    path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))
    assert not cache._open(entry.folder).sound


def test_array_can_be_written_and_the_file_stays(few):
    entry = prepared(few)
    entry.pixels[:] = 7
    assert entry.sound


def test_images_that_cannot_be_used_are_counted_and_named_and_nothing_is_kept(tmp_path, root):
    files = pictures.many(100)
    broken = {"000003.jpg": b"", "000020.jpg": files["000020.jpg"][:-60], "000030.jpg": b"not an image"}
    broken |= {f"9{i}.jpg": b"" for i in range(4)}
    path = pictures.folder(tmp_path / "folder", files | broken)
    with pytest.raises(GenbenchError) as refused:
        prepared(path)
    message = str(refused.value)
    assert "7 of the 104 images in" in message
    assert "\n  000003.jpg: an empty file\n  000020.jpg: " in message
    assert "truncated" in message
    assert "\n  000030.jpg: not an image\n" in message
    assert message.count("\n  9") == 2
    assert "and 2 more" in message
    assert left(root) == ["fingerprints"]


def test_damaged_zip_is_refused(tmp_path, root):
    path = pictures.zipped(tmp_path / "few.zip", pictures.many(5))
    content = bytearray(path.read_bytes())
    content[60:80] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(GenbenchError, match=r"1 of the 5 images.*\n  000001.jpg: .*CRC"):
        prepared(path)
    assert left(root) == []


def test_image_out_of_proportion_is_refused(tmp_path):
    files = pictures.many(3, size=(89, 109)) | {"wide.jpg": pictures.encoded(size=(109, 89))}
    with pytest.raises(GenbenchError, match=r"wide.jpg: 109 × 89 pixels, not in proportion to 178 × 218"):
        prepared(pictures.folder(tmp_path / "folder", files), Transform(8, "RGB", 148, (178, 218)))


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "P"), ("PNG", "RGBA"), ("PNG", "LA"), ("BMP", "1")]
)
@pytest.mark.parametrize("wanted", ["RGB", "L"])
def test_other_modes_are_converted(kind, mode, wanted):
    content = pictures.encoded(kind=kind, mode=mode)
    transform = Transform(20, wanted)
    assert pixels_of(content, transform).shape == (len(wanted), 20, 20)
    assert pictures.nearly_the_same(pixels_of(content, transform), twin(content, transform))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0, "quality": 95}, {"optimize": True}])
def test_jpegs_have_the_pixels_that_pillow_finds(options, monkeypatch):
    buffer = io.BytesIO()
    Image.open(io.BytesIO(pictures.encoded(size=(33, 45), kind="PNG"))).save(buffer, "JPEG", **options)
    quick, _ = decoded(buffer.getvalue(), Transform(16))
    monkeypatch.setattr(decoding, "_quickly", lambda content: None)
    assert np.array_equal(quick, decoded(buffer.getvalue(), Transform(16))[0])


def test_jpeg_that_only_pillow_can_read_is_left_to_it():
    content = pictures.encoded(size=(20, 20)) + b"what some cameras leave at the end"
    assert pictures.nearly_the_same(pixels_of(content, Transform(16)), twin(content, Transform(16)))


@pytest.mark.parametrize("wanted", ["RGB", "L"])
def test_sixteen_bits_are_scaled_and_not_clipped(wanted):
    values = np.linspace(0, 65_535, 256).round().astype(np.uint16).reshape(16, 16)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    assert (np.abs(pixels_of(buffer.getvalue(), Transform(16, wanted)) - values / 257) <= 0.5).all()


def test_palette_with_transparency_is_decoded_without_a_warning():
    image = Image.new("P", (20, 20))
    image.putpalette([200, 100, 0] * 256)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=bytes(256))
    assert set(pixels_of(buffer.getvalue(), Transform(20)).flat) == {200, 100, 0}


def test_decompression_bomb_is_refused(few, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)
    with pytest.raises(GenbenchError, match=r"70 of the 70 images.*\n  000001.jpg: Image size \(480 pixels\) exceeds"):
        prepared(few)


def test_interruption_halfway_leaves_nothing(few, root, monkeypatch):
    def interrupted(done, total):
        raise KeyboardInterrupt

    monkeypatch.setattr(decoding, "CHUNK", 10)
    with pytest.raises(KeyboardInterrupt):
        prepared(few, progress=interrupted)
    assert left(root) == []
    assert prepared(few).sound


def test_what_a_killed_process_left_is_in_nobodys_way(few, root):
    key = cache.key_of("made-up", open_source(few), TRANSFORM)
    pictures.folder(root / f".{key.folder.name}.tmp", {cache.PIXELS: b"half"})
    pictures.folder(key.folder, {cache.PIXELS: b"half"})
    assert prepared(few).sound
    assert left(root) == [key.folder.name]


def test_full_disk_is_told_beforehand(few, root, monkeypatch):
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: Usage(10, 9, 1_000))
    with pytest.raises(
        GenbenchError, match=r"53,760 bytes don't fit into .*cache, where 1,000 are.*GENBENCH_CACHE=DIR"
    ):
        prepared(few)
    assert left(root) == []


def test_folder_that_cannot_be_written_is_told(few, root):
    root.write_text("a file")
    with pytest.raises(GenbenchError, match=r"Can't write to .*GENBENCH_CACHE=DIR"):
        prepared(few)


def test_several_processes_at_once_build_one_entry(tmp_path, root):
    path = pictures.zipped(tmp_path / "many.zip", pictures.many(300))
    with ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(prepare_and_count, [str(path)] * 3))
    assert len({folder for folder, _ in found}) == 1
    assert sorted(calls for _, calls in found)[:2] == [0, 0]
    assert left(root) == [Path(found[0][0]).name]


def test_about_says_what_decided_the_pixels(few):
    about = json.loads((prepared(few).folder / cache.ABOUT).read_bytes())
    assert about["identity"]["source"] == open_source(few).fingerprint
    assert (about["identity"]["size"], about["shape"], about["version"]) == (16, [70, 3, 16, 16], cache.CACHE_VERSION)
