"""What losses and networks draw by themselves, taken from a stream of each replica's own.

Dropout, `torch.randn_like` in a loss and their like are calls of torch's random functions. Those that are known here
are answered with numbers of the trial's own, the same on every path; a method that draws in any other way trains
plainly, in global streams of the trial's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import Module, functional
from torch.overrides import TorchFunctionMode

from genbench.engine.bound import Bound
from genbench.engine.global_streams import GlobalStreams
from genbench.engine.look_ahead import looking_ahead
from genbench.engine.method import OF_EVERY_BATCH, Ahead, Batch, Method, Networks, Phase, learning, standing
from genbench.engine.optimizers import new_slots
from genbench.engine.problem import Problem
from genbench.errors import GenbenchError

Kind = Literal["normal", "uniform"]


class Numbers(NamedTuple):
    """Standard normal numbers, or uniform ones on [0, 1), of one shape."""

    kind: Kind
    shape: tuple[int, ...]

    def draw(self, rng: Generator) -> Tensor:
        """Draws them on the stream's device, from that stream alone."""
        draw = torch.randn if self.kind == "normal" else torch.rand
        return draw(self.shape, generator=rng, device=rng.device)


Source = Callable[[Numbers], Tensor]
"""Gives the numbers that a call wants."""


class Answered(TorchFunctionMode):
    """Within, torch's random functions take their numbers from a source, in the order of their calls."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        answer = ANSWERS.get(function)
        if answer is None:
            return function(*args, **given)
        if given.pop("generator", None) is not None:
            raise GenbenchError("a loss or a network draws from a generator of its own, whose numbers nobody keeps")
        return answer(self._source, *args, **given)


def given(tensors: Sequence[Tensor]) -> Source:
    """Numbers that were drawn before, in order."""
    rest: Iterator[Tensor] = iter(tensors)
    return lambda numbers: next(rest)


def live(rng: Generator) -> Source:
    """Numbers that are drawn as they are wanted."""
    return lambda numbers: numbers.draw(rng)


def wanted(method: Method, blank: Sequence[Mapping[str, Tensor]], problem: Problem) -> list[list[Numbers]]:
    """What each phase's loss draws by itself when it is called, found out by calling it; its networks stay as they are.

    Nothing where anything draws in a way that isn't known here, or a loss can't be called: training will tell. Raises
    GenbenchError for a loss that is no scalar.

    Args:
        method: whose losses.
        blank: a batch for each phase, `(batch, *event)` by name.
        problem: for which the method was built.
    """
    moment = {name: torch.zeros((), device=problem.device) for name in OF_EVERY_BATCH}
    inside: list[list[Numbers]] = []
    streams = GlobalStreams(0, problem.device)
    before = streams.state()
    for phase, draws in zip(method.phases, blank, strict=True):
        called: list[Numbers] = []

        def note(numbers: Numbers, called: list[Numbers] = called) -> Tensor:
            called.append(numbers)
            return torch.full(numbers.shape, 0.5, device=problem.device)

        networks = {name: Bound(network, copied(network)) for name, network in method.networks.items()}
        try:
            with streams.entered(), Answered(note):
                loss = phase.loss(Networks(networks, ahead_of(method, phase)), Batch({**draws, **moment}))
        except Exception:  # whatever a stranger's loss raises, it will raise again where it is recorded
            return [[] for _ in method.phases]
        _check_scalar(loss, phase)
        inside.append(called)
    return inside if streams.equals(before) else [[] for _ in method.phases]


def _check_scalar(loss: object, phase: Phase) -> None:
    if not isinstance(loss, Tensor) or loss.dim() > 0:
        what = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"{loss!r}"
        raise GenbenchError(
            f"The loss of the phase {phase.name} gives {what}. Let it return a scalar tensor: loss.mean()"
        )


def ahead_of(method: Method, phase: Phase) -> dict[str, Ahead]:
    """What the phase's loss looks ahead with, before any update."""
    ahead = {}
    for name in phase.looks_ahead:
        spec, network = method.optimizers[name], method.networks[name]
        weights = {key: weight.detach().clone() for key, weight in learning(network).items()}
        slots = {key: new_slots(spec.name, weight) for key, weight in weights.items()}
        rate = torch.tensor(spec.lr, device=next(iter(weights.values())).device)
        ahead[name] = looking_ahead(network, weights, standing(network), slots, spec, rate)
    return ahead


def copied(network: Module) -> dict[str, Tensor]:
    """Copies of a network's parameters and buffers, by name."""
    return {name: value.detach().clone() for name, value in (*network.named_parameters(), *network.named_buffers())}


def _size(size: Sequence[Any]) -> tuple[int, ...]:
    return tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else tuple(size)


def _of_size(kind: Kind, source: Source, *size: Any, dtype: torch.dtype | None = None, **more: Any) -> Tensor:
    numbers = source(Numbers(kind, _size(more.get("size", size))))
    return numbers if dtype is None else numbers.to(dtype)


def _like(kind: Kind, source: Source, x: Tensor, dtype: torch.dtype | None = None, **more: Any) -> Tensor:
    return source(Numbers(kind, tuple(x.shape))).to(dtype or x.dtype)


def _normal(source: Source, mean: Any, std: Any = 1.0, size: Any = None, **more: Any) -> Tensor:
    like = None if size is not None else 0 * mean + 0 * std
    numbers = source(Numbers("normal", tuple(size if like is None else like.shape)))
    scaled: Tensor = mean + std * (numbers if like is None else numbers.to(like.dtype))
    return scaled


def _normal_in_place(source: Source, x: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    return x.copy_(mean + std * source(Numbers("normal", tuple(x.shape))))


def _uniform_in_place(source: Source, x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    return x.copy_(low + (high - low) * source(Numbers("uniform", tuple(x.shape))))


def _bernoulli(source: Source, p: Tensor, **more: Any) -> Tensor:
    return (source(Numbers("uniform", tuple(p.shape))) < p).to(p.dtype)


def _randint(source: Source, *args: Any, dtype: torch.dtype = torch.long, **more: Any) -> Tensor:
    *bounds, size = (*args, *(more[name] for name in ("low", "high", "size") if name in more))
    low, high = (0, bounds[0]) if len(bounds) == 1 else bounds
    whole: Tensor = (source(Numbers("uniform", tuple(size))) * (high - low)).floor().to(dtype) + low
    return whole


def _dropout(source: Source, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:  # noqa: A002
    return _dropped(source, input, p, training, tuple(input.shape), inplace)


def _channels(
    source: Source,
    input: Tensor,  # noqa: A002
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    return _dropped(source, input, p, training, (*input.shape[:2], *[1] * (input.dim() - 2)), inplace)


def _dropped(source: Source, x: Tensor, p: float, training: bool, shape: tuple[int, ...], inplace: bool) -> Tensor:
    if not training or not p:
        return x
    kept = source(Numbers("uniform", shape)) >= p
    dropped = x * kept / (1 - p) if p < 1 else x * 0.0
    return x.copy_(dropped) if inplace else dropped


ANSWERS: Mapping[Callable[..., Any], Callable[..., Tensor]] = {
    torch.randn: partial(_of_size, "normal"),
    torch.rand: partial(_of_size, "uniform"),
    torch.randn_like: partial(_like, "normal"),
    torch.rand_like: partial(_like, "uniform"),
    torch.normal: _normal,
    torch.bernoulli: _bernoulli,
    torch.randint: _randint,
    Tensor.normal_: _normal_in_place,
    Tensor.uniform_: _uniform_in_place,
    functional.dropout: _dropout,
    functional.dropout1d: _channels,
    functional.dropout2d: _channels,
    functional.dropout3d: _channels,
}
"""Random functions by what answers them."""
