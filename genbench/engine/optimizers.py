"""The update rules of torch's optimisers on plain tensors, so that they can be stacked, compiled, captured and
differentiated through.

Each takes a parameter, its gradient, its slots and the rate, and gives the parameter and the slots after the update. A
rule is elementwise, so parameters that carry a leading dimension of replicas are as many independent optimisers; the
number of updates is a slot of its own for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from genbench.engine.method import Optimizer

Slots = dict[str, dict[str, Tensor]]
"""A parameter's slots by name, by the parameter's name."""

Updated = tuple[Tensor, dict[str, Tensor]]
"""A parameter and its slots after an update."""


def adam(spec: Optimizer, parameter: Tensor, gradient: Tensor, slots: dict[str, Tensor], lr: Tensor) -> Updated:
    """Adam: Kingma and Ba, 2015, arXiv:1412.6980, algorithm 1."""
    return _adam(spec, parameter, _decayed(spec, parameter, gradient), slots, lr)


def adamw(spec: Optimizer, parameter: Tensor, gradient: Tensor, slots: dict[str, Tensor], lr: Tensor) -> Updated:
    """Adam with weights that decay by themselves: Loshchilov and Hutter, 2019, arXiv:1711.05101, algorithm 2."""
    return _adam(spec, parameter * (1 - lr * spec.weight_decay), gradient, slots, lr)


def _adam(spec: Optimizer, parameter: Tensor, gradient: Tensor, slots: dict[str, Tensor], lr: Tensor) -> Updated:
    step = slots["step"] + 1
    mean = slots["exp_avg"].lerp(gradient, 1 - spec.beta1)
    square = (slots["exp_avg_sq"] * spec.beta2).addcmul(gradient, gradient, value=1 - spec.beta2)
    correction, root = 1 - spec.beta1**step, (1 - spec.beta2**step).sqrt()
    parameter = parameter - lr / correction * mean / (square.sqrt() / root + spec.epsilon)
    return parameter, {"exp_avg": mean, "exp_avg_sq": square, "step": step}


def rmsprop(spec: Optimizer, parameter: Tensor, gradient: Tensor, slots: dict[str, Tensor], lr: Tensor) -> Updated:
    """RMSProp: Tieleman and Hinton, 2012, lecture 6.5, with ε outside the root."""
    gradient = _decayed(spec, parameter, gradient)
    square = (slots["square_avg"] * spec.beta2).addcmul(gradient, gradient, value=1 - spec.beta2)
    parameter = parameter - lr * gradient / (square.sqrt() + spec.epsilon)
    return parameter, {"square_avg": square, "step": slots["step"] + 1}


def sgd(spec: Optimizer, parameter: Tensor, gradient: Tensor, slots: dict[str, Tensor], lr: Tensor) -> Updated:
    """Stochastic gradient descent, with heavy-ball momentum where `beta1` is above zero."""
    change = _decayed(spec, parameter, gradient)
    if spec.beta1:
        change = slots["momentum_buffer"] * spec.beta1 + change
    return parameter - lr * change, {"momentum_buffer": change} if spec.beta1 else slots


def _decayed(spec: Optimizer, parameter: Tensor, gradient: Tensor) -> Tensor:
    return gradient.add(parameter, alpha=spec.weight_decay) if spec.weight_decay else gradient


class Rule(NamedTuple):
    """An update rule, the slots that it keeps, and whether it counts updates in one more, `step`, as torch's does."""

    rule: Callable[[Optimizer, Tensor, Tensor, dict[str, Tensor], Tensor], Updated]
    slots: tuple[str, ...]
    counts: bool = True


RULES: Mapping[str, Rule] = {
    "adam": Rule(adam, ("exp_avg", "exp_avg_sq")),
    "adamw": Rule(adamw, ("exp_avg", "exp_avg_sq")),
    "rmsprop": Rule(rmsprop, ("square_avg",)),
    "sgd": Rule(sgd, ("momentum_buffer",), counts=False),
}


def new_slots(optimizer: str, weight: Tensor) -> dict[str, Tensor]:
    """The slots of a parameter that has had no update, by the names that torch's optimisers give them."""
    slots = {name: torch.zeros_like(weight) for name in RULES[optimizer].slots}
    return slots | {"step": torch.zeros((), device=weight.device)} if RULES[optimizer].counts else slots
