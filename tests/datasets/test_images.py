"""Parts of images in memory, and anyone's own folder of them."""

import pictures
import pytest
import torch

from genbench import seeding
from genbench.datasets.base import Finite
from genbench.datasets.files import splits
from genbench.datasets.images import Images, ImageSet, as_floats, as_pixels
from genbench.errors import BadParameter, GenbenchError, Skip
from genbench.registry import datasets
from genbench.spec import Component

LEVELS = torch.arange(256, dtype=torch.uint8)


def stream(seed=0):
    return seeding.stream(seed, "images")


def numbered(n, labels=True):
    """n images of which number i is full of i."""
    pixels = torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1).expand(n, 3, 4, 4).contiguous()
    return Images(pixels, torch.arange(n), torch.arange(n) % 10 if labels else None)


def numbers(samples):
    """Which numbered images they are."""
    return as_pixels(samples)[:, 0, 0, 0].tolist()


def thirds():
    whole = numbered(60)
    return ImageSet(*(whole.only(torch.arange(i, i + 20)) for i in (0, 20, 40)), classes=tuple(map(str, range(10))))


@pytest.fixture
def own(tmp_path):
    return pictures.folder(tmp_path / "own", pictures.many(60, "{:03}.png", kind="PNG"))


def test_every_level_survives_the_round_trip_and_lies_in_range():
    floats = as_floats(LEVELS)
    assert torch.equal(as_pixels(floats), LEVELS)
    assert (floats[0], floats[-1]) == (-1, 1)
    assert (floats.diff() > 0).all()
    assert torch.equal(floats, (LEVELS.double() / 127.5 - 1).float())
    assert torch.equal(floats, -floats.flip(0))


def test_what_lies_beyond_is_clamped():
    assert as_pixels(torch.tensor([-7.0, -1.001, 1.001, 7.0])).tolist() == [0, 0, 255, 255]


def test_at_gives_the_images_that_the_index_names():
    part = numbered(50).only(torch.tensor([7, 3, 40]))
    assert numbers(part.at(torch.tensor([2, 0, 0]))) == [40, 7, 7]
    assert part.labels.tolist() == [7, 3, 0]


def test_draws_are_uniform_with_replacement_and_distinct_ones_without():
    part = numbered(20)
    counts = torch.tensor(numbers(part.sample(20_000, stream()))).bincount(minlength=20)
    assert (counts - 1_000).abs().max() < 160  # five standard deviations
    assert sorted(numbers(part.distinct(20, stream()))) == list(range(20))
    assert numbers(part.distinct(20, stream())) != list(range(20))
    with pytest.raises(Skip, match="21 different images were asked for and there are 20"):
        part.distinct(21, stream())


def test_of_classes_keeps_those_alone():
    part = numbered(40).of_classes([3, 7])
    assert numbers(part.distinct(8, stream())) != sorted(numbers(part.distinct(8, stream())))
    assert sorted(numbers(part.distinct(8, stream()))) == [3, 7, 13, 17, 23, 27, 33, 37]
    assert set(part.labels.tolist()) == {3, 7}
    with pytest.raises(Skip, match="no image is of class 4"):
        part.of_classes([4])
    with pytest.raises(Skip, match="no classes"):
        numbered(5, labels=False).of_classes([0])


def test_dealing_moves_images_between_training_and_held_out_alone():
    before = thirds()
    after = before.dealt(stream())

    def everything(part):
        return set(numbers(part.distinct(len(part), stream())))

    assert everything(after.reference) == everything(before.reference)
    assert everything(after.held_out) | everything(after.train) == set(range(40))
    assert len(after.held_out) == len(after.train) == 20
    assert everything(after.held_out) != everything(before.held_out)
    assert set(after.held_out.labels.tolist()) <= set(range(10))
    rows = after.train.at(torch.arange(20))
    assert [n % 10 for n in numbers(rows)] == after.train.labels.tolist()


def test_samples_do_not_change_the_pixels():
    part = numbered(4)
    part.sample(10, stream()).fill_(0.3)
    assert numbers(part.at(torch.arange(4))) == [0, 1, 2, 3]


@pytest.mark.parametrize("n", [50, 100, 70_000])
def test_random_split_leaves_nothing_out_and_shares_nothing(n):
    split = splits.by_name([f"{i}.jpg" for i in range(n)])
    assert sorted(i for part in split for i in part.tolist()) == list(range(n))
    assert (len(split.held_out), len(split.reference)) == (min(n // 5, 10_000), n // 5)


def test_random_split_goes_by_names_and_is_not_sorted_by_them():
    names = [f"{i:04}.jpg" for i in range(1_000)]
    split, mirrored = splits.by_name(names), splits.by_name(names[::-1])
    assert {names[i] for i in split.train} == {names[::-1][i] for i in mirrored.train}
    assert split.fingerprint != mirrored.fingerprint
    assert abs(split.held_out.mean() - 500) < 5 * 289 / 200**0.5


def test_own_images_are_a_dataset_in_three_parts(own):
    built = datasets.build(f"images[path={own},size=16]")
    assert isinstance(built, Finite)
    assert built.event_shape == (3, 16, 16)
    assert (len(built.train), len(built.held_out), len(built.reference)) == (36, 12, 12)
    assert built.classes == ()
    assert built.private
    assert built.to("cpu").private
    assert built.dealt(stream()).private
    assert built.train.labels is None
    every = torch.cat([part.at(torch.arange(len(part))) for part in (built.train, built.held_out, built.reference)])
    assert len(every.unique(dim=0)) == 60


def test_own_images_in_grey_and_with_classes(tmp_path):
    files = pictures.many(30, "cats/{}.jpg") | pictures.many(30, "dogs/{}.jpg")
    path = pictures.zipped(tmp_path / "pets.zip", files)
    built = datasets.build(f"images[path={path},size=8,mode=l]")
    assert built.event_shape == (1, 8, 8)
    assert built.classes == ("cats", "dogs")
    labels = torch.cat([part.labels for part in (built.train, built.held_out, built.reference)])
    assert labels.bincount().tolist() == [30, 30]
    assert len(built.train.of_classes([1])) == int((built.train.labels == 1).sum())


def test_too_few_images_are_refused(tmp_path):
    path = pictures.folder(tmp_path / "few", pictures.many(49))
    with pytest.raises(GenbenchError, match=r"few holds 49 images, and at least 50 are needed"):
        datasets.build(f"images[path={path}]")


@pytest.mark.parametrize("change", ["size=7", "size=1025", "size=9.5", "mode=cmyk"])
def test_parameters_out_of_range_are_refused(change, own):
    with pytest.raises(BadParameter, match="can't be"):
        Component.resolve(datasets, f"images[path={own},{change}]")


def test_identity_depends_on_the_images_and_not_on_where_they_are(own, tmp_path):
    def identity(path, *changes):
        return Component.resolve(datasets, f"images[{','.join((f'path={path}', *changes))}]").identity

    zipped = pictures.zipped(tmp_path / "elsewhere.zip", pictures.many(60, "{:03}.png", kind="PNG"))
    assert identity(own) == identity(zipped)
    assert str(own) not in str(identity(own))
    assert identity(own) != identity(own, "size=32")
    before = identity(own)
    (own / "001.png").write_bytes(pictures.encoded(1_000, kind="PNG"))
    assert identity(own) != before


def test_missing_images_are_named_before_anything_is_built():
    with pytest.raises(GenbenchError, match=r"nowhere is no folder and no zip file"):
        Component.resolve(datasets, "images[path=nowhere]")
