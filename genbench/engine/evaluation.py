"""A method at work outside training: in evaluation mode, without gradients, in blocks, in streams of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genbench import seeding
from genbench.engine.method import Method, Networks
from genbench.engine.problem import Problem, by_func
from genbench.engine.stack import check_samples, sample_block
from genbench.errors import GenbenchError

Parts = Mapping[str, Callable[..., Tensor]]
"""Networks by name, or functions that do what they do."""


class Made(NamedTuple):
    """Samples `(n, *event)`, and how often networks were evaluated for each."""

    samples: Tensor
    evaluations: int


def made(method: Method, parts: Parts, noise: Tensor, problem: Problem, first: int | None = None) -> Made:
    """The samples of a method that its networks make of noise `(n, *prior)`, all or the `first` ones.

    Raises GenbenchError where they are not of the problem's event shape.
    """
    if method.sample is None:
        samples = _blocks(method, parts["generator"], noise[:first], problem)
        check_samples(samples, len(noise[:first]), problem, "the generator")
        return Made(samples, 1)
    count, sample = _Count(parts), method.sample
    nets, size = Networks(count.parts), sample_block(problem.event_shape)
    # Of whole blocks, since what a procedure draws itself depends on how many samples it makes at once.
    wanted = noise if first is None else noise[: -(-first // size) * size]
    samples = _blocks(method, lambda block: sample(nets, block), wanted, problem)
    check_samples(samples, len(wanted), problem, "sample")
    return Made(samples[:first], count.calls // -(-len(wanted) // size))


def looked_at(method: Method, parts: Parts, name: str, x: Tensor, problem: Problem) -> Tensor:
    """What a network says of `(n, *event)` samples, `(n,)`."""
    return _blocks(method, parts[name], x, problem).flatten()


def log_probs(method: Method, parts: Parts, x: Tensor, problem: Problem) -> Tensor:
    """What a method that has a `log_prob` gives for `(n, *event)` samples, `(n,)` in nats.

    Raises GenbenchError where that isn't one number a sample.
    """
    assert method.log_prob is not None
    log_prob, nets = method.log_prob, Networks(parts)
    values = _blocks(method, lambda block: log_prob(nets, block), x, problem)
    if tuple(values.shape) != (len(x),):
        raise GenbenchError(
            f"log_prob must give one number a sample: {(len(x),)} of {len(x)} samples, and not {tuple(values.shape)}."
        )
    return values


class _Count:
    """Networks that count how often they are called."""

    def __init__(self, parts: Parts) -> None:
        self.calls = 0
        self.parts = {name: self._counted(part) for name, part in parts.items()}

    def _counted(self, part: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def call(*inputs: Any, **more: Any) -> Tensor:
            self.calls += 1
            return part(*inputs, **more)

        return call


@torch.no_grad()
def _blocks(method: Method, make: Callable[[Tensor], Tensor], x: Tensor, problem: Problem) -> Tensor:
    modes = {part: part.training for network in method.networks.values() for part in network.modules()}
    for network in method.networks.values():
        network.eval()
    try:
        with problem.global_streams(seeding.GLOBAL_EVALUATION), by_func():
            return torch.cat([make(block) for block in torch.split(x, sample_block(problem.event_shape))])
    finally:
        for part, mode in modes.items():  # each by itself: a method may keep a layer in evaluation mode
            part.training = mode
