"""Convolutional pairs: their shapes, sizes and first weights."""

import math

import pytest
import torch
from torch import nn

from genbench import networks
from genbench.errors import BadParameter

PAIRS = ("dcgan", "dcgan-gp")
EVENTS = [((1, 32, 32), 3), ((3, 64, 64), 4), ((1, 28, 28), 2), ((3, 32, 48), 1)]


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def generator(pair, latent=10, event=(1, 32, 32), width=8, depth=3, seed=0):
    return networks.pair(pair).generator(latent, event, width, depth, stream(seed))


def critic(pair, event=(1, 32, 32), width=8, depth=3, seed=0):
    return networks.pair(pair).critic(event, width, depth, stream(seed))


def layers(network, kind):
    return [layer for layer in network.modules() if isinstance(layer, kind)]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(("event", "depth"), EVENTS)
def test_maps_latents_to_images_and_images_to_one_score(pair, event, depth):
    images = generator(pair, 7, event, 4, depth)(torch.randn(5, 7, generator=stream()))
    assert images.shape == (5, *event)
    assert images.abs().max() < 1
    assert critic(pair, event, 4, depth)(images).shape == (5, 1)


@pytest.mark.parametrize("pair", PAIRS)
def test_channels_are_the_papers_at_the_seeds_size(pair):
    made, judged = generator(pair, 10, (3, 64, 64), 128, 4), critic(pair, (3, 64, 64), 128, 4)
    stages = layers(made, nn.ConvTranspose2d)
    assert [(layer.in_channels, layer.out_channels) for layer in stages] == [
        (1024, 512), (512, 256), (256, 128), (128, 3),
    ]  # fmt: skip
    stages = layers(judged, nn.Conv2d)
    assert [(layer.in_channels, layer.out_channels) for layer in stages] == [
        (3, 128), (128, 256), (256, 512), (512, 1024),
    ]  # fmt: skip


def test_normalises_every_stage_but_those_next_to_the_image_and_only_the_generators():
    assert [layer.num_features for layer in layers(generator("dcgan"), nn.BatchNorm2d)] == [32, 16, 8]
    assert [layer.num_features for layer in layers(critic("dcgan"), nn.BatchNorm2d)] == [16, 32]
    assert [layer.num_features for layer in layers(generator("dcgan-gp"), nn.BatchNorm2d)] == [32, 16, 8]
    plain = critic("dcgan-gp")
    assert list(plain.buffers()) == []
    assert all(layer.bias is not None for layer in layers(plain, nn.Conv2d | nn.Linear))


@pytest.mark.parametrize("build", [generator, critic])
@pytest.mark.parametrize("pair", PAIRS)
def test_starts_from_normal_weights_of_the_given_stream(build, pair):
    network = build(pair, width=32)
    he = build is critic and pair == "dcgan-gp"
    for layer in layers(network, nn.Conv2d | nn.ConvTranspose2d):
        fan_in = layer.in_channels * 16
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / 1.04 / fan_in) if he else 0.02, rel=0.15)
    for layer in layers(network, nn.BatchNorm2d):
        assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
        assert 0 < layer.weight.std().item() < 0.05
    again, other = build(pair, width=32), build(pair, width=32, seed=1)
    assert all(map(torch.equal, network.parameters(), again.parameters()))
    assert not torch.equal(next(network.parameters()), next(other.parameters()))


@pytest.mark.parametrize("build", [generator, critic])
def test_refuses_what_it_cannot_halve(build):
    with pytest.raises(BadParameter, match=r"take images .* shape is \(2,\)\. Try networks=mlp"):
        build("dcgan", event=(2,))
    with pytest.raises(BadParameter, match=r"28 × 28 pixels don't allow\. Give another depth"):
        build("dcgan", event=(1, 28, 28))
