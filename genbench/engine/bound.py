"""A network with weights and buffers that are not its own, as a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor
from torch.func import functional_call
from torch.nn import Module, functional
from torch.overrides import TorchFunctionMode


class Bound:
    """Calls `module` with `tensors`, its parameters and buffers by name. Buffers change in place, as in the module."""

    def __init__(self, module: Module, tensors: Mapping[str, Tensor]) -> None:
        self.module, self._tensors = module, dict(tensors)

    def __call__(self, *inputs: Any, **more: Any) -> Tensor:
        output: Tensor = functional_call(self.module, self._tensors, inputs, more)
        return output


class InPlace(TorchFunctionMode):
    """Within, `normalize` writes into `out` by copying: spectral normalisation's power iteration, stacked.

    `torch.func.vmap` knows no `out` of its own.
    """

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        if function is functional.normalize and (out := given.pop("out", None)) is not None:
            return out.copy_(function(*args, **given))
        return function(*args, **given)
