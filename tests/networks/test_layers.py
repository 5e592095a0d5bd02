"""The leaner layers compute what torch's own do."""

import pytest
import torch
from operations import Operations
from torch import nn

from genbench import seeding
from genbench.engine.method import Batch, Networks
from genbench.engine.problem import Problem
from genbench.networks.layers import NARROW, Linear, ReLU
from genbench.registry import trainers

POINTS = torch.tensor([-torch.inf, -2.0, -0.0, 0.0, 1e-30, 3.0, torch.inf])


def test_relu_has_torchs_values_and_slopes():
    own, other = (POINTS.clone().requires_grad_() for _ in range(2))
    (value := ReLU()(own)).sum().backward()
    (expected := nn.ReLU()(other)).sum().backward()
    assert torch.equal(value, expected)
    assert torch.equal(own.grad, other.grad)


def test_relu_hides_no_nan():
    assert ReLU()(torch.tensor([torch.nan, -1.0])).isnan().tolist() == [True, False]


def test_relu_leaves_nothing_to_differentiate_twice():
    x = torch.randn(5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (slope,) = torch.autograd.grad(ReLU()(x).sum(), x, create_graph=True)
    assert not slope.requires_grad


@pytest.mark.parametrize("inputs", [1, 2, NARROW, NARROW + 1])
def test_linear_is_torchs(inputs):
    own = Linear(inputs, 7, dtype=torch.float64)
    other = nn.Linear(inputs, 7, dtype=torch.float64)
    other.load_state_dict(own.state_dict())
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(5, inputs, generator=rng, dtype=torch.float64, requires_grad=True)
    slopes = [torch.autograd.grad(layer(x).sin().sum(), (x, *layer.parameters())) for layer in (own, other)]
    torch.testing.assert_close(own(x), other(x), rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(*slopes, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("width", "batch"), [(64, 256), (128, 32)])
def test_critic_step_of_wgan_gp_takes_the_products_that_it_needs(width, batch):
    """22 products of a batch with a square matrix, as docs/performance.md counts them, and some with narrow ones."""
    problem = Problem((2,), 0)
    method = trainers.build(f"wgan-gp[width={width},batch={batch}]", problem)
    rng = seeding.stream(0, "test")
    shapes = {"real": (batch, 2), "noise": (batch, 2), "mix": (batch, 1)}
    draws = Batch({name: torch.rand(shape, generator=rng) for name, shape in shapes.items()})
    method.networks["generator"].requires_grad_(False)
    with Operations() as counted:
        method.phases[0].loss(Networks(method.networks), draws).backward()
    assert 22 < counted.total / (2 * batch * width**2) < 22.5
