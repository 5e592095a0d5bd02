"""One update of a stack's network as a function of tensors alone.

With no state but its arguments, an update can be traced once: forward, backward and optimiser of all replicas become
one graph, which is compiled into one piece of code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

from torch import Tensor
from torch.func import grad_and_value, vmap

from genbench.engine.bound import Bound, InPlace
from genbench.engine.inner import Answered, given
from genbench.engine.look_ahead import looking_ahead
from genbench.engine.method import Batch, Method, Networks, Phase
from genbench.engine.optimizers import RULES, Slots
from genbench.engine.problem import by_func

Weights = dict[str, Tensor]
Update = Callable[..., Tensor]
"""Takes a state's tensors and a batch's, changes the state in place, and returns the losses `(replicas,)`."""


def flat_update(
    method: Method,
    phase: Phase,
    weights: dict[str, Weights],
    slots: dict[str, Slots],
    buffers: dict[str, Weights],
    rates: Weights,
    moment: Weights,
    inner: Sequence[str] = (),
) -> tuple[Update, list[Tensor]]:
    """A phase's update and the tensors of its state, which come first among its arguments.

    Ahead them come a batch's tensors `(replicas, batch, *event)`, in the order of the phase's draws, and those of the
    `inner` numbers, which its loss draws by itself. `weights`, `slots`
    and the networks' `buffers` carry a leading dimension of replicas; `rates` are those of the networks, `moment` what
    every batch holds. The losses are those before the update.
    """
    parts = {
        "learning": {name: weights[name] for name in phase.networks},
        "slots": {name: slots[name] for name in phase.networks},
        "frozen": {name: values for name, values in weights.items() if name not in phase.networks},
        "buffers": buffers,
        "rates": {name: rates[name] for name in phase.networks},
        "moment": moment,
        "ahead": {name: slots[name] for name in phase.looks_ahead},
        "ahead_rates": {name: rates[name] for name in phase.looks_ahead},
    }
    state = list(_leaves(parts))
    update = _update(method, phase, inner)

    def flat(*tensors: Tensor) -> Tensor:
        filled = _filled(parts, iter(tensors[: len(state)]))
        batch = dict(zip([*phase.draws, *inner], tensors[len(state) :], strict=True))
        with by_func():
            return update(draws=batch, **filled)

    return flat, state


def _update(method: Method, phase: Phase, inner: Sequence[str]) -> Update:
    """Weights and slots that change, the other networks' weights, draws and rates, to losses."""

    def loss(
        learning: dict[str, Weights],
        frozen: dict[str, Weights],
        buffers: dict[str, Weights],
        draws: Weights,
        moment: Weights,
        ahead: dict[str, Slots],
        ahead_rates: Weights,
    ) -> Tensor:
        weights = {**frozen, **learning}
        networks = {name: Bound(network, weights[name] | buffers[name]) for name, network in method.networks.items()}
        drawn = [draws[name] for name in inner]
        asked = {name: draws[name] for name in phase.draws}
        looks = {
            name: looking_ahead(
                method.networks[name], weights[name], buffers[name], own, method.optimizers[name], ahead_rates[name]
            )
            for name, own in ahead.items()
        }
        with InPlace(), Answered(given(drawn)) if inner else nullcontext():
            return phase.loss(Networks(networks, looks), Batch({**asked, **moment}))

    gradient = vmap(grad_and_value(loss), in_dims=(0, 0, 0, 0, None, 0, None))
    after = vmap(phase.after) if phase.after else None

    def update(
        *,
        learning: dict[str, Weights],
        slots: dict[str, Slots],
        frozen: dict[str, Weights],
        buffers: dict[str, Weights],
        draws: Weights,
        rates: Weights,
        moment: Weights,
        ahead: dict[str, Slots],
        ahead_rates: Weights,
    ) -> Tensor:
        gradients, losses = gradient(learning, frozen, buffers, draws, moment, ahead, ahead_rates)
        for network, own in learning.items():
            spec = method.optimizers[network]
            for name, weight in own.items():
                held = slots[network][name]
                changed, slot = RULES[spec.name].rule(spec, weight, gradients[network][name], held, rates[network])
                weight.copy_(changed)
                for key, value in slot.items():
                    held[key].copy_(value)
            if after is not None:
                for name, weight in after(own).items():
                    own[name].copy_(weight)
        result: Tensor = losses
        return result

    return update


def _leaves(tree: Any) -> Iterator[Tensor]:
    """The tensors in nested dictionaries, in their order."""
    if isinstance(tree, dict):
        for part in tree.values():
            yield from _leaves(part)
    else:
        yield tree


def _filled(tree: Any, leaves: Iterator[Tensor]) -> Any:
    """The same nested dictionaries of other tensors."""
    return {key: _filled(part, leaves) for key, part in tree.items()} if isinstance(tree, dict) else next(leaves)
