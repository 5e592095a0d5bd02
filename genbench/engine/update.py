"""One update of a stack's network as a function of tensors alone, and that function as one compiled graph.

With no state but its arguments, an update can be traced once: forward, backward and optimiser of all replicas become
one graph, which Inductor turns into one piece of code. `torch.compile` would do the same and then look at the arguments
of every call for the graph that fits them; here there is only one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call, grad_and_value, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.utils._pytree import tree_flatten, tree_unflatten

from genbench.engine.method import Batch, Method, Networks, Phase
from genbench.engine.optimizers import RULES, Slots
from genbench.engine.problem import by_func

Weights = dict[str, Tensor]
Update = Callable[..., Tensor]
"""Takes a state's tensors and a batch's, changes the state in place, and returns the losses `(replicas,)`."""


def flat_update(
    method: Method, phase: Phase, weights: dict[str, Weights], slots: Slots, rate: Tensor
) -> tuple[Update, list[Tensor]]:
    """A phase's update and the tensors of its state, which come first among its arguments.

    After them come a batch's tensors `(replicas, batch, *event)`, in the order of the phase's draws. `weights` and
    `slots` carry a leading dimension of replicas; the losses are those before the update.
    """
    name = phase.network
    frozen = {other: values for other, values in weights.items() if other != name}
    state, structure = tree_flatten((weights[name], slots, frozen, rate))
    update = _update(method, phase)

    def flat(*tensors: Tensor) -> Tensor:
        learning, slots, frozen, rate = tree_unflatten(tensors[: len(state)], structure)
        batch = dict(zip(phase.draws, tensors[len(state) :], strict=True))
        with by_func():
            return update(learning, slots, frozen, batch, rate)

    return flat, state


def compiled(update: Update, arguments: Sequence[Tensor]) -> Update:
    """The same update as compiled code for arguments of just these shapes, types and devices; changes none of them."""
    # With a CUDA toolkit and no device, torch would say so in the middle of whatever is being displayed.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    # Inductor finds what it has compiled before, in this process or another, by shapes that such a mode has noted.
    mode = FakeTensorMode(shape_env=ShapeEnv(), allow_non_fake_inputs=True)
    fake: list[Any] = [mode.from_tensor(tensor, static_shapes=True) for tensor in arguments]
    code: Update = torch._inductor.compile(make_fx(update)(*fake), fake)
    return code


def _update(method: Method, phase: Phase) -> Update:
    """Weights and slots that change, the other networks' weights, draws and the rate, to losses."""
    spec = method.optimizers[phase.network]
    rule = RULES[spec.name].rule

    def loss(learning: Weights, frozen: dict[str, Weights], draws: dict[str, Tensor]) -> Tensor:
        weights = {**frozen, phase.network: learning}
        networks = {name: partial(functional_call, method.networks[name], weights[name]) for name in method.networks}
        return phase.loss(Networks(networks), Batch(draws))

    gradient = vmap(grad_and_value(loss))
    after = vmap(phase.after) if phase.after else None

    def update(
        learning: Weights, slots: Slots, frozen: dict[str, Weights], draws: dict[str, Tensor], rate: Tensor
    ) -> Tensor:
        gradients, losses = gradient(learning, frozen, draws)
        for name, weight in learning.items():
            rule(spec, weight, gradients[name], slots[name], rate)
        if after is not None:
            for name, weight in after(learning).items():
                learning[name].copy_(weight)
        result: Tensor = losses
        return result

    return update
