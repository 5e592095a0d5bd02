"""Pictures of image trials: every sample crisp and in its order, and what isn't stored left out."""

import made_up
import numpy as np
import pytest
import torch
from drawn import contains, pixels, shown

from genbench.report.figures import galleries
from genbench.report.figures.sheet import tiled

GALLERIES = {f"{name}-mnist.png" for name in ("strip", "samples", "interpolation", "sweep", "neighbours")}
FILMS = {"film-mnist/gan.webp", "film-mnist/gan+ema.webp"}
CURVES = "curves-mnist.png"


def stored(folder):
    from safetensors.numpy import load_file

    return load_file(folder / "samples.safetensors")


def test_every_picture_is_there(put_images, draw, store):
    put_images()
    drawn = draw()
    assert drawn.keys() == {*GALLERIES, *FILMS, CURVES}
    assert not store.unreadable
    for name in GALLERIES:
        height, width, _ = pixels(drawn[name]).shape
        assert 150 < height < 3_000
        assert 150 < width < 3_000


def test_equal_results_give_equal_bytes(put_images, draw):
    put_images()
    first, second = draw("one"), draw("other")
    assert all(first[name].read_bytes() == second[name].read_bytes() for name in first)


@pytest.mark.parametrize(
    ("missing", "left_out"),
    [
        (("strip",), {"film-mnist/gan.webp"}),
        (("strip", "ema.strip"), {"strip-mnist.png", *FILMS}),
        (("ema.strip", "ema.final"), {"film-mnist/gan+ema.webp"}),
        (("linear",), set()),
        (("linear", "spherical"), {"interpolation-mnist.png"}),
        (("sweep",), {"sweep-mnist.png"}),
        (("neighbours", "neighbour_distances"), {"neighbours-mnist.png"}),
        (("neighbour_distances",), set()),
        (("real",), set()),
    ],
    ids=lambda names: ", ".join(sorted(names)),
)
def test_what_is_not_stored_is_left_out(missing, left_out, put_images, draw, store):
    put_images(without=missing)
    assert draw().keys() == {*GALLERIES, *FILMS, CURVES} - left_out
    assert not store.unreadable


def test_trial_that_lacks_a_part_stands_beside_one_that_has_it(put_images, draw):
    put_images("gan", without=("sweep", "linear", "neighbours"))
    put_images("wgan")
    assert draw().keys() >= GALLERIES


@pytest.mark.parametrize(("event", "times"), [((1, 32, 32), 2), ((3, 32, 32), 2), ((3, 64, 64), 1)], ids=str)
def test_pixels_are_found_unchanged(event, times, put_images, draw):
    tensors = stored(put_images(event=event))
    pictures = {name: pixels(path) for name, path in draw().items() if name.endswith(".png")}
    where = {
        "samples": [*tensors["final"][:64], *tensors["ema.final"][:64], *tensors["real"]],
        "strip": [*tensors["strip"][0, :16], *tensors["strip"][-1, :16], *tensors["ema.strip"][-1, :16]],
        "interpolation": [*tensors["linear"].reshape(-1, *event), *tensors["spherical"].reshape(-1, *event)],
        "sweep": [*tensors["sweep"].reshape(-1, *event)],
        "neighbours": [*tensors["final"][:3], *tensors["neighbours"].reshape(-1, *event)],
    }
    for name, images in where.items():
        some = [images[0], *images[5::9], images[-1]]
        assert all(contains(pictures[f"{name}-mnist.png"], shown(image, times)) for image in some)


def test_samples_are_neither_picked_nor_sorted(put_images, draw):
    tensors = stored(put_images())
    picture = pixels(draw()["samples-mnist.png"])
    assert contains(picture, tiled(tensors["final"][:64], 8))
    assert not contains(picture, shown(tensors["final"][64], 8))


def test_first_seed_is_shown(put_images, draw):
    first, other = (stored(put_images(seed=seed)) for seed in (1, 2))
    picture = pixels(draw()["samples-mnist.png"])
    assert contains(picture, shown(first["final"][0], 8))
    assert not contains(picture, shown(other["final"][0], 8))


def test_no_real_image_is_shown_where_none_is_stored(put_images, draw):
    """What may not be passed on is not stored; the picture then has one panel less."""
    put_images()
    wide = pixels(draw("with")["samples-mnist.png"]).size
    put_images(without=("real",))
    assert pixels(draw("without")["samples-mnist.png"]).size < wide


@pytest.mark.parametrize("side", [5, 28, 300])
def test_images_of_any_size_are_drawn(side, put_images, draw):
    put_images(event=(1, side, side), without=("strip", "ema.strip", "ema.final"))
    drawn = draw()
    assert drawn.keys() == {*GALLERIES, CURVES} - {"strip-mnist.png"}
    assert all(max(pixels(path).shape) < 2_500 for path in drawn.values())


def test_images_need_not_be_square(put_images, draw):
    tensors = stored(put_images(event=(3, 48, 32)))
    assert contains(pixels(draw()["samples-mnist.png"]), shown(tensors["final"][0], 1))


def test_few_images_are_drawn(put_images, draw):
    one = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    few = {"strip": one.expand(3, 1, 1, 8, 8), **dict.fromkeys(("sweep", "linear", "spherical"), one[None])}
    put_images(final=one, **{name: tensor.clone() for name, tensor in few.items()})
    assert draw().keys() >= GALLERIES


def test_film_strip_shows_the_first_and_the_last_checkpoint(put_images, draw):
    """Five of twelve, evenly."""
    strip = torch.arange(12, dtype=torch.uint8).mul(20)[:, None, None, None, None].expand(12, 16, 1, 8, 8)
    steps = np.arange(1, 13)
    folder = put_images(strip=strip.clone(), without=("ema.strip",))
    made_up.overwrite(folder / "curve.parquet", made_up.parquet(steps=steps, updates=steps))
    picture = pixels(draw()["strip-mnist.png"])
    marks = [mark for mark in range(12) if contains(picture, shown(np.full((1, 8, 8), 20 * mark), 8))]
    assert marks == [0, 3, 6, 8, 11]


@pytest.mark.parametrize(
    ("distance", "words"), [(0.0, "0.00"), (1.5, "1.50"), (12.0, "12.0"), (123.4, "123"), (4321.0, "4321")]
)
def test_distances_have_three_digits(distance, words):
    assert galleries.distance_words(distance) == words


def test_many_trainers_are_drawn(put_images, draw):
    names = [f"wgan-gp[critic_steps={k},penalty=0.125,lr=0.0001]" for k in range(7)]
    for name in names:
        put_images(name, without=("ema.strip", "ema.final"))
    drawn = draw()
    assert len([name for name in drawn if name.startswith("film-")]) == len(names)
    assert np.ptp(pixels(drawn["samples-mnist.png"])) == 255
