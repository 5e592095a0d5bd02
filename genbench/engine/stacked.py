"""The stacked path: several replicas of one method as one batched update, eager, compiled or captured.

Parameters and optimiser slots carry a leading dimension of replicas. A CUDA graph can replay a whole generator step.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import torch
from torch import Generator, Tensor

from genbench.engine.bound import Bound
from genbench.engine.draws import draw_noise
from genbench.engine.evaluation import Made, log_probs, looked_at, made
from genbench.engine.feed import Drawn, Feeds, inner_name
from genbench.engine.method import OF_EVERY_BATCH, Method, learning, standing
from genbench.engine.optimizers import new_slots
from genbench.engine.stack import Likelihood, below
from genbench.engine.torch_internals import compiled
from genbench.engine.update import Update, Weights, flat_update

WARM_UPS = 3
"""Steps on a stream beside the present one before a step is captured, as torch's notes on CUDA graphs ask for."""

Turns = tuple[bool, ...]
"""Which of the phases have their turn in a step."""

Step = Callable[[Drawn], Mapping[str, Tensor]]
"""Takes a step's draws and returns the losses of its phases."""

_compiled: dict[Hashable, list[Update]] = {}
"""Compiled updates by what decides their code: the trials of one trainer share them."""


class Stacked:
    """Replicas of a method that differ in nothing but their seeds, trained in step.

    A lone replica is a stack like any other, with a dimension of one: so it goes through the same batched products.
    Compiled code makes an exception of that dimension: where it leaves the loop over replicas out, it rounds powers and
    sums otherwise. With `least` of two a lone one is computed beside its double, and its bits are those that it has
    among others.

    Args:
        methods: one a replica.
        feeds: their draws.
        device: where they live.
        compile_key: equal for stacks that may share a compilation; None compiles nothing.
        capture: whether to replay steps as a CUDA graph.
        least: how many replicas are computed at the least; of those beyond the methods nobody hears.
    """

    def __init__(
        self,
        methods: Sequence[Method],
        feeds: Feeds,
        device: torch.device | str,
        compile_key: Hashable = None,
        capture: bool = False,
        least: int = 1,
    ) -> None:
        self.method = method = methods[0]
        self.size, self._computed = len(methods), max(least, len(methods))
        methods = [*methods, *[method] * (self._computed - self.size)]
        self.prior = method.prior
        self._feeds, self._device, self._capture = feeds, device, capture
        self.evaluations: int | None = None
        self._weights = {name: _stack([learning(each.networks[name]) for each in methods]) for name in method.networks}
        self._buffers = {name: _stack([standing(each.networks[name]) for each in methods]) for name in method.networks}
        self._stored = {name: network.state_dict().keys() for name, network in method.networks.items()}
        self._slots = {
            name: {key: _stacked_slots(spec.name, weight) for key, weight in self._weights[name].items()}
            for name, spec in method.optimizers.items()
        }
        self._rates = {name: torch.zeros((), device=device) for name in method.optimizers}
        self._moment = {name: torch.zeros((), device=device) for name in OF_EVERY_BATCH}
        updates = [
            flat_update(
                method,
                phase,
                self._weights,
                self._slots,
                self._buffers,
                self._rates,
                self._moment,
                [inner_name(i) for i in range(len(inner))],
            )
            for phase, inner in zip(method.phases, feeds.inner, strict=True)
        ]
        self._updates: Sequence[Update] = [update for update, _ in updates]
        self._states = [state for _, state in updates]
        self._compile_key = compile_key
        self._names, self._losses = method.names, dict[str, Tensor]()
        self._graphs: dict[Turns, Step] = {}

    @property
    def updates(self) -> int:
        return self._feeds.updates

    @property
    def samples(self) -> int:
        return self._feeds.samples

    def warm_up(self) -> None:
        """Compiles everything and captures what is to be replayed. The state is as before the call."""
        tensors = [tensor for i in range(self._computed) for tensor in self._own_state(i).values()]
        before = [tensor.clone() for tensor in tensors]
        blank = self._feeds.blank()
        if self._compile_key is not None:
            self._updates = self._compiled_updates(blank)
        self._run(blank)
        if self._capture:
            on_the_side(lambda: self._run(blank), WARM_UPS)
            self._graphs[_turns(blank)] = self._captured(blank)
        for tensor, value in zip(tensors, before, strict=True):
            tensor.copy_(value)

    def step(self, progress: float) -> Mapping[str, Tensor]:
        step = self._feeds.steps
        for name, rate in self._rates.items():
            rate.fill_(self.method.rate(name, step, progress))
        self._moment["step"].fill_(step)
        self._moment["progress"].fill_(progress)
        drawn = self._feeds.next()
        self._losses.update(self._replayed(drawn) if self._capture else self._run(drawn))
        return dict(self._losses)

    def sample(self, n: int, rngs: Sequence[Generator], first: int | None = None) -> Tensor:
        replicas = [self._made(i, draw_noise(self.prior, (n,), rng), first) for i, rng in enumerate(rngs)]
        self.evaluations = replicas[0].evaluations
        return torch.stack([each.samples for each in replicas])

    @property
    def likelihood(self) -> Likelihood | None:
        return Likelihood(self.method.bound) if self.method.log_prob is not None else None

    def log_prob(self, replica: int, x: Tensor) -> Tensor:
        return log_probs(self.method, self._parts(replica), x.to(self._device), self._feeds.problem(replica))

    def generate(self, replica: int, noise: Tensor) -> Tensor:
        return self._made(replica, noise.to(self._device)).samples

    def landscape(self, points: Tensor) -> Tensor | None:
        name = self.method.landscape
        if name is None:
            return None
        points = points.to(self._device)
        return torch.stack(
            [
                looked_at(self.method, self._parts(replica), name, points, self._feeds.problem(replica))
                for replica in range(self.size)
            ]
        )

    def makers(self, replica: int) -> dict[str, Tensor]:
        return {
            f"{name}.{key}": value[replica] for name in self.method.makers for key, value in self._weights[name].items()
        }

    def weights(self, replica: int) -> dict[str, Tensor]:
        return {
            f"{name}.{key}": value[replica]
            for name in self.method.networks
            for key, value in (self._weights[name] | self._buffers[name]).items()
            if key in self._stored[name]
        }

    def state(self, replica: int) -> dict[str, Tensor]:
        return self._own_state(replica) | {f"feed.{role}": value for role, value in self._feeds.state(replica).items()}

    def restore(self, replica: int, steps: int, state: Mapping[str, Tensor]) -> None:
        for key, own in self._own_state(replica).items():
            if key in state:  # torch's SGD without momentum keeps none
                own.copy_(state[key])
        self._feeds.restore(replica, steps, below(state, "feed."))

    def _own_state(self, replica: int) -> dict[str, Tensor]:
        state = {f"network.{key}": value for key, value in self.weights(replica).items()}
        for name, slots in self._slots.items():
            for index, held in enumerate(slots.values()):
                for slot, value in held.items():
                    state[f"optimizer.{name}.{index}.{slot}"] = value[replica]
        return state

    def _parts(self, replica: int) -> dict[str, Callable[..., Tensor]]:
        """A replica's networks."""
        return {
            name: Bound(
                network, {key: value[replica] for key, value in (self._weights[name] | self._buffers[name]).items()}
            )
            for name, network in self.method.networks.items()
        }

    def _made(self, replica: int, noise: Tensor, first: int | None = None) -> Made:
        return made(self.method, self._parts(replica), noise, self._feeds.problem(replica), first)

    def _run(self, drawn: Drawn) -> Mapping[str, Tensor]:
        losses = {}
        phases = zip(self._names, self.method.phases, self._updates, self._states, drawn, strict=True)
        for name, phase, update, state, draws in phases:
            if draws is None:
                continue
            batches = [self._widened(tensor).unbind() for tensor in draws.values()]
            for i in range(phase.repeats):
                losses[name] = update(*state, *(tensors[i] for tensors in batches))[: self.size]
        return losses

    def _widened(self, draws: Tensor) -> Tensor:
        """Draws `(repeats, replicas, batch, *event)` of as many replicas as are computed."""
        spare = self._computed - self.size
        return torch.cat([draws, *[draws[:, :1]] * spare], dim=1) if spare else draws

    def _replayed(self, drawn: Drawn) -> Mapping[str, Tensor]:
        """A step by the CUDA graph of the phases whose turn it is, which is captured when that is so the first time."""
        turns = _turns(drawn)
        if turns not in self._graphs:
            own = [draws and {name: tensor.clone() for name, tensor in draws.items()} for draws in drawn]
            self._graphs[turns] = self._captured(own)
        return self._graphs[turns](drawn)

    def _captured(self, inputs: Drawn) -> Step:
        """A step as a CUDA graph that reads its draws from `inputs`; everything in it has run before.

        It is captured on a stream of its own, on which nothing else is under way. Other threads, which bring scores
        from the device, may go on meanwhile.
        """
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            losses = self._run(inputs)

        def replay(drawn: Drawn) -> Mapping[str, Tensor]:
            for own, draws in zip(inputs, drawn, strict=True):
                for name, tensor in (own or {}).items():
                    tensor.copy_((draws or {})[name])
            graph.replay()
            return losses

        return replay

    def _compiled_updates(self, drawn: Drawn) -> Sequence[Update]:
        key = (self._compile_key, self._computed, str(self._device), torch.get_default_dtype())
        if key not in _compiled:
            _compiled[key] = [
                compiled(update, [*state, *(self._widened(tensor)[0] for tensor in draws.values())])
                for update, state, draws in zip(self._updates, self._states, drawn, strict=True)
                if draws is not None
            ]
        return _compiled[key]


def on_the_side(work: Callable[[], object], times: int) -> None:
    """Does work for CUDA on a stream beside the present one, as capturing will: what first calls make is then made."""
    present, side = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(present)
    with torch.cuda.stream(side):
        for _ in range(times):
            work()
    present.wait_stream(side)


def _turns(drawn: Drawn) -> Turns:
    return tuple(draws is not None for draws in drawn)


def _stack(replicas: Sequence[Mapping[str, Tensor]]) -> Weights:
    return {key: torch.stack([each[key].detach() for each in replicas]) for key in replicas[0]}


def _stacked_slots(optimizer: str, weight: Tensor) -> dict[str, Tensor]:
    """New slots of a stacked parameter; every replica counts its own updates."""
    slots = new_slots(optimizer, weight)
    if "step" in slots:
        slots["step"] = slots["step"].repeat(len(weight), *[1] * (weight.dim() - 1))
    return slots
