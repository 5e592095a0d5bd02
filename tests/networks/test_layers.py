"""The leaner layers compute what torch's own do."""

import pytest
import torch
from torch import nn

from genbench.networks.layers import NARROW, Linear


@pytest.mark.parametrize("inputs", [1, 2, NARROW, NARROW + 1])
@pytest.mark.parametrize("lead", [(5,), (4, 3), ()])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_torchs(inputs, lead, bias):
    own = Linear(inputs, 7, bias=bias, dtype=torch.float64)
    other = nn.Linear(inputs, 7, bias=bias, dtype=torch.float64)
    other.load_state_dict(own.state_dict())
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(*lead, inputs, generator=rng, dtype=torch.float64, requires_grad=True)
    slopes = [torch.autograd.grad(layer(x).sin().sum(), (x, *layer.parameters())) for layer in (own, other)]
    torch.testing.assert_close(own(x), other(x), rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(*slopes, rtol=1e-13, atol=1e-13)
