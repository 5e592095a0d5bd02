"""From a path to samples: what is there decides how it is read."""

import io

import numpy as np
import pictures
import pytest
import torch
from PIL import Image

from genbench.datasets.images import as_floats
from genbench.errors import GenbenchError
from genbench.scoring import external as samples

GREY, COLOUR = (1, 16, 16), (3, 16, 16)


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def drawn():
    return np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def files(drawn):
    return {f"{i:02}.png": png(image) for i, image in enumerate(drawn)}


def as_sets(images):
    return sorted(image.numpy().tobytes() for image in images)


def test_images_of_the_right_size_are_taken_pixel_by_pixel(drawn, files, tmp_path):
    read = samples.read(pictures.folder(tmp_path / "fakes", files), COLOUR).values
    assert read.dtype == torch.uint8
    assert as_sets(read) == as_sets(torch.from_numpy(drawn).permute(0, 3, 1, 2).contiguous())


def test_zip_holds_the_same_images_as_the_folder(files, tmp_path):
    folder = samples.read(pictures.folder(tmp_path / "fakes", files), COLOUR)
    zipped = samples.read(pictures.zipped(tmp_path / "fakes.zip", files), COLOUR)
    assert torch.equal(folder.values, zipped.values)
    assert folder.sha256 == zipped.sha256


def test_images_sorted_by_class_are_mixed(drawn, tmp_path):
    files = {
        f"{label}/{i:03}.png": png(np.full((16, 16), 255 * label, np.uint8)) for label in (0, 1) for i in range(50)
    }
    read = samples.read(pictures.folder(tmp_path / "fakes", files), GREY).values
    assert 10 < (read[:50] == 255).flatten(1).all(1).sum() < 40


@pytest.mark.parametrize("event", [GREY, COLOUR], ids=str)
def test_other_images_are_brought_to_size_and_mode(event, tmp_path):
    folder = pictures.folder(tmp_path / "fakes", pictures.many(6, size=(40, 30)))
    assert samples.read(folder, event).values.shape == (6, *event)


def test_image_that_cannot_be_decoded_is_named(files, tmp_path):
    folder = pictures.folder(tmp_path / "fakes", {**files, "broken.png": b"no image"})
    with pytest.raises(GenbenchError, match=r"1 of the 13 images[^\n]*\n  broken.png: not an image"):
        samples.read(folder, COLOUR)


@pytest.mark.parametrize("event", [(2,), (2, 16, 16), (3, 16, 8)], ids=str)
def test_images_for_a_dataset_of_others_are_refused(event, files, tmp_path):
    with pytest.raises(GenbenchError, match="Give a file of numbers"):
        samples.read(pictures.folder(tmp_path / "fakes", files), event)


def test_folder_without_images_is_refused(tmp_path):
    with pytest.raises(GenbenchError, match="holds no images"):
        samples.read(pictures.folder(tmp_path / "fakes", {"readme.txt": b"none"}), COLOUR)


def test_zip_that_is_none_is_refused(tmp_path):
    (tmp_path / "fakes.zip").write_bytes(b"no zip")
    with pytest.raises(GenbenchError, match="not a whole zip file"):
        samples.read(tmp_path / "fakes.zip", COLOUR)


def test_key_for_images_is_refused(files, tmp_path):
    with pytest.raises(GenbenchError, match="Leave --key out"):
        samples.read(pictures.folder(tmp_path / "fakes", files), COLOUR, key="fakes")


def test_nothing_is_refused(tmp_path):
    with pytest.raises(GenbenchError, match="doesn't exist"):
        samples.read(tmp_path / "fakes.npy", COLOUR)


def test_images_have_one_hash_in_floats_and_in_pixels(drawn):
    pixels = torch.from_numpy(drawn).permute(0, 3, 1, 2)
    assert samples.Samples(as_floats(pixels)).sha256 == samples.Samples(pixels).sha256


def test_points_are_read_from_a_file_of_numbers(tmp_path):
    points = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    points[4] = np.nan
    np.save(tmp_path / "mine.npy", points)
    read = samples.read(tmp_path / "mine.npy", (2,), drop_nonfinite=True)
    assert (read.values.shape, read.dropped) == ((8, 2), 1)
    left = torch.from_numpy(np.delete(points, 4, 0))
    assert sorted(read.values.tolist()) == sorted(left.tolist())
    np.save(tmp_path / "turned.npy", points[::-1])
    assert samples.read(tmp_path / "turned.npy", (2,), drop_nonfinite=True).sha256 == read.sha256


def test_equal_samples_are_dealt_as_others_are():
    few = torch.arange(4.0).repeat_interleave(1_000)[:, None]
    counts = [(samples.dealt(few)[:1_000] == value).sum().item() for value in range(4)]
    assert all(200 < count < 300 for count in counts)
