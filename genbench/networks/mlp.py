"""Fully connected networks: for points, and for images as long vectors."""

import math
from collections.abc import Callable

from torch import Generator, Tensor, nn

from genbench.networks.layers import Linear

ORTHOGONAL_GAIN = 1.4
"""Of the unrolled GAN's toys."""

PACGAN_STD = 0.02
PACGAN_PIECES = 5
PACGAN_MOMENTUM, PACGAN_EPSILON = 0.05, 1e-4
"""Of its batch normalisation: a batch's weight in the running statistics, and what is added to variances."""


class Maxout(nn.Module):
    """The largest of `pieces` affine maps, unit by unit: `(batch, inputs)` to `(batch, outputs)`. arXiv:1302.4389."""

    def __init__(self, inputs: int, outputs: int, pieces: int) -> None:
        super().__init__()
        self.affine = _linear(inputs, outputs * pieces)
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        values: Tensor = self.affine(x)
        return values.view(len(x), -1, self.pieces).amax(2)


Start = Callable[[nn.Sequential, Generator], nn.Sequential]
"""What draws a network's first weights."""


def uniform_start(network: nn.Sequential, rng: Generator) -> nn.Sequential:
    """U(−1/√fan-in, 1/√fan-in) for weights and biases: torch's default for linear layers."""
    for layer in _linears(network):
        bound = 1 / math.sqrt(layer.in_features)
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=rng)
    return network


def he_start(network: nn.Sequential, rng: Generator) -> nn.Sequential:
    """Uniform weights and no biases: of He's variance 2/fan-in before a ReLU, in the last layer of Glorot's
    2/(fan-in + fan-out). arXiv:1502.01852, section 2.2.
    """
    *hidden, last = _linears(network)
    for layer in hidden:
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=rng)
    nn.init.xavier_uniform_(last.weight, generator=rng)
    for layer in (*hidden, last):
        nn.init.zeros_(layer.bias)
    return network


def orthogonal_start(network: nn.Sequential, rng: Generator) -> nn.Sequential:
    """Orthogonal weights, 1.4 times as large, and no biases. arXiv:1312.6120."""
    for layer in _linears(network):
        nn.init.orthogonal_(layer.weight, ORTHOGONAL_GAIN, generator=rng)
        nn.init.zeros_(layer.bias)
    return network


def glorot_start(network: nn.Sequential, rng: Generator) -> nn.Sequential:
    """Uniform weights of Glorot's variance 2/(fan-in + fan-out), and no biases: TensorFlow's default then."""
    for layer in _linears(network):
        nn.init.xavier_uniform_(layer.weight, generator=rng)
        nn.init.zeros_(layer.bias)
    return network


def layered(
    inputs: int,
    outputs: int,
    width: int,
    depth: int,
    rng: Generator,
    start: Start = uniform_start,
    activation: type[nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """`(batch, inputs)` to `(batch, outputs)` in `depth` hidden layers of `width` units."""
    return start(nn.Sequential(*_layers(inputs, outputs, width, depth, activation)), rng)


def generator(
    latent: int,
    event_shape: tuple[int, ...],
    width: int,
    depth: int,
    rng: Generator,
    start: Start = uniform_start,
    activation: type[nn.Module] = nn.ReLU,
) -> nn.Module:
    """`depth` layers of `width` units, then a linear map to the event."""
    layers = _layers(latent, math.prod(event_shape), width, depth, activation)
    return start(nn.Sequential(*layers, *_to_event(event_shape)), rng)


def critic(
    event_shape: tuple[int, ...],
    width: int,
    depth: int,
    rng: Generator,
    start: Start = uniform_start,
    activation: type[nn.Module] = nn.ReLU,
) -> nn.Module:
    """`depth` layers of `width` units, then one score."""
    layers = _layers(math.prod(event_shape), 1, width, depth, activation)
    return start(nn.Sequential(*_to_vector(event_shape), *layers), rng)


def veegan_discriminator(event_shape: tuple[int, ...], width: int, depth: int, rng: Generator) -> nn.Module:
    """A hidden layer less than its generator has, then one logit."""
    return critic(event_shape, width, depth - 1, rng, glorot_start)


def pacgan_generator(latent: int, event_shape: tuple[int, ...], width: int, depth: int, rng: Generator) -> nn.Module:
    """`depth + 1` layers of `2·width` units with batch normalisation and ReLU, then a linear map, the only bias."""
    layers: list[nn.Module] = []
    inputs = latent
    for _ in range(depth + 1):
        normalisation = nn.BatchNorm1d(2 * width, eps=PACGAN_EPSILON, momentum=PACGAN_MOMENTUM)
        layers += [_linear(inputs, 2 * width, bias=False), normalisation, nn.ReLU()]
        inputs = 2 * width
    layers += [_linear(inputs, math.prod(event_shape)), *_to_event(event_shape)]
    return _normal_init(nn.Sequential(*layers), rng)


def pacgan_discriminator(event_shape: tuple[int, ...], width: int, depth: int, rng: Generator) -> nn.Module:
    """`depth` maxout layers of `width` units and five pieces, then one logit."""
    layers = _to_vector(event_shape)
    inputs = math.prod(event_shape)
    for _ in range(depth):
        layers.append(Maxout(inputs, width, PACGAN_PIECES))
        inputs = width
    return _normal_init(nn.Sequential(*layers, _linear(inputs, 1)), rng)


def _linears(network: nn.Module) -> list[nn.Linear]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


def _linear(inputs: int, outputs: int, bias: bool = True) -> Linear:
    """A linear layer whose weights nothing has drawn yet."""
    return Linear(inputs, outputs, bias=bias, device="meta").to_empty(device="cpu")


def _to_event(event_shape: tuple[int, ...]) -> list[nn.Module]:
    return [nn.Unflatten(1, event_shape)] if len(event_shape) > 1 else []


def _to_vector(event_shape: tuple[int, ...]) -> list[nn.Module]:
    return [nn.Flatten()] if len(event_shape) > 1 else []


def _layers(
    inputs: int, outputs: int, width: int, depth: int, activation: type[nn.Module] = nn.ReLU
) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [_linear(inputs, width), activation()]
        inputs = width
    return [*layers, _linear(inputs, outputs)]


def _normal_init(network: nn.Module, rng: Generator) -> nn.Module:
    """N(0, 0.02²) for the weights, zero for the biases."""
    for layer in _linears(network):
        nn.init.normal_(layer.weight, std=PACGAN_STD, generator=rng)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return network
