"""What the pictures of image trials are made of."""

from collections import Counter

import pytest
import torch

from genbench import seeding
from genbench.contract.digits import digits
from genbench.datasets.images import ImageSet, as_pixels
from genbench.datasets.stacked import StackSet
from genbench.engine.draws import Normal, Uniform
from genbench.registry import datasets
from genbench.trials.latents import (
    DIMENSIONS,
    LOOKED_UP,
    NEIGHBOURS,
    PAIRS,
    RANGE,
    REAL_IMAGES,
    STEPS,
    for_pictures,
    journeys,
    spherical,
)

WAYS = {"linear", "spherical", "sweep"}
LIKENESSES = {"real", "neighbours", "neighbour_distances"}
SHARE = torch.linspace(0, 1, STEPS)[:, None]
SIX = Normal((6,))


class Drawing:
    """A stack of one whose generator paints the first numbers of the noise as rows of grey."""

    size = 1

    def __init__(self, prior=SIX, channels=1):
        self.prior, self.channels = prior, channels

    def generate(self, replica, noise):
        if self.prior is None:
            return None
        flat = noise.flatten(1)
        rows = flat[:, torch.arange(32) % flat.shape[1]] / 4
        return rows[:, None, :, None].expand(-1, self.channels, -1, 32)


def private(dataset):
    return ImageSet(dataset.train, dataset.held_out, dataset.reference, classes=dataset.classes, private=True)


def drawn(dataset=None, stack=None, seed=0, **how):
    dataset = dataset or digits()
    pixels = as_pixels(dataset.held_out.at(torch.arange(20)))
    return for_pictures(stack or Drawing(channels=len(pixels[0])), 0, dataset, pixels, seed, **how)


def travelled(prior, seed=0):
    noise = Normal(prior) if isinstance(prior, tuple) else prior
    return dict(journeys(noise, seeding.stream(seed, seeding.LATENTS)))


def latents(n, size, seed=0):
    return torch.randn(n, 1, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [2, 10, 128])
def test_spherical_interpolation_starts_and_ends_where_it_should(size):
    start, end = latents(5, size), latents(5, size, seed=1)
    way = spherical(start, end, SHARE)
    assert way.shape == (5, STEPS, size)
    torch.testing.assert_close(way[:, :1], start)
    torch.testing.assert_close(way[:, -1:], end)


def test_spherical_interpolation_keeps_to_the_ends_norms_where_the_linear_one_falls_short():
    """Of 128 normal numbers the norm is 11.3; halfway between two such, 8."""
    start, end = latents(50, 128), latents(50, 128, seed=1)
    least = torch.minimum(start.norm(dim=-1), end.norm(dim=-1))
    most = torch.maximum(start.norm(dim=-1), end.norm(dim=-1))
    norms = spherical(start, end, SHARE).norm(dim=-1)
    assert (norms > 0.93 * least).all()
    assert (norms < 1.07 * most).all()
    assert (torch.lerp(start, end, SHARE).norm(dim=-1)[:, STEPS // 2] < 0.85 * least[:, 0]).all()


def test_spherical_interpolation_of_unit_vectors_moves_by_equal_angles():
    start, end = (torch.nn.functional.normalize(latents(8, 5, seed).double(), dim=-1) for seed in (0, 1))
    way = spherical(start, end, SHARE.double())
    assert torch.allclose(way.norm(dim=-1), torch.ones(8, STEPS).double())
    angles = (way[:, 1:] * way[:, :-1]).sum(2).arccos()
    assert torch.allclose(angles, angles[:, :1].expand_as(angles), rtol=1e-4)


@pytest.mark.parametrize("size", [1, 2, 128])
@pytest.mark.parametrize("times", [1.0, 2.0, -1.0, -3.0, 1 + 1e-6, -1 - 1e-6, 0.0], ids=str)
def test_parallel_and_opposite_latents_are_joined_too(times, size):
    start = latents(20, size)
    way = spherical(start, times * start, SHARE)
    assert torch.isfinite(way).all()
    assert torch.equal(way[:, :1], start)
    torch.testing.assert_close(way[:, -1:], times * start)
    assert way.abs().max() <= max(1, abs(times)) * start.abs().max() * 1.0001
    if times > 0:
        torch.testing.assert_close(way, torch.lerp(start, times * start, SHARE), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("prior", [(1,), (2,), (100,), (3, 2, 2)], ids=str)
class TestJourneys:
    """Latents of any shape."""

    def test_have_the_priors_shape(self, prior):
        found = travelled(prior)
        assert found.keys() == WAYS
        swept = min(DIMENSIONS, int(torch.tensor(prior).prod()))
        shapes = dict.fromkeys(("linear", "spherical"), (PAIRS, STEPS)) | {"sweep": (swept, STEPS)}
        assert {name: way.shape for name, way in found.items()} == {n: (*s, *prior) for n, s in shapes.items()}
        assert all(torch.isfinite(way).all() for way in found.values())

    def test_share_their_ends_which_are_as_likely_as_samples(self, prior):
        found = travelled(prior)
        for end in (0, -1):
            torch.testing.assert_close(found["linear"][:, end], found["spherical"][:, end])
        assert not torch.equal(found["linear"][:, 0], found["linear"][:, -1])
        assert found["linear"][:, 0].square().mean().sqrt() == pytest.approx(1, abs=0.8)

    def test_linear_one_moves_by_equal_steps(self, prior):
        steps = travelled(prior)["linear"].diff(dim=1)
        torch.testing.assert_close(steps, steps[:, :1].expand_as(steps), rtol=1e-4, atol=1e-5)

    def test_sweep_changes_one_dimension_only(self, prior):
        for dimension, way in enumerate(travelled(prior)["sweep"].flatten(2)):
            moved = torch.arange(way.shape[1]) == dimension
            assert torch.equal(way[:, dimension], torch.linspace(-RANGE, RANGE, STEPS))
            assert (way[:, ~moved] == way[:1, ~moved]).all()

    def test_depend_on_the_seed_alone(self, prior):
        first, again, other = (travelled(prior, seed) for seed in (0, 0, 1))
        assert all(torch.equal(first[name], again[name]) for name in WAYS)
        assert not any(torch.equal(first[name], other[name]) for name in ("linear", "spherical"))


def test_uniform_noise_is_gone_through_within_its_bounds_and_not_along_great_circles():
    found = travelled(Uniform(-1, 3, (4,)))
    assert found.keys() == {"linear", "sweep"}
    assert all(-1 <= way.min() <= way.max() <= 3 for way in found.values())
    assert torch.equal(found["sweep"][2, :, 2], torch.linspace(-1, 3, STEPS))


def test_noise_of_which_nobody_knows_what_lies_between_has_no_ways():
    class Coin:
        shape = (1,)

        def sample(self, lead, rng):
            return torch.randint(2, (*lead, 1), generator=rng).float()

    assert travelled(Coin()) == {}


def test_pictured_is_pixels_that_the_generator_draws():
    found = drawn()
    assert found.keys() == WAYS | LIKENESSES
    for name in WAYS:
        way = travelled(SIX)[name]
        expected = as_pixels(Drawing().generate(0, way.flatten(0, 1))).reshape(*way.shape[:2], 1, 32, 32)
        assert torch.equal(found[name], expected)
    assert found["real"].shape == (REAL_IMAGES, 1, 32, 32)
    assert found["neighbours"].shape == (LOOKED_UP, NEIGHBOURS, 1, 32, 32)
    assert Counter(tensor.dtype for tensor in found.values()) == {torch.uint8: 5, torch.float32: 1}


def test_neighbours_are_training_images_and_as_far_as_it_says():
    found = drawn()
    pixels = as_pixels(digits().held_out.at(torch.arange(LOOKED_UP)))
    apart = (found["neighbours"].double() - pixels[:, None].double()).square().mean((2, 3, 4)).sqrt()
    torch.testing.assert_close(found["neighbour_distances"].double(), apart, rtol=1e-4, atol=1e-4)
    train = {image.numpy().tobytes() for image in as_pixels(digits().train.at(torch.arange(800)))}
    assert all(image.numpy().tobytes() in train for image in found["neighbours"].flatten(0, 1))
    assert (found["neighbour_distances"].diff(dim=1) >= 0).all()


def test_real_images_are_none_that_were_trained_on():
    reference = {image.numpy().tobytes() for image in as_pixels(digits().reference.at(torch.arange(800)))}
    assert all(image.numpy().tobytes() in reference for image in drawn()["real"])


def test_no_image_of_a_private_dataset_is_in_a_record():
    dataset = private(digits())
    found = drawn(dataset)
    assert found.keys() == WAYS | {"neighbour_distances"}
    whole = drawn(dataset, everything=True)
    assert whole.keys() == WAYS | LIKENESSES
    assert all(torch.equal(whole[name], drawn()[name]) for name in whole)


def test_stacks_have_no_neighbours():
    found = drawn(StackSet(digits()))
    assert found.keys() == WAYS | {"real"}
    assert found["real"].shape[1:] == found["sweep"].shape[2:] == (3, 32, 32)


def test_rows_of_pixels_are_pictured_as_the_images_that_they_are():
    class Painter(Drawing):
        def generate(self, replica, noise):
            return super().generate(replica, noise)[:, :, :8, :8].flatten(1)

    digits_of_a_flow = datasets.build("flow-digits")
    found = for_pictures(Painter(), 0, digits_of_a_flow, torch.zeros(20, 64), 0)
    assert found.keys() == WAYS | {"real", "image_shape"}
    assert found["image_shape"].tolist() == [1, 8, 8]
    for name in WAYS:
        way = travelled(SIX)[name]
        images = Painter().generate(0, way.flatten(0, 1)).reshape(*way.shape[:2], 1, 8, 8)
        assert torch.equal(found[name], as_pixels(images))
    real = digits_of_a_flow.sample(REAL_IMAGES, seeding.stream(0, seeding.REFERENCE_DATA))
    assert torch.equal(found["real"], as_pixels(real.reshape(-1, 1, 8, 8)))


@pytest.mark.parametrize("stack", [Drawing(prior=None)], ids=["no prior"])
def test_trainer_without_a_prior_leaves_the_ways_out(stack):
    assert drawn(stack=stack).keys() == LIKENESSES


def test_seed_changes_the_ways_and_no_real_image():
    one, other = drawn(seed=0), drawn(seed=1)
    assert {name for name in one if not torch.equal(one[name], other[name])} == WAYS
