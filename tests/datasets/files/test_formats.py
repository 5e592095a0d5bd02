"""Which files are images, in what Pillow writes and reads."""

import io

import numpy as np
import pictures
import pytest
from PIL import Image, PngImagePlugin

from genbench.datasets.files.decoding import decode_all
from genbench.datasets.files.formats import UNREAD, formats, readable
from genbench.datasets.files.sources import open_source
from genbench.datasets.files.transforms import Transform
from genbench.errors import GenbenchError

PIXELS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
LOSSLESS = [".bmp", ".dib", ".pcx", ".png", ".ppm", ".pnm", ".sgi", ".tga", ".tif", ".tiff"]


def decoded(path, mode="RGB"):
    parts = []
    several = decode_all(open_source(path), Transform(32, mode), parts.append, lambda done, total: None).several
    return np.concatenate(parts), several


@pytest.mark.parametrize("ending", LOSSLESS)
def test_every_ending_that_pillow_writes_without_loss_is_read(ending, tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / f"a{ending}")
    pixels, several = decoded(tmp_path)
    assert np.array_equal(pixels[0].transpose(1, 2, 0), PIXELS)
    assert several == 0


@pytest.mark.parametrize("ending", [".jpg", ".jfif", ".jpe", ".webp", ".gif", ".jp2"])
def test_other_endings_are_read_with_loss(ending, tmp_path):
    (tmp_path / f"a{ending}").write_bytes(pictures.encoded(0, (32, 32), Image.registered_extensions()[ending]))
    assert decoded(tmp_path)[0].shape == (1, 3, 32, 32)


def test_what_would_start_another_program_or_holds_no_pixels_is_never_opened(tmp_path):
    assert UNREAD.isdisjoint(readable())
    assert not {".eps", ".ps", ".wmf", ".emf", ".h5", ".mpg"} & formats().keys()
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "EPS")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    with pytest.raises(GenbenchError, match=r"a\.png: not an image"):
        decoded(tmp_path)


def test_long_texts_and_profiles_in_a_png_hinder_nothing(tmp_path):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("prompt", "x" * 2**22, zip=True)
    notes.add_itxt("workflow", "y" * 2**22, zip=True)
    profile = b"\0" * 2**22
    Image.fromarray(PIXELS).save(tmp_path / "a.png", pnginfo=notes, icc_profile=profile)
    with pytest.raises(ValueError, match="too large"):
        Image.open(tmp_path / "a.png").load()
    assert np.array_equal(decoded(tmp_path)[0][0].transpose(1, 2, 0), PIXELS)


@pytest.mark.parametrize("cut", [9, 20, 40, 200])
def test_png_cut_off_is_refused(cut, tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue()[:cut])
    with pytest.raises(GenbenchError, match="1 of the 1 images"):
        decoded(tmp_path)


@pytest.mark.parametrize("ending", [".png", ".pgm", ".tif"])
def test_sixteen_bits_of_grey_are_brought_to_eight(ending, tmp_path):
    grey = np.linspace(0, 65535, 32 * 32).round().astype(np.uint16).reshape(32, 32)
    Image.fromarray(grey).save(tmp_path / f"a{ending}")
    assert np.abs(decoded(tmp_path, "L")[0][0, 0] - grey / 257).max() <= 0.5


@pytest.mark.parametrize("ending", [".gif", ".tif", ".webp", ".png"])
def test_first_of_several_frames_is_read_and_counted(ending, tmp_path):
    frames = [Image.new("RGB", (32, 32), (shade,) * 3) for shade in (0, 99, 200)]
    frames[0].save(tmp_path / f"a{ending}", save_all=True, append_images=frames[1:])
    pixels, several = decoded(tmp_path)
    assert (pixels.max(), several) == (0, 1)
