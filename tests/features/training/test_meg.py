"""MEG's classifier: what ships is what the committed script makes, layer by layer what its source describes."""

import hashlib

import pytest
import torch
from torch import nn

from genbench.datasets.images import Images
from genbench.features import extractor
from genbench.features.convolutional import WEIGHTS, Architecture, Layer, card
from genbench.features.meg_cnn import NAME, Pooled
from genbench.features.training import meg
from genbench.features.training.data import Labelled
from genbench.features.training.train import measured

TINY = Architecture(channels=1, side=12, layers=(Layer(6), Layer(8)), heads=1, classes=2, hidden=16)
BAR = 0.97


def stripes(n=640):
    """Lying and standing stripes, in noise."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (n, 1), generator=rng)
    lying = torch.zeros(12, 12, dtype=torch.uint8)
    lying[::2] = 200
    noise = torch.randint(56, (n, 1, 12, 12), generator=rng, dtype=torch.uint8)
    pixels = torch.where(labels[:, :, None, None] == 0, lying, lying.T) + noise
    return Labelled("stripes", Images(pixels, torch.arange(n)), labels, ("lying", "standing"))


@pytest.fixture(scope="module")
def learnt():
    return meg.trained(TINY, stripes(), stripes(64), epochs=12)


def test_learns_and_keeps_the_first_of_the_best_epochs(learnt):
    network, epoch = learnt
    part = stripes(64)
    told = (network(part.images.at(torch.arange(64))).logits.argmax(2) == part.labels).double().mean().item()
    assert told > 0.95
    assert 1 <= epoch <= 12
    earlier, best = meg.trained(TINY, stripes(), stripes(64), epochs=epoch)
    assert best == epoch and all(map(torch.equal, earlier.state_dict().values(), network.state_dict().values()))
    if epoch > 1:
        before = meg.trained(TINY, stripes(), stripes(64), epochs=epoch - 1)[0]
        assert (before(part.images.at(torch.arange(64))).logits.argmax(2) == part.labels).double().mean().item() < told


def test_training_draws_from_no_global_stream(learnt):
    before = torch.get_rng_state()
    meg.trained(TINY, stripes(64), stripes(64), epochs=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_features_are_those_of_torchs_own_layers():
    found = extractor("meg-cnn").network
    first, second = found.convolutions
    twin = nn.Sequential(
        first, nn.MaxPool2d(2), nn.ReLU(), second, nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), found.hidden, nn.ReLU()
    )
    white = torch.rand(9, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    features, logits = found(2 * white - 1)
    torch.testing.assert_close(features, twin(white), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits[:, 0], found.head(twin(white)), rtol=1e-4, atol=1e-5)
    shapes = {key: tuple(tensor.shape) for key, tensor in found.state_dict().items() if key.endswith("weight")}
    assert list(shapes.values()) == [(10, 1, 5, 5), (20, 10, 5, 5), (50, 320), (10, 50)]


def test_dropping_leaves_out_whole_channels_and_hidden_units():
    network, images = Pooled(TINY), torch.rand(3, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    whole = network.features(images)
    assert torch.equal(network.features(images, (torch.ones(3, 8, 1, 1), torch.ones(3, 16))), whole)
    assert not network.features(images, (1.0, torch.zeros(3, 16))).any()
    blind = network.features(images, (torch.zeros(3, 8, 1, 1), 1.0))
    torch.testing.assert_close(blind, network.hidden.bias.relu().expand(3, -1))


def test_half_is_kept_and_counts_twice():
    mask = meg._mask((400, 50), torch.Generator().manual_seed(0))
    assert mask.unique().tolist() == [0, 2]
    assert mask.mean().item() == pytest.approx(1, abs=0.04)


def test_starts_as_torchs_layers_do():
    network = meg._initial(TINY, torch.Generator().manual_seed(0))
    layers = [*network.convolutions, network.hidden, network.head]
    for layer in layers:
        bound = layer.weight[0].numel() ** -0.5
        assert layer.weight.abs().max() <= bound and layer.bias.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.3)


def test_weights_are_small():
    assert (WEIGHTS / f"{NAME}.safetensors").stat().st_size < 100_000


@pytest.mark.usefixtures("needs_data")
def test_is_as_good_as_its_card_says():
    written, (train, test) = card(NAME)["measured"], meg.parts()
    assert (len(train.labels), len(test.labels)) == (60_000, 10_000)
    assert train.labels[:5, 0].tolist() == [5, 0, 4, 1, 9]
    found = measured(extractor("meg-cnn"), test)
    assert found["accuracy"] == pytest.approx(written["accuracy"], abs=3e-4)
    assert found["accuracy"] >= BAR
    assert found.keys() | {"on", "images"} == written.keys()


@pytest.mark.slow
@pytest.mark.usefixtures("needs_data")
def test_training_again_is_as_good(tmp_path):
    """The same machine and torch make the same bits; others the same figures, near enough."""
    again, written = meg.make(tmp_path), card(NAME)
    assert again["measured"]["accuracy"] == pytest.approx(written["measured"]["accuracy"], abs=0.005)
    assert hashlib.sha256((tmp_path / f"{NAME}.safetensors").read_bytes()).hexdigest() == again["sha256"]
