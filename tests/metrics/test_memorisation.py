"""Copies of training images, and how far the nearest ones are."""

import pytest
import torch

from genbench.contract.digits import digits
from genbench.datasets.images import Images, as_pixels
from genbench.datasets.stacked import StackSet
from genbench.errors import Skip
from genbench.metrics import memorisation
from genbench.metrics.memorisation import nearest
from genbench.metrics.truth import Truth
from genbench.registry import metrics


def part(pixels):
    return Images(pixels, torch.arange(len(pixels)))


def noise(n, channels=1, side=6, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(256, (n, channels, side, side), generator=rng, dtype=torch.uint8)


def brute_force(pixels, train, k):
    """Root mean squares of differences of whole grey levels, one pair at a time."""
    found = [
        [(((image.double() - other.double()) ** 2).mean().sqrt().item(), place) for place, other in enumerate(train)]
        for image in pixels
    ]
    closest = [sorted(row)[:k] for row in found]
    return torch.tensor([[d for d, _ in row] for row in closest]).double(), [[p for _, p in row] for row in closest]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("k", [1, 5])
def test_agrees_with_brute_force(channels, k):
    pixels, train = noise(9, channels), noise(40, channels, seed=1)
    distances, places = nearest(pixels, part(train), k)
    expected, where = brute_force(pixels, train, k)
    assert places.tolist() == where
    torch.testing.assert_close(distances, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("block", [1, 7, 40, 1_000])
def test_does_not_depend_on_the_block(block, monkeypatch):
    pixels, train = noise(9), part(noise(40, seed=1))
    distances, places = nearest(pixels, train, 5)
    monkeypatch.setattr(memorisation, "BLOCK", block)
    again, there = nearest(pixels, train, 5)
    assert torch.equal(again, distances)
    assert torch.equal(there, places)


def test_copies_are_at_0_exactly_and_in_their_place():
    data = digits()
    pixels = as_pixels(data.train.at(torch.arange(100)))
    distances, places = nearest(pixels, data.train, 3)
    assert (distances[:, 0] == 0).all()
    assert (distances[:, 1] > 0).all()
    assert torch.equal(places[:, 0], torch.arange(100))
    assert (distances.diff(dim=1) >= 0).all()


def test_copy_is_told_from_images_a_single_grey_level_away():
    """The norms are a million times as large as the difference, which single precision's products don't see."""
    image = noise(1, channels=3, side=32)
    train = image.repeat(6, 1, 1, 1)
    train[torch.arange(6), 0, 0, 0] = torch.tensor([100, 102, 101, 99, 98, 103], dtype=torch.uint8)
    for copy in range(6):
        distances, places = nearest(train[copy : copy + 1], part(train), 3)
        assert places[0, 0] == copy
        assert distances[0, 0] == 0
        expected, _ = brute_force(train[copy : copy + 1], train, 3)
        torch.testing.assert_close(distances, expected, rtol=1e-4, atol=1e-6)


def test_of_fewer_images_all_are_found():
    distances, places = nearest(noise(4), part(noise(3, seed=1)), 5)
    assert distances.shape == places.shape == (4, 3)
    assert places.sort(1).values.tolist() == [[0, 1, 2]] * 4


@pytest.mark.parametrize("levels", [1, 10, 255])
def test_unit_is_a_grey_level(levels):
    """Every pixel by so many, or one of 36 by six times as many."""
    train = torch.zeros(1, 1, 6, 6, dtype=torch.uint8)
    assert nearest(train + levels, part(train), 1)[0].item() == pytest.approx(levels, rel=1e-5)
    one = train.clone()
    one[0, 0, 2, 3] = levels
    assert nearest(one, part(train), 1)[0].item() == pytest.approx(levels / 6, rel=1e-5)


def test_score_is_the_mean_over_samples(score):
    about = Truth(digits())
    pixels = as_pixels(digits().held_out.at(torch.arange(30)))
    train = as_pixels(digits().train.at(torch.arange(800)))
    expected, _ = brute_force(pixels, train, 1)
    assert score("train_distance[n=30]", about, pixels) == pytest.approx(expected.mean().item(), rel=1e-5)
    assert score("train_distance[n=30]", about, train[:30]) == 0


def test_stacks_are_too_many_to_look_through():
    data = StackSet(digits())
    metric = metrics.build("train_distance", Truth(data))
    metric.update(as_pixels(data.held_out.at(torch.arange(2))))
    with pytest.raises(Skip, match=f"there are {800**3} training images, too many to look through"):
        metric.compute()
