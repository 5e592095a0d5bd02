"""What a method's updates see: real samples and noise, drawn in blocks of many steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Generator, Tensor

from genbench import seeding
from genbench.datasets.base import Dataset
from genbench.engine.draws import Draw, Labels, Real, draw_noise, one_hot
from genbench.engine.inner import Numbers
from genbench.engine.method import Method, Phase
from genbench.engine.problem import Problem
from genbench.engine.stack import check_samples
from genbench.errors import GenbenchError

BLOCK_STEPS = 128
BLOCK_BYTES = 8 * 2**20
"""A block holds this many generator steps, or as many as fit into this many bytes; at least one."""

Drawn = list[dict[str, Tensor] | None]
"""For each phase, its draws by name; None where it isn't its turn."""

Block = list[dict[str, Tensor]]
"""For each phase, its draws by name, those of all its turns one after the other."""

ROLES = (seeding.TRAINING_DATA, seeding.TRAINING_NOISE)


class Feed:
    """One replica's draws, block by block.

    A block is drawn whole, whatever is left of the budget, so what a step sees depends on its number alone: not on
    checkpoints, nor on the replicas that train beside this one.
    """

    def __init__(self, method: Method, dataset: Dataset, problem: Problem) -> None:
        self.method, self.problem = method, problem
        self._dataset = dataset.to(problem.device)
        self._opened: dict[str, Tensor] = {}

    def block(self, first: int, steps: int) -> Block:
        """The block from step `first` on: for each phase, tensors `(turns, repeats, batch, *event)` by name."""
        self._opened = {role: self.problem.stream(role).get_state() for role in ROLES}
        return [
            self._drawn(phase, (_turns(phase, first, steps), phase.repeats, self.method.batch_of(phase)))
            for phase in self.method.phases
        ]

    def state(self) -> dict[str, Tensor]:
        """The streams' states before the present block was drawn."""
        return dict(self._opened)

    def rewind(self, state: Mapping[str, Tensor]) -> None:
        """Back to where a block was about to be drawn."""
        for role in ROLES:
            self.problem.stream(role).set_state(state[role].cpu())

    def _drawn(self, phase: Phase, lead: tuple[int, ...]) -> dict[str, Tensor]:
        """A phase's draws `(*lead, *event)` by name; labels are those of the real samples that were drawn."""
        drawn: dict[str, Tensor] = {}
        for name, draw in phase.draws.items():
            if isinstance(draw, Real):
                labels = [label for label, of in phase.labelled.items() if of == name]
                drawn[name], classes = self._real(lead, labelled=bool(labels))
                drawn |= dict.fromkeys(labels, classes)
            elif not isinstance(draw, Labels):
                drawn[name] = draw_noise(draw, lead, self.problem.stream(seeding.TRAINING_NOISE))
        return {name: drawn[name] for name in phase.draws}

    def _real(self, lead: tuple[int, ...], *, labelled: bool) -> tuple[Tensor, Tensor]:
        """Real samples `(*lead, *event)` and, where they are `labelled`, their classes `(*lead, classes)`."""
        n, rng, classes = math.prod(lead), self.problem.stream(seeding.TRAINING_DATA), self.problem.classes
        samples, labels = self._dataset.labelled(n, rng) if labelled else (self._dataset.sample(n, rng), torch.empty(0))
        if labelled:
            check_labels(labels, n, self.problem)
        check_samples(samples, n, self.problem, "its own sample")
        # Compiled code reads the type that it was compiled for, whatever a dataset gives.
        samples = samples.reshape(*lead, *self.problem.event_shape).to(torch.get_default_dtype())
        return samples, one_hot(labels.reshape(lead), classes) if labelled else labels


class Feeds:
    """The draws of all replicas in step, with a dimension of replicas before the batch."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._method = feeds[0].method
        self.event_shape = feeds[0].problem.event_shape
        self.length = block_steps(self._method, feeds[0].problem)
        self.steps = 0
        self.inner: list[list[Numbers]] = [[] for _ in self._method.phases]
        """What each phase's loss draws by itself at every call, in order, and is given with its batch."""
        self._feeds = feeds
        self._block: Block | None = None

    @property
    def updates(self) -> int:
        """Updates that what each replica has been given was for."""
        return self._method.updates(self.steps)

    @property
    def samples(self) -> int:
        """Real samples that each replica has been given."""
        return self._method.samples(self.steps)

    def problem(self, replica: int) -> Problem:
        """What a replica's trial is."""
        return self._feeds[replica].problem

    def blank(self) -> Drawn:
        """Zeros in the shape of the draws of a step in which all phases have their turn."""
        first, size = self._feeds[0], len(self._feeds)
        return [
            {
                name: _blank(draw, (phase.repeats, size, first.method.batch_of(phase)), first.problem)
                for name, draw in phase.draws.items()
            }
            | {
                inner_name(i): torch.zeros(phase.repeats, size, *numbers.shape, device=first.problem.device)
                for i, numbers in enumerate(inner)
            }
            for phase, inner in zip(first.method.phases, self.inner, strict=True)
        ]

    def blank_batches(self) -> Block:
        """A batch of zeros for each phase, `(batch, *event)` by name."""
        return [{name: tensor[0, 0] for name, tensor in (draws or {}).items()} for draws in self.blank()]

    def next(self) -> Drawn:
        """One generator step's draws: for each phase, tensors `(repeats, replicas, batch, *event)` by name."""
        first = self.steps - self.steps % self.length
        if self._block is None or first == self.steps:
            self._block = _together([feed.block(first, self.length) for feed in self._feeds])
        drawn: Drawn = []
        for phase, draws, inner in zip(self._method.phases, self._block, self.inner, strict=True):
            if self.steps % phase.every:
                drawn.append(None)
                continue
            at = _turns(phase, first, self.steps - first)
            own = {name: tensor[at] for name, tensor in draws.items()}
            drawn.append(own | self._drawn_inside(inner, phase.repeats))
        self.steps += 1
        return drawn

    def state(self, replica: int) -> dict[str, Tensor]:
        """What the rest of a replica's draws depends on, but for the number of steps."""
        problem = self._feeds[replica].problem
        now = {role: problem.stream(role).get_state() for role in (*ROLES, seeding.INNER_DRAWS, *problem.streams)}
        return now if self.steps % self.length == 0 else now | self._feeds[replica].state()

    def restore(self, replica: int, steps: int, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`, after so many steps; all replicas must be restored to the same one."""
        self._feeds[replica].rewind(state)
        for role in state.keys() - ROLES:
            self._feeds[replica].problem.stream(role).set_state(state[role].cpu())
        self.steps, self._block = steps, None

    def inner_stream(self, replica: int) -> Generator:
        """The stream of what a replica's losses draw by themselves."""
        return self._feeds[replica].problem.stream(seeding.INNER_DRAWS)

    def _drawn_inside(self, inner: Sequence[Numbers], repeats: int) -> dict[str, Tensor]:
        """What a phase's loss will draw by itself in so many calls, `(repeats, replicas, *shape)` by name."""
        if not inner:
            return {}
        streams = [self.inner_stream(replica) for replica in range(len(self._feeds))]
        calls = [[[numbers.draw(rng) for numbers in inner] for _ in range(repeats)] for rng in streams]
        return {
            inner_name(i): torch.stack([torch.stack([call[i] for call in of]) for of in calls], dim=1)
            for i in range(len(inner))
        }


def check_labels(labels: Tensor, n: int, problem: Problem) -> None:
    """Raises GenbenchError where a dataset's labels are not n of its problem's classes.

    On a device their range isn't looked at, for which the host would have to wait.
    """
    whole = isinstance(labels, Tensor) and labels.dtype == torch.long and labels.shape == (n,)
    near = whole and n and labels.device.type == "cpu"
    if not whole or (near and not 0 <= int(labels.min()) <= int(labels.max()) < problem.classes):
        raise GenbenchError(
            f"The dataset's labelled must give, beside {n} samples, their classes as whole numbers from 0 to "
            f"{problem.classes - 1}: torch.long, of shape ({n},)."
        )


def inner_name(place: int) -> str:
    """What the numbers are called that a loss draws by itself; no draw of a phase can be called so."""
    return f"inner {place}"


def block_steps(method: Method, problem: Problem) -> int:
    """How many generator steps a block of the method's draws holds."""
    floats = sum(
        phase.repeats * method.batch_of(phase) * math.prod(_shape(draw, problem)) / phase.every
        for phase in method.phases
        for draw in phase.draws.values()
    )
    return max(1, min(BLOCK_STEPS, int(BLOCK_BYTES // max(1, 4 * floats))))


def _turns(phase: Phase, first: int, steps: int) -> int:
    """How often a phase has its turn in so many steps from step `first` on."""
    return phase.turns(first + steps) - phase.turns(first)


def _shape(draw: Draw, problem: Problem) -> tuple[int, ...]:
    if isinstance(draw, Labels):
        return (problem.classes,)
    return problem.event_shape if isinstance(draw, Real) else draw.shape


def _blank(draw: Draw, lead: tuple[int, ...], problem: Problem) -> Tensor:
    """Zeros in the shape and of the type of a draw."""
    if isinstance(draw, Real | Labels):
        return torch.zeros(*lead, *_shape(draw, problem), device=problem.device)
    return torch.zeros_like(draw_noise(draw, lead, Generator(problem.device)))


def _together(blocks: Sequence[Block]) -> Block:
    return [
        {name: torch.stack([draws[name] for draws in replicas], dim=2) for name in replicas[0]}
        for replicas in zip(*blocks, strict=True)
    ]
