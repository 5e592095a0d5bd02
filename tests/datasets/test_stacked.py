"""Stacks of digits: which there are, of which class, and how often each is drawn."""

import pytest
import torch

from genbench import seeding
from genbench.datasets.base import Finite
from genbench.datasets.images import Images, as_pixels
from genbench.datasets.stacked import CLASSES, Stacks
from genbench.errors import Skip
from genbench.registry import datasets

DIGITS = [0, 0, 1, 7, 7, 7]


def stream(seed=0):
    return seeding.stream(seed, "stacks")


@pytest.fixture
def few():
    """Six digits, of which number i is full of i."""
    pixels = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, 1, 4, 4).contiguous()
    return Stacks(Images(pixels, torch.arange(6), torch.tensor(DIGITS)))


def triples(samples):
    """Which digits' places the channels show."""
    return [tuple(row) for row in as_pixels(samples)[:, :, 0, 0].tolist()]


def test_every_stack_is_somewhere_once_and_of_its_class(few):
    places = torch.arange(len(few))
    found = triples(few.at(places))
    assert len(few) == len(set(found)) == 6**3
    classes = few.classes_at(places).tolist()
    assert classes == [100 * DIGITS[a] + 10 * DIGITS[b] + DIGITS[c] for a, b, c in found]


def test_all_stacks_are_equally_likely(few):
    drawn = triples(few.sample(100 * len(few), stream()))
    counts = torch.tensor([36 * a + 6 * b + c for a, b, c in drawn]).bincount(minlength=216)
    assert (counts - 100).abs().max() < 50  # five standard deviations


def test_of_classes_draws_those_stacks_alone_and_evenly(few):
    kept = few.of_classes([777, 10])
    assert len(kept) == 27 + 2 * 1 * 2
    drawn = triples(kept.sample(3_100, stream()))
    assert {100 * DIGITS[a] + 10 * DIGITS[b] + DIGITS[c] for a, b, c in drawn} == {777, 10}
    assert len(set(drawn)) == 31
    assert set(kept.classes_at(torch.arange(31)).tolist()) == {777, 10}
    assert len(few.of_classes([500, 777])) == 27


def test_classes_without_a_stack_are_a_skip(few):
    for part, classes in ((few, [500, 511]), (few, []), (few.of_classes([777]), [10])):
        with pytest.raises(Skip, match="no stack is of these classes"):
            part.of_classes(classes)


def test_more_than_there_are_is_a_skip(few):
    with pytest.raises(Skip, match="217 different stacks were asked for and there are 216"):
        few.distinct(217, stream())


def test_made_of_mnist_in_its_parts(small_mnist):
    built, digits = datasets.build("stacked-mnist"), datasets.build("mnist")
    assert isinstance(built, Finite)
    assert built.event_shape == (3, 32, 32)
    assert built.classes == CLASSES
    assert (CLASSES[0], CLASSES[57], CLASSES[-1]) == ("000", "057", "999")
    for name in ("train", "held_out", "reference"):
        stacks, part = getattr(built, name), getattr(digits, name)
        assert len(stacks) == len(part) ** 3
        own = {tuple(row) for row in as_pixels(part.at(torch.arange(len(part)))).flatten(1).tolist()}
        channels = as_pixels(stacks.sample(50, stream())).flatten(0, 1).flatten(1)
        assert {tuple(row) for row in channels.tolist()} <= own


def test_dealing_deals_the_digits(small_mnist):
    built = datasets.build("stacked-mnist")
    again = built.dealt(stream())
    assert (len(again.held_out), len(again.train)) == (len(built.held_out), len(built.train))
    assert not torch.equal(again.held_out.digits.index, built.held_out.digits.index)
    assert torch.equal(again.reference.digits.index, built.reference.digits.index)


def test_real_stacks_are_too_many_to_list(real_data):
    built = datasets.build("stacked-mnist")
    assert len(built.held_out) == len(built.reference) == 10**12
    classes = built.reference.classes_at(torch.randint(10**12, (20_000,), generator=stream()))
    assert len(classes.unique()) == 1_000
    assert built.reference.of_classes(range(500)).distinct(7, stream()).shape == (7, 3, 32, 32)
