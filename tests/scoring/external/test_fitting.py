"""Arrays that fit are taken as they are, whatever their layout; those that don't say what would."""

import numpy as np
import pytest
import torch

from genbench.datasets.images import as_pixels, stored
from genbench.errors import GenbenchError
from genbench.scoring.external.fitting import fitted
from genbench.scoring.external.scale import SLACK, Range

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(20, 2))
GREY, COLOUR = (1, 8, 8), (3, 8, 8)


def pixels(event, n=5):
    return RNG.integers(0, 256, (n, *event), dtype=np.uint8)


def floats(array):
    return (array / 127.5 - 1).astype(np.float32)


def refusal(array, event, **options):
    with pytest.raises(GenbenchError) as refused:
        fitted(array, event, "mine.npy", **options)
    assert str(refused.value).startswith("mine.npy")
    return str(refused.value)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_points_come_in_single_precision(dtype):
    samples = fitted(POINTS.astype(dtype), (2,), "mine.npy")
    assert samples.values.dtype == torch.float32
    assert samples.dropped == 0
    assert np.array_equal(samples.values.numpy(), POINTS.astype(dtype).astype(np.float32))


@pytest.mark.parametrize("dtype", [int, np.uint8, bool, complex, "U1", "M8[s]"])
def test_points_of_another_type_are_refused(dtype):
    assert "astype('float32')" in refusal(np.zeros((20, 2), dtype), (2,))


@pytest.mark.parametrize("shape", [(), (20,), (20, 3), (2, 20), (20, 2, 1), (20, 1, 2), (20, 28, 28)], ids=str)
def test_other_shapes_are_refused_with_the_right_one(shape):
    said = refusal(np.zeros(shape), (2,))
    assert "(n, 2)" in said
    assert ", ".join(map(str, shape)) in said


@pytest.mark.parametrize("event", [(2,), GREY, COLOUR], ids=str)
def test_no_samples_are_refused(event):
    assert "holds no samples" in refusal(np.zeros((0, *event)), event)


@pytest.mark.parametrize("event", [GREY, COLOUR], ids=str)
def test_channels_may_be_first_or_last(event):
    first = pixels(event)
    for array in (first, np.moveaxis(first, 1, -1)):
        samples = fitted(array, event, "mine.npy").values
        assert samples.dtype == torch.uint8
        assert np.array_equal(samples.numpy(), first)
        assert samples.is_contiguous()


def test_grey_images_need_no_axis_for_their_channel():
    first = pixels(GREY)
    assert np.array_equal(fitted(first[:, 0], GREY, "mine.npy").values.numpy(), first)


def test_images_of_another_size_are_told_every_layout():
    said = refusal(pixels((1, 28, 28)), GREY)
    assert "(n, 1, 8, 8) or (n, 8, 8, 1) or (n, 8, 8)" in said
    assert "(5, 1, 28, 28)" in said


def test_axes_that_cannot_be_told_apart_are_refused():
    assert "can't be told" in refusal(pixels((3, 3, 3)), (3, 3, 3))


@pytest.mark.parametrize("event", [GREY, COLOUR], ids=str)
def test_floats_are_scored_as_the_pixels_that_they_stand_for(event):
    whole = pixels(event)
    for array in (whole, np.moveaxis(whole, 1, -1)):
        samples = fitted(floats(array), event, "mine.npy").values
        assert np.array_equal(stored(samples).numpy(), whole)


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (255, 0), (2, 0), (1, -1.5)], ids=str)
def test_floats_of_another_range_are_refused(scale, shift):
    unit = RNG.random((5, *GREY))
    assert "[−1, 1]" in refusal(unit * scale + shift, GREY)


@pytest.mark.parametrize("below", [1, 40], ids=["a pixel", "what a resize overshoots"])
def test_floats_from_0_to_1_are_told_by_their_missing_dark_half(below):
    unit = RNG.random((5, *COLOUR))
    unit.reshape(-1)[:below] = -0.01
    assert "It looks like images scaled to [0, 1], some of whose pixels noise or a resize took below 0" in refusal(
        unit, COLOUR
    )


MANY = RNG.random((200, *GREY))


UNIT = "It looks like images scaled to [0, 1]"
CLIP = "that noise or a resize took beyond it: clip them"


@pytest.mark.parametrize(
    ("images", "advice"),
    [
        (MANY - 0.5, "It looks like images scaled to [−½, ½]: --range -0.5,0.5."),
        (MANY, f"{UNIT}: --range 0,1."),
        ((MANY + RNG.normal(0, 0.05, MANY.shape)).clip(-0.3, 1), "took below 0: clip them, and say --range 0,1."),
        (np.concatenate([MANY, np.full((1, *GREY), -0.6)]), "took below 0: clip them, and say --range 0,1."),
        (MANY * 1.2 - 0.1, f"{UNIT} {CLIP}, and say --range 0,1."),
        (MANY * 2.04 - 1.02, f"It looks like images scaled to [−1, 1] {CLIP}."),
        (MANY * 255, "It looks like pixels from 0 to 255 kept as floats: --range 0,255."),
        (MANY * 3.2464 - 0.4243, "standardised images. Say what black and white are, --range -0.42"),
        (MANY * 4 - 2, "another scale, or like standardised images. Say what black and white are, --range -"),
        (MANY * 65535, "another scale, or like"),
        (MANY - 1, "next to no light pixels. Say what black and white are, --range -"),
    ],
)
def test_other_scales_are_refused_with_what_to_do(images, advice):
    assert advice in refusal(images, GREY)


@pytest.mark.parametrize(
    "images", [MANY, MANY - 1, MANY - 0.5, MANY * 1.2 - 0.2], ids=["light", "dark", "grey", "bright"]
)
def test_images_that_are_as_they_are_meant_have_a_way_out(images):
    assert "Or say --range -1,1 if they are as they are meant" in refusal(images, GREY)
    assert len(fitted(images, GREY, "mine.npy", black_and_white=Range(-1, 1)).values) == len(MANY)


@pytest.mark.parametrize("levels", [2, 3, 16, 128])
def test_pixels_that_are_all_but_black_are_refused(levels):
    said = refusal((MANY * levels).astype(np.uint8), GREY)
    assert f"--range 0,{levels - 1}, say, or --range 0,255 if all is so dark" in said


@pytest.mark.parametrize("value", [0, 1, 255])
def test_collapsed_images_are_taken(value):
    assert len(fitted(np.full((5, *GREY), value, np.uint8), GREY, "mine.npy").values) == 5


@pytest.mark.parametrize("value", [-1, 0, 0.3, 1])
def test_collapsed_images_of_floats_are_taken(value):
    assert len(fitted(np.full((5, *GREY), value, np.float32), GREY, "mine.npy").values) == 5


WHOLE = pixels(GREY) // 85


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("black", "white"), [(0, 255), (0, 1), (-1, 1), (-0.5, 0.5), (-2, 9)], ids=str)
def test_images_of_any_scale_are_the_same_pixels_once_it_is_said(black, white, dtype):
    given = (WHOLE / 3 * (white - black) + black).astype(dtype)
    taken = fitted(given, GREY, "mine.npy", black_and_white=Range(black, white)).values
    assert np.array_equal(stored(taken).numpy(), WHOLE * 85)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "uint16"])
def test_whole_numbers_of_any_type_are_pixels_once_it_is_said(dtype):
    taken = fitted(WHOLE.astype(dtype), GREY, "mine.npy", black_and_white=Range(0, 3)).values
    assert np.array_equal(stored(taken).numpy(), WHOLE * 85)


def test_bits_are_pixels_once_it_is_said():
    taken = fitted(WHOLE > 1, GREY, "mine.npy", black_and_white=Range(0, 1)).values
    assert np.array_equal(stored(taken).numpy(), (WHOLE > 1) * np.uint8(255))


def test_what_lies_beyond_the_scale_that_was_said_is_refused():
    said = refusal(MANY * 2, GREY, black_and_white=Range(0, 1))
    assert "beyond --range 0,1" in said
    assert "holds pixels from" in said
    assert "beyond --range -1,1" in refusal(MANY * 2, GREY, black_and_white=Range(-1, 1))


def test_dark_images_are_taken_once_it_is_said():
    dark = (MANY * 3).astype(np.uint8)
    assert np.array_equal(fitted(dark, GREY, "mine.npy", black_and_white=Range(0, 255)).values.numpy(), dark)
    light = MANY.astype(np.float32)
    assert np.array_equal(fitted(light, GREY, "mine.npy", black_and_white=Range(-1, 1)).values.numpy(), light)


@pytest.mark.parametrize(
    "text", ["", "0", "0,1,2", "a,b", "1,0", "0,0", "0,nan", "-inf,1", "-1e308,1e308", "1e-320,2e-320", "0,1e30"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(GenbenchError, match=r"is no range\. Give the values of black and white: --range 0,1, say"):
        Range.parse(text)


def test_rounding_does_not_leave_the_range():
    images = floats(pixels(GREY))
    images[0, 0, 0, :2] = 1 + SLACK / 2, -1 - SLACK / 2
    assert as_pixels(fitted(images, GREY, "mine.npy").values)[0, 0, 0, :2].tolist() == [255, 0]


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, bool])
def test_images_of_another_type_are_refused(dtype):
    assert "--range 0,255, say" in refusal(np.ones((5, *GREY), dtype), GREY)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_rows_that_are_not_finite_are_counted_and_refused_or_dropped(bad):
    array = POINTS.copy()
    array[[3, 7], [0, 1]] = bad
    said = refusal(array, (2,))
    assert "2 of 20 samples" in said
    assert "place 3" in said
    assert "--drop-nonfinite" in said
    samples = fitted(array, (2,), "mine.npy", drop_nonfinite=True)
    assert samples.dropped == 2
    assert np.array_equal(samples.values.numpy(), np.delete(POINTS, [3, 7], 0).astype(np.float32))


def test_whole_images_are_dropped():
    images = floats(pixels(COLOUR))
    images[2, 1, 4, 4] = np.nan
    assert len(fitted(images, COLOUR, "mine.npy", drop_nonfinite=True).values) == 4


@pytest.mark.parametrize("drop", [True, False])
def test_nothing_but_nan_is_refused(drop):
    assert "all 20 samples" in refusal(np.full((20, 2), np.nan), (2,), drop_nonfinite=drop)
