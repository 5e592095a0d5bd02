"""Stacks that are drawn once: which they are, and who judges them."""

import hashlib

import numpy as np
import pytest
import torch

from genbench import seeding
from genbench.datasets import digits
from genbench.datasets.base import Finite
from genbench.datasets.fixed_stacks import FixedStacks, drawn
from genbench.datasets.images import Images, as_pixels
from genbench.datasets.stacked import CLASSES
from genbench.errors import Skip
from genbench.registry import datasets

DIGITS = torch.tensor([0, 0, 1, 7, 7, 7])
PLACES = torch.tensor([[3, 0, 2], [5, 5, 5], [2, 1, 4], [0, 0, 1], [3, 4, 5]])


def stream(seed=0):
    return seeding.stream(seed, "stacks")


@pytest.fixture
def few():
    """Five stacks of six digits, of which number i is full of i."""
    pixels = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, 1, 4, 4).contiguous()
    return FixedStacks(Images(pixels, torch.arange(6), DIGITS), PLACES)


def triples(samples):
    """Which digits' places the channels show."""
    return as_pixels(samples)[:, :, 0, 0].long()


def test_stacks_are_those_of_numpys_legacy_generator_with_the_papers_seed():
    found = drawn(128_000, 60_000)
    legacy = np.random.RandomState(111).randint(0, 60_000, size=(128_000, 3))
    assert np.array_equal(found.numpy(), legacy)
    assert found[:2].tolist() == [[12116, 10196, 4820], [36950, 40211, 25257]]
    sha256 = hashlib.sha256(found.numpy().astype("<i8").tobytes()).hexdigest()
    assert sha256 == "f5a47d1129bf7b74e44b1659c79fa84474e09a55d0df93c6c37f72b0ed3e8dc9"


def test_fewer_stacks_are_the_first_of_more_and_no_global_stream_is_touched():
    before = np.random.mtrand._rand.get_state()[1].copy()
    assert torch.equal(drawn(1_000, 60_000), drawn(128_000, 60_000)[:1_000])
    assert np.array_equal(np.random.mtrand._rand.get_state()[1], before)


def test_stacks_and_classes_are_those_of_their_digits(few):
    assert len(few) == 5 and few.event_shape == (3, 4, 4)
    assert torch.equal(triples(few.at(torch.arange(5))), PLACES)
    assert few.labels.tolist() == [701, 777, 107, 0, 777]
    samples, classes = few.labelled(200, stream())
    assert torch.equal(samples, few.sample(200, stream()))
    assert torch.equal(DIGITS[triples(samples)] @ torch.tensor([100, 10, 1]), classes)


def test_all_stacks_are_equally_likely(few):
    counts = triples(few.sample(5_000, stream()))[:, 2].bincount(minlength=6)
    assert (counts - torch.tensor([0, 1_000, 1_000, 0, 1_000, 2_000])).abs().max() < 180  # five standard deviations


def test_of_classes_keeps_those_stacks_alone(few):
    kept = few.of_classes([777, 0, 500])
    assert torch.equal(kept.places, PLACES[[1, 3, 4]]) and kept.labels.tolist() == [777, 0, 777]
    for part, classes in ((few, [500]), (few, []), (kept, [701])):
        with pytest.raises(Skip, match="no stack is of these classes"):
            part.of_classes(classes)


def test_distinct_gives_no_stack_twice(few):
    rows = triples(few.distinct(5, stream())).tolist()
    assert sorted(rows) == sorted(PLACES.tolist())
    with pytest.raises(Skip, match="6 different stacks were asked for and there are 5"):
        few.distinct(6, stream())


def test_digits_without_labels_are_refused():
    with pytest.raises(ValueError, match="need labels"):
        FixedStacks(Images(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.arange(2)), PLACES)


def test_made_of_mnist_in_its_parts(small_mnist):
    built, mnist = datasets.build("stacked-mnist-fixed[stacks=1000]"), datasets.build("mnist[size=28]")
    assert isinstance(built, Finite)
    assert (built.event_shape, built.classes, len(built.train)) == ((3, 28, 28), CLASSES, 1_000)
    assert torch.equal(built.train.places, drawn(1_000, digits.TRAINING))
    training = torch.cat([part.at(torch.arange(len(part))) for part in (mnist.train, mnist.held_out)])
    assert torch.equal(built.train.at(torch.arange(9)), training[built.train.places[:9]].squeeze(2))
    test = mnist.reference.at(torch.arange(20))
    for part, own in ((built.held_out, test[::2]), (built.reference, test[1::2])):
        assert len(part) == 10**3
        assert torch.equal(part.digits.at(torch.arange(10)), own)


def test_dealing_deals_the_digits_and_stacks_those_at_the_same_places(small_mnist):
    built = datasets.build("stacked-mnist-fixed[stacks=1000]")
    again = built.dealt(stream())
    assert (len(again.held_out), len(again.train)) == (len(built.held_out), len(built.train))
    assert torch.equal(again.train.places, built.train.places)
    assert not torch.equal(again.train.digits.index, built.train.digits.index)
    assert not torch.equal(again.held_out.digits.index, built.held_out.digits.index)
    assert torch.equal(again.reference.digits.index, built.reference.digits.index)


def test_moved_it_is_the_same(small_mnist):
    built = datasets.build("stacked-mnist-fixed[stacks=1000]")
    for moved in (built.to("cpu").train, built.train.to("cpu")):
        assert torch.equal(moved.sample(7, stream()), built.sample(7, stream()))
        assert torch.equal(moved.labels, built.train.labels)


def test_real_stacks_hold_every_class(real_data):
    built = datasets.build("stacked-mnist-fixed")
    counts = built.train.labels.bincount(minlength=1_000)
    assert (len(built.train), len(counts), int(counts.min())) == (128_000, 1_000, 78)
    assert len(built.held_out) == len(built.reference) == 5_000**3
