"""Updates per second, as ratios within one run: rounds of what is compared alternate, so a busy machine slows all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from genbench import seeding
from genbench.datasets.base import Dataset
from genbench.engine import Engine
from genbench.engine.global_streams import seeded
from genbench.engine.paths import EngineRefused
from genbench.engine.training import Training
from genbench.executors.process import run_conditions
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial

BASELINES = ("gan", "wgan", "wgan-gp")
ROUNDS, WARM_UP_ROUNDS = 15, 2
ROUND_SECONDS = 0.05

LASTING = Budget(kind="steps", amount=1_000_000)
"""More than anyone times."""


@dataclass(frozen=True)
class Timing:
    """How fast a trainer trains on one engine.

    `updates_per_second` is the median over the rounds, and `ratios` how many times faster its updates are than each
    baseline's, the median of the rounds' ratios. Where the trainer can't take the engine, `reason` says why.
    """

    trainer: str
    engine: Engine
    updates_per_second: float | None
    ratios: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


def timed(update: Callable[[], object], device: str, at_least: float = ROUND_SECONDS) -> float:
    """Seconds an update, over as many as take `at_least` so many seconds."""
    count = 1
    while True:
        started = time.perf_counter()
        for _ in range(count):
            update()
        if device == "cuda":
            torch.cuda.synchronize()
        if (seconds := time.perf_counter() - started) >= at_least:
            return seconds / count
        count = max(2 * count, int(count * at_least / max(seconds, 1e-9)) + 1)


def in_turns(updates: Sequence[Callable[[], object]], device: str) -> list[list[float]]:
    """For each of the updates its seconds round by round; in every round each has its turn."""
    rounds = [[timed(update, device) for update in updates] for _ in range(WARM_UP_ROUNDS + ROUNDS)]
    return [list(seconds) for seconds in zip(*rounds[WARM_UP_ROUNDS:], strict=True)]


def engines_of(device: str) -> tuple[Engine, ...]:
    """The engines that there are on a device."""
    return ("plain", "compiled", "graph") if device == "cuda" else ("plain", "compiled")


def time_trainer(
    reference: str, dataset: str = "ring8", device: str = "cpu", engines: Sequence[Engine] = ()
) -> Iterator[Timing]:
    """Times a trainer beside the baselines, engine by engine, each as it is asked for.

    Raises UnknownName or BadParameter for names or parameters that there are not.
    """
    names = list(dict.fromkeys([trainers.label(reference), *BASELINES]))
    data: Dataset = datasets.build(dataset)
    for engine in engines or engines_of(device):
        ready, refused = dict[str, _Stepping](), dict[str, str]()
        with run_conditions(), seeded(seeding.derive(0, seeding.GLOBAL_TRAINING), device):
            for name in names:
                try:
                    ready[name] = _Stepping(_training(name, dataset, data, device, engine))
                except EngineRefused as error:
                    refused[name] = error.reason
            taken = in_turns(list(ready.values()), device)
        rates = {
            name: [stepping.updates_a_step / seconds for seconds in own]
            for (name, stepping), own in zip(ready.items(), taken, strict=True)
        }
        for name in names:
            yield _timing(name, engine, rates, refused)


def _timing(name: str, engine: Engine, rates: Mapping[str, Sequence[float]], refused: Mapping[str, str]) -> Timing:
    if name in refused:
        return Timing(name, engine, None, reason=refused[name])
    ratios = {
        baseline: statistics.median(own / other for own, other in zip(rates[name], rates[baseline], strict=True))
        for baseline in BASELINES
        if baseline in rates
    }
    return Timing(name, engine, statistics.median(rates[name]), ratios)


def _training(name: str, dataset: str, data: Dataset, device: str, engine: Engine) -> Training:
    trial = Trial(
        dataset=Component.resolve(datasets, dataset),
        trainer=Component.resolve(trainers, name),
        budget=LASTING,
        seed=0,
    )
    return Training([trial], data, device, engine)


class _Stepping:
    """Takes a generator step of a training at each call, and counts."""

    def __init__(self, training: Training) -> None:
        self._stack, self._steps = training.stack, 0

    def __call__(self) -> None:
        self._stack.step(0.0)
        self._steps += 1

    @property
    def updates_a_step(self) -> float:
        """On the whole: some phases don't have their turn in every step."""
        return self._stack.updates / self._steps
