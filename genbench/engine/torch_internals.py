"""Every use of what torch keeps to itself: another release may change it, and then this is the file to mend."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import ShapeEnv

from genbench import portable
from genbench.errors import GenbenchError

SEEN = ("2.9", "2.14")
"""The first and the last release of torch with which all of this was seen to work."""

Function = Callable[..., Tensor]
"""Of tensors alone, some of which it may change in place."""


def fake_tensors() -> FakeTensorMode:
    """Within it tensors have a shape, a type and a device and no numbers, whether there is such a device or not.

    Operations between devices raise RuntimeError, and so does whatever needs numbers.
    """
    return FakeTensorMode(allow_non_fake_inputs=True)


def replaced_beside_fakes() -> dict[str, Any]:
    """What of torch has to be replaced where its tensors are fake, by the name under which it is found."""
    return {
        "torch.nn.Module._apply": _applied,
        "torch.optim.optimizer._get_fused_kernels_supported_devices": lambda: ["cuda", "meta"],
    }


def _applied(module: nn.Module, function: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
    """`Module._apply` with parameters in the place of the old ones, since neither kind can hold what the other does."""
    if recurse:
        for child in module.children():
            child._apply(function)  # type: ignore[no-untyped-call]
    for name, parameter in module._parameters.items():
        if parameter is not None:
            module._parameters[name] = nn.Parameter(function(parameter.detach()), parameter.requires_grad)
    for name, buffer in module._buffers.items():
        if buffer is not None:
            module._buffers[name] = function(buffer)
    return module


def needs_numbers(error: BaseException) -> bool:
    """Whether something was asked of fake tensors that only numbers can tell, for which a host waits for its device."""
    return isinstance(error, DataDependentOutputException | DynamicOutputShapeException) or "numpy()" in str(error)


def compiled(function: Function, arguments: Sequence[Tensor]) -> Function:
    """The same function as compiled code for arguments of just these shapes, types and devices; changes none of them.

    `torch.compile` would do the same and then look at the arguments of every call for the graph that fits them; here
    there is only one. Raises GenbenchError where that would hold tensors that come from elsewhere.
    """
    # With a CUDA toolkit and no device, torch would say so in the middle of whatever is being displayed.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    # Inductor finds what it has compiled before, in this process or another, by shapes that such a mode has noted.
    mode = FakeTensorMode(shape_env=ShapeEnv(), allow_non_fake_inputs=True)
    fake: list[Any] = [mode.from_tensor(tensor, static_shapes=True) for tensor in arguments]
    graph = traced(function, fake)
    options: dict[str, Any] = {} if channels_last_pays(graph) else {"layout_optimization": False}
    if portable.is_pinned():  # code of another width isn't to be found in its cache
        options["cpp.simdlen"] = portable.VECTOR_BITS
    code: Function = torch._inductor.compile(graph, fake, options=options)
    return code


def channels_last_pays(graph: GraphModule) -> bool:
    """Whether Inductor may reorder convolutions, as it likes to: each activation gains, but each weight is turned there
    and back. On processors that paid from some two activations a weight on, and cost a DCGAN of 64 x 64 pixels a tenth.
    """
    convolutions = [node for node in graph.graph.nodes if node.target is torch.ops.aten.convolution.default]
    activations: list[Tensor] = [node.meta["val"] for node in convolutions]
    weights: list[Tensor] = [node.args[1].meta["val"] for node in convolutions]
    if any(tensor.device.type != "cpu" for tensor in activations):
        return True
    return sum(tensor.numel() for tensor in activations) >= 2 * sum(tensor.numel() for tensor in weights)


def traced(function: Function, arguments: Sequence[Tensor]) -> GraphModule:
    """The same function as a graph of torch's operations, which is what is compiled.

    Raises GenbenchError where the graph would hold tensors that come from elsewhere.
    """
    graph = make_fx(function)(*arguments)
    for node in graph.graph.nodes:
        if node.op == "get_attr" and getattr(graph, node.target).dim() > 0:
            raise GenbenchError(
                "a loss or a network uses a tensor that is neither its argument nor a parameter or buffer, and would "
                "use one seed's for all: register_buffer makes it one"
            )
    return graph


def copy_each(into: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Copies each of the values into its own tensor, all in one go."""
    torch._foreach_copy_(list(into), list(values))


def lerp_each(tensors: Sequence[Tensor], ends: Sequence[Tensor], weight: float) -> None:
    """Moves each of the tensors towards its own end by a share of the way, in place and all in one go."""
    torch._foreach_lerp_(list(tensors), list(ends), weight)
