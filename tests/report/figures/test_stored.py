"""Malformed files cost the pictures that need them, never the report."""

import made_up
import pandas as pd
import pytest
import torch

from genbench.report.figures import stored

PICTURES = {
    *(f"{name}-mnist.png" for name in ("strip", "samples", "interpolation", "sweep", "neighbours", "curves")),
    *(f"film-mnist/{name}.webp" for name in ("gan", "gan+ema")),
}
"""What is drawn of one trial with all of its files."""


def notes(store):
    return [f"{path.name}: {reason}" for path, reason in dict.fromkeys(store.unreadable)]


def images(*shape, dtype=torch.uint8):
    return torch.zeros(*shape, 1, 8, 8, dtype=dtype)


@pytest.mark.parametrize(
    ("name", "tensor", "left_out"),
    [
        ("strip", images(3, 16, dtype=torch.float32), "film-mnist/gan.webp"),
        ("strip", images(2, 16), "film-mnist/gan.webp"),
        ("strip", images(0, 16), "film-mnist/gan.webp"),
        ("strip", torch.zeros(3, dtype=torch.uint8), "film-mnist/gan.webp"),
        ("ema.strip", images(64), "film-mnist/gan+ema.webp"),
        ("sweep", torch.zeros(4, 11, 3, 8, 8, dtype=torch.uint8), "sweep-mnist.png"),
        ("neighbours", images(3), "neighbours-mnist.png"),
        ("neighbour_distances", torch.zeros(5, 3), None),
        ("neighbour_distances", torch.zeros(3, 5, dtype=torch.bfloat16), None),
        ("real", images(3, 3), None),
        ("linear", torch.zeros(()), None),
    ],
    ids=str,
)
def test_malformed_images_cost_their_picture_and_leave_a_note(name, tensor, left_out, put_images, draw, store):
    put_images(**{name: tensor})
    assert draw().keys() == PICTURES - {left_out}
    (note,) = notes(store)
    assert note.startswith(f"samples.safetensors: {name} ")


@pytest.mark.parametrize("name", ["final", "strip", "real", "landscape", "extent"])
def test_malformed_points_leave_a_note(name, put, draw, store):
    put(**{name: torch.zeros(4, 3, 3, 3, 3)})
    assert "curves-ring8.png" in draw()
    assert name == "final" or any(name in note for note in notes(store))


@pytest.mark.parametrize("name", ["strip", "landscape", "extent"])
def test_missing_points_do_not_stop_the_report(name, put, draw, store):
    put(without=(name,))
    assert "curves-ring8.png" in draw()
    assert not store.unreadable


def test_samples_without_final_ones_leave_a_note(put_images, draw, store):
    put_images(without=("final",))
    assert draw().keys() == {"curves-mnist.png"}
    assert notes(store) == ["samples.safetensors: no tensor is named final"]


@pytest.mark.parametrize("event", [(2, 8, 8), (4, 8, 8), (8, 8)], ids=str)
def test_samples_that_are_no_images_have_no_pictures(event, put_images, draw):
    put_images(event=event)
    assert draw().keys() == {"curves-mnist.png"}


def as_rows(pixels):
    """Pixels `(…, 1, 8, 8)` as rows on [−1, 1], some of them beyond, as a target's generator gives them."""
    return (pixels.float().flatten(-3) / 127.5 - 1) * 1.001


def rows_of_pixels(put_images, shape=(1, 8, 8)):
    rng = torch.Generator().manual_seed(7)
    pixels = {"final": (80,), "strip": (3, 16), "ema.final": (80,), "ema.strip": (3, 16)}
    pixels = {name: torch.randint(256, (*n, 1, 8, 8), generator=rng, dtype=torch.uint8) for name, n in pixels.items()}
    rows = {name: as_rows(each) for name, each in pixels.items()}
    put_images(**rows, image_shape=torch.tensor(shape))
    return pixels


def test_rows_of_pixels_are_drawn_as_the_images_that_they_are(put_images, draw, store):
    pixels = rows_of_pixels(put_images)
    assert draw().keys() == PICTURES
    (trial,) = store.trials("made-up")
    tensors = stored.samples(store, trial)
    assert "image_shape" not in tensors
    for name, each in pixels.items():
        assert tensors[name].dtype == "uint8"
        assert (tensors[name] == each[: stored.SHOWN].numpy()).all()
    assert not store.unreadable


@pytest.mark.parametrize("shape", [(1, 8), (1, 8, 9), (2, 8, 8), (0, 8, 8), (1, -8, -8)], ids=str)
def test_rows_of_pixels_that_are_no_images_leave_a_note(shape, put_images, draw, store):
    rows_of_pixels(put_images, shape)
    assert not {"samples-mnist.png", "strip-mnist.png"} & draw().keys()
    assert notes(store)
    assert "curves-mnist.png" in draw("again")


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\xff" * 64])
def test_broken_samples_leave_a_note(content, put_images, draw, store):
    (put_images() / "samples.safetensors").write_bytes(content)
    assert draw().keys() == {"curves-mnist.png"}
    assert len(notes(store)) == 1


def test_images_are_drawn_without_a_curve(put_images, draw, store):
    (put_images() / "curve.parquet").write_bytes(b"cut off")
    assert "samples-mnist.png" in draw()
    assert len(notes(store)) == 1


@pytest.mark.parametrize("columns", [{"modes": [1.0]}, {"steps": ["one"], "updates": [3]}], ids=str)
def test_curve_without_steps_leaves_a_note(columns, put_images, draw, store):
    made_up.overwrite(put_images() / "curve.parquet", made_up.parquet(**columns))
    assert "samples-mnist.png" in draw()
    assert notes(store) == ["curve.parquet: no numbers in the columns steps and updates"]


def test_columns_that_are_no_numbers_are_left_out(put, draw):
    frame = pd.DataFrame({"steps": [1, 2], "updates": [3, 6], "modes": ["a", "b"], "hq": [0.1, 0.2]})
    put("gan")
    frame.to_parquet(put("wgan") / "curve.parquet")
    assert "curves-ring8.png" in draw()


def test_no_more_images_are_read_than_are_shown(put_images, store):
    put_images(event=(3, 64, 64))
    (trial,) = store.trials("made-up")
    tensors = stored.samples(store, trial)
    assert len(tensors["final"]) == stored.SHOWN
    assert tensors["steps"].tolist() == [1, 10, 40]
