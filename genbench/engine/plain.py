"""The plain path: a method's phases, one after the other, in eager torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Generator, Tensor, nn

from genbench.engine import EXACT, Numerics
from genbench.engine.draws import draw_noise
from genbench.engine.evaluation import Made, log_probs, looked_at, made
from genbench.engine.feed import Feeds
from genbench.engine.inner import Answered, live
from genbench.engine.look_ahead import looking_ahead
from genbench.engine.method import (
    OF_EVERY_BATCH,
    Ahead,
    Batch,
    Method,
    Networks,
    Optimizer,
    Phase,
    learning,
    standing,
)
from genbench.engine.optimizers import new_slots
from genbench.engine.stack import Likelihood, below
from genbench.engine.torch_internals import copy_each


class Plain:
    """One replica of a method, as a person would train it: each phase trains its networks, the others stand still.

    With `draws_inside`, losses draw by themselves, what genbench.engine.inner knows and no more.
    """

    size = 1

    def __init__(
        self,
        method: Method,
        feeds: Feeds,
        device: torch.device | str,
        numerics: Numerics = EXACT,
        *,
        draws_inside: bool = False,
    ) -> None:
        self.method, self._numerics = method, numerics
        self.prior = method.prior
        self._names, self._losses = method.names, dict[str, Tensor]()
        self.evaluations: int | None = None
        self._draws_inside = draws_inside
        self._feeds, self._device = feeds, device
        self._moment = {name: torch.zeros((), device=device) for name in OF_EVERY_BATCH}
        self._params = {name: learning(network) for name, network in method.networks.items()}
        self._optimizers = {name: _build(spec, self._params[name]) for name, spec in method.optimizers.items()}
        for network in method.networks.values():
            network.requires_grad_(False)
            if numerics.channels_last:
                network.to(memory_format=torch.channels_last)
            if numerics.autocast:
                network.forward = _autocast(network.forward, torch.device(device).type)

    @property
    def updates(self) -> int:
        return self._feeds.updates

    @property
    def samples(self) -> int:
        return self._feeds.samples

    def step(self, progress: float) -> Mapping[str, Tensor]:
        step = self._feeds.steps
        for name, optimizer in self._optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self.method.rate(name, step, progress)
        self._moment["step"].fill_(step)
        self._moment["progress"].fill_(progress)
        for name, phase, draws in zip(self._names, self.method.phases, self._feeds.next(), strict=True):
            if draws is not None:
                self._losses[name] = self._run(phase, draws)
        return dict(self._losses)

    def sample(self, n: int, rngs: Sequence[Generator], first: int | None = None) -> Tensor:
        (rng,) = rngs
        samples, self.evaluations = self._made(draw_noise(self.prior, (n,), rng), first)
        return samples[None]

    @property
    def likelihood(self) -> Likelihood | None:
        return Likelihood(self.method.bound) if self.method.log_prob is not None else None

    def log_prob(self, replica: int, x: Tensor) -> Tensor:
        return log_probs(self.method, self.method.networks, x.to(self._device), self._feeds.problem(0))

    def generate(self, replica: int, noise: Tensor) -> Tensor:
        return self._made(noise.to(self._device)).samples

    def landscape(self, points: Tensor) -> Tensor | None:
        name, problem = self.method.landscape, self._feeds.problem(0)
        if name is None:
            return None
        return looked_at(self.method, self.method.networks, name, points.to(self._device), problem)[None]

    def makers(self, replica: int) -> dict[str, Tensor]:
        return {f"{name}.{key}": value for name in self.method.makers for key, value in self._params[name].items()}

    def weights(self, replica: int) -> dict[str, Tensor]:
        return {
            f"{name}.{key}": value.detach()
            for name, network in self.method.networks.items()
            for key, value in network.state_dict().items()
        }

    def state(self, replica: int) -> dict[str, Tensor]:
        state = {f"network.{key}": value for key, value in self.weights(replica).items()}
        for name, optimizer in self._optimizers.items():
            for index, slots in optimizer.state_dict()["state"].items():
                for slot, value in slots.items():
                    if value is not None:
                        state[f"optimizer.{name}.{index}.{slot}"] = torch.as_tensor(value)
        return state | {f"feed.{role}": value for role, value in self._feeds.state(replica).items()}

    def restore(self, replica: int, steps: int, state: Mapping[str, Tensor]) -> None:
        for name, network in self.method.networks.items():
            network.load_state_dict(below(state, f"network.{name}."))
        for name, optimizer in self._optimizers.items():
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in below(state, f"optimizer.{name}.").items():
                index, slot = key.split(".", 1)
                slots.setdefault(int(index), {})[slot] = value
            optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
        self._feeds.restore(replica, steps, below(state, "feed."))

    def _run(self, phase: Phase, draws: Mapping[str, Tensor]) -> Tensor:
        learnt = [self._params[name] for name in phase.networks]
        optimizers = [self._optimizers[name] for name in phase.networks]
        for parameters in learnt:
            _let_learn(parameters, True)
        for i in range(phase.repeats):
            batch = Batch({name: self._laid_out(tensor[i, 0]) for name, tensor in draws.items()} | self._moment)
            networks = Networks(self.method.networks, {name: self._ahead(name) for name in phase.looks_ahead})
            with Answered(live(self._feeds.inner_stream(0))) if self._draws_inside else nullcontext():
                loss = phase.loss(networks, batch)
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            for optimizer, parameters in zip(optimizers, learnt, strict=True):
                for parameter in parameters.values():
                    if parameter.grad is None:  # what a loss doesn't reach decays all the same, as on other paths
                        parameter.grad = torch.zeros_like(parameter)
                optimizer.step()
                if phase.after is not None:
                    _apply(phase.after, parameters)
        for parameters in learnt:
            _let_learn(parameters, False)
        return loss.detach().reshape(1)

    def _ahead(self, name: str) -> Ahead:
        network, optimizer, own = self.method.networks[name], self._optimizers[name], self._params[name]
        spec, rate = self.method.optimizers[name], torch.tensor(optimizer.param_groups[0]["lr"], device=self._device)
        slots = {
            key: new_slots(spec.name, weight)
            | {slot: x.to(weight.dtype) for slot, x in optimizer.state[weight].items()}
            for key, weight in own.items()
        }
        return looking_ahead(network, own, standing(network), slots, spec, rate)

    def _laid_out(self, tensor: Tensor) -> Tensor:
        images = self._numerics.channels_last and tensor.dim() == 4
        return tensor.contiguous(memory_format=torch.channels_last) if images else tensor

    def _made(self, noise: Tensor, first: int | None = None) -> Made:
        return made(self.method, self.method.networks, noise, self._feeds.problem(0), first)


def _autocast(forward: Callable[..., Tensor], device_type: str) -> Callable[..., Tensor]:
    """`forward` with its layers in bfloat16, and the output in single precision again, for losses are sums."""

    def cast(*inputs: Tensor) -> Tensor:
        with torch.autocast(device_type, torch.bfloat16):
            return forward(*inputs).float()

    return cast


def _build(spec: Optimizer, parameters: Mapping[str, nn.Parameter]) -> torch.optim.Optimizer:
    own: dict[str, Any] = {"params": list(parameters.values()), "lr": spec.lr, "weight_decay": spec.weight_decay}
    if spec.name in ("adam", "adamw"):
        adam = torch.optim.Adam if spec.name == "adam" else torch.optim.AdamW
        return adam(**own, betas=(spec.beta1, spec.beta2), eps=spec.epsilon, fused=True)
    if spec.name == "rmsprop":
        return torch.optim.RMSprop(**own, alpha=spec.beta2, eps=spec.epsilon, foreach=True)
    return torch.optim.SGD(**own, momentum=spec.beta1, fused=True)


def _let_learn(parameters: Mapping[str, nn.Parameter], learn: bool) -> None:
    for parameter in parameters.values():
        parameter.requires_grad_(learn)


@torch.no_grad()
def _apply(after: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]], parameters: dict[str, nn.Parameter]) -> None:
    changed = after(parameters)
    copy_each([parameters[name] for name in changed], list(changed.values()))
