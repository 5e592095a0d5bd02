"""Animations of image trials: a frame a checkpoint, in a loop that rests at its end."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from drawn import contains, shown
from PIL import Image

from genbench.report.figures.films import FRAME_MS, LAST_FRAME_MS


def film(path):
    """The frames `(height, width, 3)` and their milliseconds."""
    frames, durations = [], []
    with Image.open(path) as image:
        assert (image.format, image.info["loop"]) == ("WEBP", 0)
        for frame in range(image.n_frames):
            image.seek(frame)
            image.load()
            frames.append(np.asarray(image.convert("RGB")))
            durations.append(image.info["duration"])
    return frames, durations


@pytest.mark.parametrize("event", [(1, 32, 32), (3, 64, 64)], ids=str)
def test_every_checkpoint_is_a_frame_and_the_last_is_held(event, put_images, draw):
    put_images(event=event)
    drawn = draw()
    for name in ("gan", "gan+ema"):
        frames, durations = film(drawn[f"film-mnist/{name}.webp"])
        assert durations == [FRAME_MS, FRAME_MS, LAST_FRAME_MS]
        assert all((a != b).any() for a, b in pairwise(frames))


def test_frames_of_equal_samples_are_kept(put_images, draw):
    """A generator that has died stands still for as many checkpoints as it did."""
    put_images(strip=torch.zeros(3, 64, 1, 8, 8, dtype=torch.uint8))
    assert len(film(draw()["film-mnist/gan.webp"])[0]) == 3


def test_grey_pixels_stay_sharp_and_near(put_images, draw):
    """Digits lose grey levels but no edge: what was one colour is one colour."""
    strip = torch.randint(256, (3, 64, 1, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    put_images(event=(1, 32, 32), strip=strip)
    frames, _ = film(draw()["film-mnist/gan.webp"])
    for frame, images in zip(frames, strip.numpy(), strict=True):
        assert contains(frame, shown(np.uint8(np.round(images[0] / 17) * 17), 2))


def test_films_of_digits_are_small(put_images, draw):
    ramp = torch.linspace(0, 1, 32).outer(torch.linspace(0, 255, 32)).to(torch.uint8)
    put_images(event=(1, 32, 32), strip=ramp.expand(3, 64, 1, 32, 32))
    assert draw()["film-mnist/gan.webp"].stat().st_size < 30_000
