"""The plain path: a method's phases, one after the other, in eager torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Generator, Tensor, nn

from genbench import seeding
from genbench.datasets.base import DataStream
from genbench.engine.method import Batch, Draw, Method, Networks, Normal, Optimizer, Phase, Real, ScheduleName
from genbench.engine.problem import Problem

SCHEDULE_FLOOR = 0.05
"""The share of the learning rate at which the linear and the cosine schedule end."""

SAMPLE_BLOCK = 8192
"""Samples are generated in blocks of this many, so memory stays flat."""


class PhaseTrainer:
    """Runs a `Method` as the engine's `Trainer`: each phase trains its network, the others stand still."""

    def __init__(self, method: Method, problem: Problem) -> None:
        self.method = method
        self.updates_per_step = sum(phase.repeats for phase in method.phases)
        self._event_shape = problem.event_shape
        self._device = problem.device
        self._rng = problem.stream(seeding.TRAINING_NOISE)
        self._networks = Networks(method.networks)
        self._params = {name: dict(network.named_parameters()) for name, network in method.networks.items()}
        self._optimizers = {name: _build(spec, method.networks[name]) for name, spec in method.optimizers.items()}
        for network in method.networks.values():
            network.requires_grad_(False)

    def step(self, data: DataStream, progress: float) -> Mapping[str, Tensor]:
        """One generator step: every phase once, in order. Returns each phase's last loss."""
        self._set_rates(schedule(self.method.schedule, progress))
        return {phase.network: self._run(phase, data) for phase in self.method.phases}

    @torch.no_grad()
    def sample(self, n: int, rng: Generator) -> Tensor:
        """Generates `(n, *event)` samples with the generator in evaluation mode."""
        network = self.method.networks["generator"]
        was_training = network.training
        network.eval()
        blocks = [
            network(
                torch.randn(min(SAMPLE_BLOCK, n - start), *self.method.prior.shape, generator=rng, device=rng.device)
            )
            for start in range(0, n, SAMPLE_BLOCK)
        ]
        network.train(was_training)
        return torch.cat(blocks)

    @torch.no_grad()
    def landscape(self, points: Tensor) -> Tensor | None:
        """The critic's scores `(n,)` at `points` `(n, *event)`; None for a method without a critic."""
        if self.method.landscape is None:
            return None
        network = self.method.networks[self.method.landscape]
        was_training = network.training
        network.eval()
        scores: Tensor = network(points.to(self._device))
        network.train(was_training)
        return scores.flatten()

    def weights(self) -> dict[str, Tensor]:
        return {
            f"{name}.{key}": value.detach()
            for name, network in self.method.networks.items()
            for key, value in network.state_dict().items()
        }

    def state_dict(self) -> dict[str, Tensor]:
        state = {f"network.{key}": value for key, value in self.weights().items()}
        for name, optimizer in self._optimizers.items():
            for index, slots in optimizer.state_dict()["state"].items():
                for slot, value in slots.items():
                    state[f"optimizer.{name}.{index}.{slot}"] = torch.as_tensor(value)
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        for name, network in self.method.networks.items():
            network.load_state_dict(_below(state, f"network.{name}."))
        for name, optimizer in self._optimizers.items():
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(state, f"optimizer.{name}.").items():
                index, slot = key.split(".", 1)
                slots.setdefault(int(index), {})[slot] = value
            optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})

    def _run(self, phase: Phase, data: DataStream) -> Tensor:
        parameters = self._params[phase.network]
        optimizer = self._optimizers[phase.network]
        for parameter in parameters.values():
            parameter.requires_grad_(True)
        for _ in range(phase.repeats):
            batch = Batch({name: self._draw(draw, data) for name, draw in phase.draws.items()})
            loss = phase.loss(self._networks, batch)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            if phase.after is not None:
                _apply(phase.after, parameters)
        for parameter in parameters.values():
            parameter.requires_grad_(False)
        return loss.detach()

    def _draw(self, draw: Draw, data: DataStream) -> Tensor:
        n = self.method.batch
        if isinstance(draw, Real):
            return data.next(n)
        if isinstance(draw, Normal):
            return torch.randn(n, *draw.shape, generator=self._rng, device=self._device)
        uniform = torch.rand(n, *draw.shape, generator=self._rng, device=self._device)
        return uniform if (draw.low, draw.high) == (0, 1) else draw.low + (draw.high - draw.low) * uniform

    def _set_rates(self, factor: float) -> None:
        for name, optimizer in self._optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self.method.optimizers[name].lr * factor


def schedule(name: ScheduleName, progress: float) -> float:
    """The learning rate's factor at `progress` in [0, 1): constant, or falling to 5 % by a line or a half cosine."""
    if name == "linear":
        return max(1 - progress, SCHEDULE_FLOOR)
    if name == "cosine":
        return SCHEDULE_FLOOR + (1 - SCHEDULE_FLOOR) * (1 + math.cos(math.pi * progress)) / 2
    return 1.0


def _build(spec: Optimizer, network: nn.Module) -> torch.optim.Optimizer:
    parameters = list(network.parameters())
    if spec.name == "adam":
        return torch.optim.Adam(parameters, lr=spec.lr, betas=(spec.beta1, spec.beta2), fused=True)
    if spec.name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=spec.lr, alpha=spec.beta2, foreach=True)
    return torch.optim.SGD(parameters, lr=spec.lr, momentum=spec.beta1, fused=True)


@torch.no_grad()
def _apply(after: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]], parameters: dict[str, nn.Parameter]) -> None:
    changed = after(parameters)
    torch._foreach_copy_([parameters[name] for name in changed], list(changed.values()))


def _below(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
