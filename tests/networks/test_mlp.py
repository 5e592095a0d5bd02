"""Fully connected pairs: their size, their first weights, and where those come from."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from genbench import networks
from genbench.errors import UnknownName
from genbench.networks.layers import Linear
from genbench.networks.mlp import Maxout

PAIRS = ("mlp", "mlp-he", "mlp-orthogonal", "pacgan", "veegan")
SIZES = [(2, (2,), 64, 3), (5, (3,), 7, 1), (1, (1, 4, 4), 16, 2)]


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def generator(pair="mlp", latent=2, event=(2,), width=64, depth=3, seed=0):
    return networks.pair(pair).generator(latent, event, width, depth, stream(seed))


def critic(pair="mlp", event=(2,), width=64, depth=3, seed=0):
    return networks.pair(pair).critic(event, width, depth, stream(seed))


def size(network):
    return sum(parameter.numel() for parameter in network.parameters())


def linears(network):
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


def chain(*widths):
    """The number of weights and biases of linear maps from width to width."""
    return sum((before + 1) * after for before, after in pairwise(widths))


@pytest.mark.parametrize("pair", ["mlp", "mlp-he"])
@pytest.mark.parametrize(("latent", "event", "width", "depth"), SIZES)
def test_mlp_has_the_layers_it_says(pair, latent, event, width, depth):
    features = math.prod(event)
    assert size(generator(pair, latent, event, width, depth)) == chain(latent, *[width] * depth, features)
    assert size(critic(pair, event, width, depth)) == chain(features, *[width] * depth, 1)


@pytest.mark.parametrize(("latent", "event", "width", "depth"), SIZES)
def test_pacgan_pair_has_the_layers_it_says(latent, event, width, depth):
    features = math.prod(event)
    hidden = [2 * width] * (depth + 1)
    biases, normalisations = sum(hidden), 2 * sum(hidden)
    assert size(generator("pacgan", latent, event, width, depth)) == (
        chain(latent, *hidden, features) - biases + normalisations
    )
    pieces = 5 * (chain(features, width) + (depth - 1) * chain(width, width))
    assert size(critic("pacgan", event, width, depth)) == pieces + chain(width, 1)


def test_pacgan_pair_is_the_papers_at_its_recipes_size():
    made, judged = generator("pacgan", width=200, depth=3), critic("pacgan", width=200, depth=3)
    assert [layer.out_features for layer in linears(made)] == [400, 400, 400, 400, 2]
    assert [layer.out_features for layer in linears(judged)] == [1000, 1000, 1000, 1]
    normalisations = [layer for layer in made.modules() if isinstance(layer, nn.BatchNorm1d)]
    assert [(layer.momentum, layer.eps, layer.affine) for layer in normalisations] == [(0.05, 1e-4, True)] * 4
    assert [layer.bias is None for layer in linears(made)] == [True] * 4 + [False]
    assert all(layer.bias is not None for layer in linears(judged))


def test_running_statistics_of_the_pacgan_pair_take_in_a_twentieth_of_each_batch():
    network = generator("pacgan", width=8)
    z = torch.randn(50, 2, generator=stream())
    first, normalisation = linears(network)[0], next(m for m in network.modules() if isinstance(m, nn.BatchNorm1d))
    network(z)
    units = z @ first.weight.T
    assert torch.allclose(normalisation.running_mean, 0.05 * units.mean(0), atol=1e-7)
    assert torch.allclose(normalisation.running_var, 0.95 + 0.05 * units.var(0), atol=1e-7)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(("event", "width", "depth"), [size[1:] for size in SIZES if len(size[1]) == 1])
def test_shapes(pair, event, width, depth):
    made = generator(pair, 6, event, width, depth)(torch.zeros(9, 6))
    assert made.shape == (9, *event)
    assert critic(pair, event, width, depth)(made).shape == (9, 1)


@pytest.mark.parametrize("build", [generator, critic])
def test_mlp_starts_from_torchs_default_bounds(build):
    for layer in linears(build(width=200)):
        bound = 1 / math.sqrt(layer.in_features)
        for parameter in (layer.weight, layer.bias):
            assert parameter.abs().max() <= bound
        if layer.weight.numel() > 1000:
            assert layer.weight.max() > 0.99 * bound
            assert layer.weight.min() < -0.99 * bound
            assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize("build", [generator, critic])
def test_he_pair_starts_from_he_weights_glorot_ones_in_the_last_layer_and_no_biases(build):
    """Var U(−b, b) = b²/3: with He's variance 2/fan-in a ReLU layer keeps its input's mean square."""
    *hidden, last = linears(build("mlp-he", width=400))
    variances = [2 / layer.in_features for layer in hidden] + [2 / (last.in_features + last.out_features)]
    for layer, variance in zip((*hidden, last), variances, strict=True):
        bound = math.sqrt(3 * variance)
        assert not layer.bias.any()
        assert layer.weight.abs().max() <= bound
        assert layer.weight.abs().max() > 0.97 * bound
        assert layer.weight.var().item() == pytest.approx(variance, rel=0.15 if layer.weight.numel() < 1000 else 0.02)
    x = torch.randn(4000, 400, generator=stream(1))
    with torch.no_grad():
        assert hidden[1](x).relu().square().mean().item() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("build", [generator, critic])
def test_veegan_pair_starts_from_glorots_weights_and_no_biases(build):
    for layer in linears(build("veegan", width=128)):
        bound = math.sqrt(6 / (layer.in_features + layer.out_features))
        assert not layer.bias.any()
        assert layer.weight.abs().max() <= bound
        if layer.weight.numel() > 1000:
            assert layer.weight.abs().max() > 0.97 * bound
            assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)


def test_veegan_pair_is_the_papers_at_its_recipes_size():
    made, judged = generator("veegan", 254, (2,), 128, 2), critic("veegan", (2,), 128, 2)
    assert [(layer.in_features, layer.out_features) for layer in linears(made)] == [(254, 128), (128, 128), (128, 2)]
    assert [(layer.in_features, layer.out_features) for layer in linears(judged)] == [(2, 128), (128, 1)]
    assert [type(layer) for layer in judged] == [Linear, nn.ReLU, Linear]


@pytest.mark.parametrize("build", [generator, critic])
def test_pacgan_pair_starts_from_small_normal_weights_and_no_biases(build):
    for layer in linears(build("pacgan", width=100)):
        assert layer.bias is None or not layer.bias.any()
        if layer.weight.numel() > 1000:
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
            assert layer.weight.mean().item() == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("build", [generator, critic])
def test_weights_come_from_the_given_stream_alone(pair, build):
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one, same, other = (nn.utils.parameters_to_vector(build(pair, seed=seed).parameters()) for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("build", [generator, critic])
def test_every_parameter_is_on_the_processor_finite_and_can_learn(pair, build):
    for parameter in build(pair).parameters():
        assert parameter.device.type == "cpu"
        assert torch.isfinite(parameter).all()
        assert parameter.requires_grad


def test_mlp_is_affine_maps_with_relus_between():
    network = generator(width=5, depth=2)
    x = torch.randn(4, 2, generator=stream(3))
    first, second, last = linears(network)
    hidden = (x @ first.weight.T + first.bias).clamp(min=0)
    hidden = (hidden @ second.weight.T + second.bias).clamp(min=0)
    assert torch.allclose(network(x), hidden @ last.weight.T + last.bias, atol=1e-6)


def test_maxout_is_the_largest_of_its_pieces():
    unit = Maxout(1, 2, 3)
    with torch.no_grad():
        unit.affine.weight.copy_(torch.tensor([[1.0], [-1], [0], [2], [3], [-5]]))
        unit.affine.bias.copy_(torch.tensor([0.0, 0, 0.5, 0, -1, 1]))
    assert unit(torch.tensor([[2.0], [-3], [0]])).tolist() == [[2, 5], [3, 16], [0.5, 1]]


def test_batch_normalisation_makes_the_generator_look_at_the_whole_batch():
    network = generator("pacgan", width=8)
    z = torch.randn(6, 2, generator=stream())
    assert not torch.allclose(network(z)[:3], network(z[:3]))
    network.eval()
    assert torch.allclose(network(z)[:3], network(z[:3]), atol=1e-6)


def test_unknown_pair_lists_what_there_is():
    with pytest.raises(UnknownName, match="mlp"):
        networks.pair("mlpp")
