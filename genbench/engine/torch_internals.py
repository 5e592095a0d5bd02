"""Every use of what torch keeps to itself: another release may change it, and then this is the file to mend."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import ShapeEnv

from genbench.errors import GenbenchError

SEEN = ("2.9", "2.14")
"""The first and the last release of torch with which all of this was seen to work."""

Function = Callable[..., Tensor]
"""Of tensors alone, some of which it may change in place."""


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
    options = {} if channels_last_pays(graph) else {"layout_optimization": False}
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
