"""The update rules of torch's optimisers on plain tensors, so that they can be stacked, compiled and captured.

Each changes parameters and slots in place. A rule is elementwise, so parameters that carry a leading dimension of
replicas are as many independent optimisers; the number of updates is a slot of its own for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from genbench.engine.method import Optimizer

Slots = dict[str, dict[str, Tensor]]
"""A parameter's slots by name, by the parameter's name."""


def adam(spec: Optimizer, parameter: Tensor, gradient: Tensor, slots: dict[str, Tensor], lr: Tensor) -> None:
    """Adam: Kingma and Ba, 2015, arXiv:1412.6980, algorithm 1."""
    _adam(spec, parameter, _decayed(spec, parameter, gradient), slots, lr)


def adamw(spec: Optimizer, parameter: Tensor, gradient: Tensor, slots: dict[str, Tensor], lr: Tensor) -> None:
    """Adam with weights that decay by themselves: Loshchilov and Hutter, 2019, arXiv:1711.05101, algorithm 2."""
    parameter.mul_(1 - lr * spec.weight_decay)
    _adam(spec, parameter, gradient, slots, lr)


def _adam(spec: Optimizer, parameter: Tensor, gradient: Tensor, slots: dict[str, Tensor], lr: Tensor) -> None:
    step = slots["step"].add_(1)
    mean = slots["exp_avg"].lerp_(gradient, 1 - spec.beta1)
    square = slots["exp_avg_sq"].mul_(spec.beta2).addcmul_(gradient, gradient, value=1 - spec.beta2)
    correction, root = 1 - spec.beta1**step, (1 - spec.beta2**step).sqrt()
    parameter.sub_(lr / correction * mean / (square.sqrt() / root + spec.epsilon))


def rmsprop(spec: Optimizer, parameter: Tensor, gradient: Tensor, slots: dict[str, Tensor], lr: Tensor) -> None:
    """RMSProp: Tieleman and Hinton, 2012, lecture 6.5, with ε outside the root."""
    slots["step"].add_(1)
    gradient = _decayed(spec, parameter, gradient)
    square = slots["square_avg"].mul_(spec.beta2).addcmul_(gradient, gradient, value=1 - spec.beta2)
    parameter.sub_(lr * gradient / (square.sqrt() + spec.epsilon))


def sgd(spec: Optimizer, parameter: Tensor, gradient: Tensor, slots: dict[str, Tensor], lr: Tensor) -> None:
    """Stochastic gradient descent, with heavy-ball momentum where `beta1` is above zero."""
    gradient = _decayed(spec, parameter, gradient)
    if spec.beta1:
        gradient = slots["momentum_buffer"].mul_(spec.beta1).add_(gradient)
    parameter.sub_(lr * gradient)


def _decayed(spec: Optimizer, parameter: Tensor, gradient: Tensor) -> Tensor:
    return gradient.add(parameter, alpha=spec.weight_decay) if spec.weight_decay else gradient


class Rule(NamedTuple):
    """An update rule, the slots that it keeps, and whether it counts updates in one more, `step`, as torch's does."""

    rule: Callable[[Optimizer, Tensor, Tensor, dict[str, Tensor], Tensor], None]
    slots: tuple[str, ...]
    counts: bool = True


RULES: Mapping[str, Rule] = {
    "adam": Rule(adam, ("exp_avg", "exp_avg_sq")),
    "adamw": Rule(adamw, ("exp_avg", "exp_avg_sq")),
    "rmsprop": Rule(rmsprop, ("square_avg",)),
    "sgd": Rule(sgd, ("momentum_buffer",), counts=False),
}
