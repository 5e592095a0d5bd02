"""What holds for every extractor, with no data at hand."""

import subprocess
import sys

import pytest
import torch
from made_up import forgetful_registries

from genbench.errors import GenbenchError, Skip, UnknownName
from genbench.features import convolutional, extractor
from genbench.features.convolutional import BLOCK, Architecture, Convolutional, Layer, Network, card
from genbench.registry import extractors

SHIPPED = ["mnist-cnn", "fashion-cnn", "celeba-cnn", "meg-cnn"]


def noise(*shape, seed=0):
    return 2 * torch.rand(shape, generator=torch.Generator().manual_seed(seed)) - 1


@pytest.fixture(params=SHIPPED)
def shipped(request):
    return extractor(request.param)


@pytest.mark.parametrize("name", SHIPPED)
def test_extracts_what_its_card_says(name):
    found = extractor(name)
    written, architecture = card(found.name), found.network.architecture
    features, logits = found(noise(2, architecture.channels, 32, 32))
    assert features.shape == (2, found.size) and written["features"] == found.size
    assert logits.shape == (2, architecture.heads, architecture.classes)
    assert (
        written["sha256"] == found.sha256
        and written["name"] == found.name
        and found.name == f"{name}-{extractors[name].version}"
    )


def test_loads_once():
    assert extractor("mnist-cnn") is extractor("mnist-cnn")


def test_unknown_name():
    with pytest.raises(UnknownName, match="Did you mean mnist-cnn"):
        extractor("mnist-cn")


def test_blocks_do_not_matter(shipped, monkeypatch):
    images = noise(7, shipped.network.architecture.channels, 40, 40)
    whole = shipped(images)
    monkeypatch.setattr(convolutional, "BLOCK", 3)
    for split, once in zip(shipped(images), whole, strict=True):
        torch.testing.assert_close(split, once, rtol=1e-4, atol=1e-5)


def test_more_images_than_a_block(shipped):
    images = noise(BLOCK + 3, shipped.network.architecture.channels, 16, 16)
    assert len(shipped(images).features) == len(images)
    torch.testing.assert_close(shipped(images[-2:]).features, shipped(images).features[-2:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("side", [(28, 28), (32, 32), (64, 64), (109, 89)])
def test_takes_any_size(shipped, side):
    seen = shipped(noise(2, shipped.network.architecture.channels, *side))
    assert seen.features.shape == (2, shipped.size) and seen.features.isfinite().all()


def test_size_hardly_matters(shipped):
    """An enlarged smooth image is the same image."""
    side = shipped.network.architecture.side
    smooth = torch.nn.functional.interpolate(
        noise(8, shipped.network.architecture.channels, 4, 4), side, mode="bicubic"
    )
    large = torch.nn.functional.interpolate(smooth, 2 * side, mode="bilinear")
    there, here = shipped(large).features, shipped(smooth).features
    assert (there - here).norm() < 0.1 * (here - here.mean(0)).norm()


@pytest.mark.parametrize("name", ["mnist-cnn", "fashion-cnn", "meg-cnn"])
def test_stacked_digits_are_taken_one_by_one(name):
    images, size = noise(5, 3, 32, 32), extractor(name).size
    seen = extractor(name)(images)
    for channel in range(3):
        alone = extractor(name)(images[:, channel, None])
        torch.testing.assert_close(seen.features[:, size * channel : size * channel + size], alone.features)
        torch.testing.assert_close(seen.logits[:, channel, None], alone.logits)


def test_grey_faces_are_repeated_over_the_colours():
    grey = noise(3, 1, 64, 64)
    torch.testing.assert_close(extractor("celeba-cnn")(grey), extractor("celeba-cnn")(grey.repeat(1, 3, 1, 1)))


def test_faces_of_two_channels_are_a_skip():
    with pytest.raises(Skip, match="1 or 3 channels and these have 2"):
        extractor("celeba-cnn")(noise(3, 2, 64, 64))


def test_two_classes_are_a_zero_and_a_number():
    logits = extractor("celeba-cnn")(noise(3, 3, 64, 64)).logits
    assert (logits[..., 0] == 0).all() and (logits[..., 1] != 0).any()


def test_nothing_is_drawn_and_nothing_is_learnt(shipped):
    before, weights = torch.get_rng_state(), [tensor.clone() for tensor in shipped.network.state_dict().values()]
    seen = shipped(noise(4, shipped.network.architecture.channels, 32, 32).requires_grad_())
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, shipped.network.state_dict().values(), weights))
    assert not seen.features.requires_grad and not shipped.network.training
    assert not any(parameter.requires_grad for parameter in shipped.network.parameters())


def test_loading_draws_nothing():
    before = torch.get_rng_state()
    extractors["mnist-cnn"].build()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", SHIPPED)
def test_damaged_weights_are_refused(name, tmp_path, monkeypatch):
    path = convolutional.WEIGHTS / f"{extractor(name).name}.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    (tmp_path / path.name).write_bytes(content)
    (tmp_path / path.with_suffix(".json").name).write_bytes(path.with_suffix(".json").read_bytes())
    monkeypatch.setattr(convolutional, "WEIGHTS", tmp_path)
    with pytest.raises(GenbenchError, match="is damaged"):
        extractors[name].build()


def test_the_catalogue_imports_no_torch():
    code = "import sys, genbench.features; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_images_of_a_batch_do_not_see_each_other():
    network = Network(Architecture(1, 8, (Layer(4), Layer(4)), heads=2, classes=2))
    found = Convolutional("tiny-1", "", network)
    images = noise(4, 1, 8, 8)
    torch.testing.assert_close(found(images.flip(0)).features.flip(0), found(images).features)


class TestBrought:
    """What a plugin brings."""

    @pytest.fixture
    def brought(self):
        with forgetful_registries():

            def bring(look, name="mine", **details):
                extractors._entries.pop(name, None)
                extractors.register(name, **details)(lambda: look)
                return extractor(name)

            yield bring

    def test_is_named_with_its_version_and_known_by_its_source(self, brought):
        found = brought(lambda images: images.flatten(1), version=3)
        assert (found.name, len(found.sha256)) == ("mine-3", 64)
        images = noise(BLOCK + 1, 1, 4, 4)
        seen = found(images)
        assert torch.equal(seen.features, images.flatten(1))
        assert seen.logits.shape == (BLOCK + 1, 0, 0)

    def test_is_known_by_its_weights_too_and_is_frozen(self, brought):
        def made(weight):
            network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2), torch.nn.Dropout(0.9))
            torch.nn.init.constant_(network[1].weight, weight)
            torch.nn.init.zeros_(network[1].bias)
            return brought(network)

        one, other, again = made(1.0), made(2.0), made(1.0)
        assert one.sha256 == again.sha256 != other.sha256
        images = noise(3, 1, 2, 2).requires_grad_()
        seen = one(images)
        assert torch.allclose(seen.features, images.flatten(1).sum(1, keepdim=True).expand(-1, 2))
        assert not seen.features.requires_grad

    @pytest.mark.parametrize(
        ("look", "message"),
        [
            (None, "The extractor 'mine' gave None. Let it return a module, or a function of images."),
            (lambda images: images, "mine-1 must give features of shape (n, size), or api.Extracted(features, logits)"),
            (lambda images: images.flatten(1)[:1], "mine-1 looked at 3 images and gave (1, 4) and (3, 0, 0)."),
            (lambda images: 3, "mine-1 must give features of shape (n, size)"),
        ],
    )
    def test_that_does_not_see_features_is_refused(self, brought, look, message):
        with pytest.raises(GenbenchError) as refused:
            brought(look)(noise(3, 1, 2, 2))
        assert message in str(refused.value)
