"""What ships is what the committed script makes, and is as good as its card says."""

import hashlib

import pytest
import torch

from genbench.datasets.images import Images
from genbench.features import extractor
from genbench.features.convolutional import WEIGHTS, Architecture, Layer, card
from genbench.features.training import train
from genbench.features.training.augment import Jitter, jittered
from genbench.features.training.data import Labelled
from genbench.features.training.train import RECIPES, Recipe, folded, measured, trained

TINY = Architecture(channels=1, side=8, layers=(Layer(6, kernel=5, stride=2), Layer(8)), heads=1, classes=2)
BARS = {"mnist-cnn": 0.993, "fashion-cnn": 0.92, "celeba-cnn": 0.87}
MOST_BYTES = {"mnist-cnn": 1_000_000, "fashion-cnn": 1_000_000, "celeba-cnn": 4_000_000}


def stripes(n=512):
    """Lying and standing stripes, in noise."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (n, 1), generator=rng)
    lying = torch.zeros(8, 8, dtype=torch.uint8)
    lying[::2] = 200
    noise = torch.randint(56, (n, 1, 8, 8), generator=rng, dtype=torch.uint8)
    pixels = torch.where(labels[:, :, None, None] == 0, lying, lying.T) + noise
    return Labelled("stripes", Images(pixels, torch.arange(n)), labels, ("lying", "standing"))


@pytest.fixture(scope="module")
def recipe():
    return Recipe("stripes-1", TINY, lambda: None, Jitter(shift=0.05), epochs=3, batch=64, dropout=0.1)


@pytest.fixture(scope="module")
def network(recipe):
    return trained(recipe, stripes())


def test_learns(network, recipe):
    network, part = folded(network), stripes()
    assert (network(part.images.at(torch.arange(512))).logits.argmax(2) == part.labels).double().mean() > 0.95


def test_training_is_repeatable_and_draws_from_no_global_stream(network, recipe):
    before = torch.get_rng_state()
    again = trained(recipe, stripes())
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, again.state_dict().values(), network.state_dict().values()))


def test_folding_changes_nothing(network):
    images = stripes().images.at(torch.arange(64))
    plain = folded(network)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in plain.modules())
    torch.testing.assert_close(plain(images), network(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 16, 24)])
def test_no_jitter_is_no_change(shape):
    images = 2 * torch.rand(5, *shape, generator=torch.Generator().manual_seed(0)) - 1
    torch.testing.assert_close(jittered(images, Jitter(), torch.Generator()), images, rtol=0, atol=1e-5)


def test_flips_half_of_the_images():
    images = 2 * torch.rand(400, 1, 6, 6, generator=torch.Generator().manual_seed(0)) - 1
    changed = jittered(images, Jitter(flip=True), torch.Generator().manual_seed(1))
    flipped = (changed - images.flip(3)).abs().amax((1, 2, 3)) < 1e-5
    same = (changed - images).abs().amax((1, 2, 3)) < 1e-5
    assert (flipped ^ same).all() and 160 < flipped.sum() < 240


def test_jitter_stays_in_range_and_differs_by_image():
    images = torch.linspace(-1, 1, 256).reshape(1, 1, 16, 16).repeat(8, 3, 1, 1)
    changed = jittered(images, Jitter(10, 0.1, 0.1, 0.1, 0.2, 0.2, True), torch.Generator().manual_seed(0))
    assert changed.abs().max() <= 1
    assert (changed[1:] - changed[:1]).abs().amax((1, 2, 3)).min() > 0.01


@pytest.mark.parametrize("name", RECIPES)
def test_weights_are_small(name):
    assert (WEIGHTS / f"{RECIPES[name].name}.safetensors").stat().st_size < MOST_BYTES[name]


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.usefixtures("needs_data")
def test_is_as_good_as_its_card_says(name):
    written, part = card(RECIPES[name].name)["measured"], RECIPES[name].parts().reference
    assert written["accuracy"] >= BARS[name]
    if len(part.labels) != written["images"]:
        pytest.skip("the card's figures are those of other images")
    found = measured(extractor(name), part)
    assert found["accuracy"] == pytest.approx(written["accuracy"], abs=3e-4)
    assert found.keys() | {"on", "images"} == written.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.usefixtures("needs_data")
def test_training_again_is_as_good(name, tmp_path):
    """The same machine and torch make the same bits; others the same figures, near enough."""
    again, written = train.make(name, tmp_path), card(RECIPES[name].name)
    assert again["measured"]["accuracy"] == pytest.approx(written["measured"]["accuracy"], abs=0.002)
    assert again["measured"]["accuracy"] >= BARS[name]
    assert hashlib.sha256((tmp_path / f"{again['name']}.safetensors").read_bytes()).hexdigest() == again["sha256"]
