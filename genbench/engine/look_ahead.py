"""A network's next updates as a function of everything that they depend on, to be differentiated through."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import Module

from genbench.engine.bound import Bound
from genbench.engine.method import Function, Optimizer
from genbench.engine.optimizers import RULES, Slots
from genbench.engine.problem import gradient


def looking_ahead(
    module: Module,
    weights: Mapping[str, Tensor],
    buffers: Mapping[str, Tensor],
    slots: Slots,
    spec: Optimizer,
    rate: Tensor,
) -> Callable[[int, Callable[[Function], Tensor]], Function]:
    """What `api.Networks.ahead` calls for a network in this state; nothing of it is changed.

    `weights` are those that learn, `buffers` whatever else the network keeps: every update starts from those of now.
    """

    def bound(own: Mapping[str, Tensor]) -> Bound:
        return Bound(module, {**{name: buffer.clone() for name, buffer in buffers.items()}, **own})

    def ahead(steps: int, loss: Callable[[Function], Tensor]) -> Function:
        own, held = dict(weights), dict(slots)
        for _ in range(steps):
            for name, change in gradient(lambda moved: loss(bound(moved)), own).items():
                moving = _moving(change, held[name])
                own[name], held[name] = RULES[spec.name].rule(spec, own[name], moving, held[name], rate)
        return bound(own)

    return ahead


def _moving(change: Tensor, slots: Mapping[str, Tensor]) -> Tensor:
    """A gradient, cut off where its square is zero, as those of the slots: Adam's root has no derivative there."""
    least = 10 * math.sqrt(torch.finfo(change.dtype).tiny)
    still = change.abs() < least
    for value in slots.values():
        if value.shape == change.shape and value.dim() > 0:
            still = still & (value.abs() < least)
    return torch.where(still, torch.zeros_like(change), change)
