"""The pair of MEG's stacked MNIST: its shapes, sizes and first weights."""

import math

import pytest
import torch
from torch import nn

from genbench import networks
from genbench.errors import BadParameter


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def generator(latent=10, event=(3, 28, 28), width=8, depth=4, seed=0):
    return networks.pair("meg").generator(latent, event, width, depth, stream(seed))


def critic(event=(3, 28, 28), width=8, depth=4, seed=0):
    return networks.pair("meg").critic(event, width, depth, stream(seed))


def layers(network, kind):
    return [layer for layer in network.modules() if isinstance(layer, kind)]


@pytest.mark.parametrize(
    ("event", "depth"), [((3, 28, 28), 4), ((1, 28, 28), 1), ((1, 32, 32), 3), ((3, 45, 31), 5), ((3, 9, 64), 6)]
)
def test_maps_latents_to_images_of_any_side_and_images_to_one_score(event, depth):
    images = generator(7, event, 2, depth)(torch.randn(5, 7, generator=stream()))
    assert images.shape == (5, *event)
    assert images.abs().max() < 1
    assert critic(event, 2, depth)(images).shape == (5, 1)


def test_sizes_are_those_of_the_papers_code():
    made, judged = generator(128, width=64), critic(width=64)
    stages = [(layer.in_channels, layer.out_channels) for layer in layers(made, nn.ConvTranspose2d)]
    assert stages == [(512, 256), (256, 128), (128, 64), (64, 3)]
    assert [layer.num_features for layer in layers(made, nn.BatchNorm2d)] == [512, 256, 128, 64]
    stages = [(layer.in_channels, layer.out_channels) for layer in layers(judged, nn.Conv2d)]
    assert stages == [(3, 64), (64, 128), (128, 256), (256, 512)]
    sides, seen = [], torch.randn(2, 128, generator=stream())
    for layer in made:
        seen = layer(seen)
        sides += [seen.shape[2]] if isinstance(layer, nn.Unflatten | nn.ConvTranspose2d) else []
    assert sides == [2, 4, 7, 14, 28]
    assert [layer.out_features for layer in layers(made, nn.Linear)] == [512 * 2 * 2]
    assert [layer.in_features for layer in layers(judged, nn.Linear)] == [512 * 2 * 2]
    assert list(judged.buffers()) == []


def test_the_generators_convolutions_are_normal_and_the_rest_starts_as_torchs_does():
    made = generator(width=32)
    for layer in layers(made, nn.ConvTranspose2d):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.15)
    for layer in layers(made, nn.BatchNorm2d):
        assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
        assert 0 < layer.weight.std().item() < 0.05 and not layer.bias.any()
    for layer in [*layers(made, nn.Linear), *layers(critic(width=32), nn.Conv2d | nn.Linear)]:
        bound = 1 / math.sqrt(layer.weight[0].numel())
        fresh = layer.weight.detach()
        assert fresh.abs().max() <= bound
        assert fresh.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.15)
        assert layer.bias.abs().max() <= bound and layer.bias.any()


def test_only_biases_that_normalisation_would_take_away_are_left_out():
    *inner, last = layers(generator(), nn.ConvTranspose2d)
    assert all(layer.bias is None for layer in inner) and last.bias is not None


@pytest.mark.parametrize("build", [generator, critic])
def test_draws_from_the_given_stream_alone(build):
    before = torch.get_rng_state()
    first, again, other = build(), build(), build(seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, first.parameters(), again.parameters()))
    assert not torch.equal(next(first.parameters()), next(other.parameters()))


@pytest.mark.parametrize("build", [generator, critic])
def test_refuses_what_is_no_image(build):
    with pytest.raises(BadParameter, match=r"take images .* shape is \(2,\)\. Try networks=mlp"):
        build(event=(2,))
