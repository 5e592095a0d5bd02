"""Within `input_gradient`, activations keep values and slopes and lose what a second differentiation drags along."""

import pytest
import torch
from operations import Operations
from torch import Tensor, nn
from torch.nn import functional

from genbench import api, seeding
from genbench.engine.activations import FlatActivations
from genbench.engine.method import Batch, Networks
from genbench.engine.problem import Problem, by_func
from genbench.registry import trainers

POINTS = (-torch.inf, -2.0, -0.0, 0.0, 1e-30, 3.0, torch.inf)
ACTIVATIONS = {
    "relu module": nn.ReLU(),
    "relu in place": lambda x: nn.ReLU(inplace=True)(1 * x),
    "functional relu": functional.relu,
    "torch.relu": torch.relu,
    "method relu": Tensor.relu,
    "leaky relu module": nn.LeakyReLU(0.2),
    "functional leaky relu": functional.leaky_relu,
}


@pytest.fixture(params=ACTIVATIONS)
def activation(request):
    return ACTIVATIONS[request.param]


def test_values_and_slopes_are_torchs(activation):
    own, other = (torch.tensor(POINTS, requires_grad=True) for _ in range(2))
    with FlatActivations():
        value = activation(own)
    expected = activation(other)
    value.sum().backward(), expected.sum().backward()
    assert torch.equal(value, expected)
    assert torch.equal(own.grad, other.grad)


def test_nan_stays(activation):
    with FlatActivations():
        assert activation(torch.tensor([torch.nan, -1.0])).isnan().tolist() == [True, False]


def test_nothing_is_left_to_differentiate_twice(activation):
    x = torch.randn(5, generator=seeding.stream(0, "test")).requires_grad_()
    with FlatActivations():
        value = activation(x)
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    assert not slope.requires_grad


@pytest.mark.parametrize("by", ["autograd", "func"])
def test_second_derivatives_by_weights_are_torchs(activation, by):
    """The gradient of a slope's square by the weights, with and without the zeros."""
    rng = seeding.stream(0, "test")
    weight = torch.randn(4, 3, generator=rng, dtype=torch.float64)
    x = torch.randn(6, 3, generator=rng, dtype=torch.float64)

    def network(weight):
        return lambda x: activation(x @ weight.T).square().sum(1, keepdim=True)

    def penalty(weight):
        return api.input_gradient(network(weight), x).square().sum()

    if by == "func":
        with by_func():
            found = torch.func.grad(penalty)(weight)
    else:
        (found,) = torch.autograd.grad(penalty(weight.requires_grad_()), weight)
    weight = weight.detach().requires_grad_()
    point = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(weight)(point).sum(), point, create_graph=True)
    (expected,) = torch.autograd.grad(slope.square().sum(), weight)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("width", "batch"), [(64, 256), (128, 32)])
def test_critic_step_of_wgan_gp_takes_the_products_that_it_needs(width, batch):
    """22 products of a batch with a square matrix, as docs/performance.md counts them, and some with narrow ones."""
    method = trainers.build(f"wgan-gp[width={width},batch={batch}]", Problem((2,), 0))
    rng = seeding.stream(0, "test")
    shapes = {"real": (batch, 2), "noise": (batch, 2), "mix": (batch, 1)}
    draws = Batch({name: torch.rand(shape, generator=rng) for name, shape in shapes.items()})
    method.networks["generator"].requires_grad_(False)
    with Operations() as counted:
        method.phases[0].loss(Networks(method.networks), draws).backward()
    assert 22 < counted.total / (2 * batch * width**2) < 22.5
