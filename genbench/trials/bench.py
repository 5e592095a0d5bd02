"""What a device is good for here: whether it says what the processor says, and what training and scoring take on it."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from genbench import cores
from genbench.contract.digits import digits
from genbench.contract.metric_case import MetricCase, apart, value
from genbench.contract.timing import in_turns
from genbench.datasets.images import Images, ImageSet
from genbench.engine import EXACT, Engine, Numerics
from genbench.engine.training import Training
from genbench.errors import Skip
from genbench.executors.process import run_conditions
from genbench.executors.task import Context, Keep
from genbench.features import extractor
from genbench.records.record import Record
from genbench.records.store import Store
from genbench.registry import datasets, extractors, metrics, suites, trainers
from genbench.scoring.protocols import protocol
from genbench.scoring.scorer import Scorer
from genbench.spec import Budget, Component, Trial
from genbench.trials.plan import make_plan

OF_POINTS, OF_IMAGES = 1e-6, 1e-4
"""By what share a device's values may differ from the processor's, of points and of image features."""

SEEDS_TAKE, SCORING_TAKES, GRAPHS_GAIN = 3.0, 0.1, 1.5
"""Many seeds take at most so many times the time of one, of which at most such a share isn't training, but scoring and
storing; a captured update is at least so many times as fast as the eager one."""

TOY, ITS_TRAINERS = "grid25", ("gan", "wgan-gp")
DIGITS = 10_000
WARM_UP_STEPS = 50
CRITIC = "wgan-gp[batch=64,critic_steps=5,depth=4,latent=10,networks=dcgan-gp,width=128]"
SIDE, PICTURES = 64, 512
WAYS: tuple[tuple[str, Engine, Numerics], ...] = (
    ("eager", "plain", EXACT),
    ("eager, channels last", "plain", Numerics(channels_last=True)),
    ("eager, bf16", "plain", Numerics(autocast=True)),
    ("eager, bf16, channels last", "plain", Numerics(autocast=True, channels_last=True)),
    ("captured", "graph", EXACT),
)


@dataclass(frozen=True)
class Measured:
    """A number, what it is of, and its bar: the most that it may be, or with `at_least` the least."""

    part: str
    name: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None without one."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def bench(device: str, seeds: int, steps: int) -> Iterator[Measured]:
    """Everything in turn: `seeds` is how many train together, for `steps` generator steps each."""
    with run_conditions(), cores.spared(cores.available() - 1):
        yield from agreement(device)
        yield from scoring(device)
        yield from many_seeds(device, seeds, steps)
        if device.startswith("cuda"):
            yield from updates(device)


def agreement(device: str) -> Iterator[Measured]:
    """By what share each metric's value, and each extractor's features, differ from those of the processor."""
    for entry in metrics:
        try:
            case = MetricCase(entry.name)
        except Skip:  # of models, not of samples
            continue
        expected = value(apart(case.built()), case.samples)
        bar = OF_IMAGES if len(case.dataset.event_shape) == 3 else OF_POINTS
        try:
            there = value(apart(case.built()).to(device), case.samples.to(device))
        except Exception as error:  # a device's own troubles are what is looked for
            said = " ".join(str(error).split())
            yield Measured("agreement", f"{entry.name} ({type(error).__name__}: {said})", math.inf, "share", bar)
            continue
        yield Measured("agreement", entry.name, abs(there - expected) / max(abs(expected), 1e-12), "share", bar)
    for seen in extractors:
        try:
            eye = deepcopy(extractor(seen.name))  # which may move
            images = digits().reference.at(torch.arange(64))
            here, seen_there = eye(images).features, eye(images.to(device)).features.cpu()
        except Skip:  # without its weights, or for other channels
            continue
        yield Measured("agreement", seen.name, float((seen_there - here).norm() / here.norm()), "share", OF_IMAGES)


def scoring(device: str) -> Iterator[Measured]:
    """What all columns of points take, and of 10 000 digits through their classifier, on the device and not there."""
    for dataset, name, n in ((TOY, "genbench1", 10_000), ("mnist", "mnist1", DIGITS)):
        if datasets[dataset].stock is not None and not _is_here(dataset):
            continue
        built = datasets.build(dataset)
        samples = built.sample(n, torch.Generator().manual_seed(0))
        for place in dict.fromkeys(("cpu", device)):
            judge = Scorer(built, protocol(name), device=place)
            judge(samples)
            yield Measured("scoring", f"{dataset} on {place}", _seconds(partial(judge, samples), place), "seconds")


def many_seeds(device: str, seeds: int, steps: int) -> Iterator[Measured]:
    """Trials of a toy, one seed and many, trained as one stack, scored and stored."""
    for trainer in ITS_TRAINERS:
        _trained(trainer, device, 1, min(steps, WARM_UP_STEPS))  # what is made once, a device's context say, is made
        taken = {}
        for count in dict.fromkeys((1, seeds)):
            records, taken[count] = _trained(trainer, device, count, steps)
            failed = [str(record.reason) for record in records if record.status != "done"]
            if failed:
                raise RuntimeError(f"{trainer} on {TOY}, {count} seeds: {failed[0]}")
            training = sum(record.cost.train_seconds for record in records)
            yield Measured("seeds", f"{trainer}, {count}", taken[count], "seconds")
            share = 1 - training / taken[count]
            yield Measured("seeds", f"{trainer}, {count}: beside training", share, "share", SCORING_TAKES)
        ratio = taken[seeds] / taken[1]
        yield Measured("seeds", f"{trainer}, {seeds} beside 1", ratio, "times the time", SEEDS_TAKE)


def updates(device: str) -> Iterator[Measured]:
    """WGAN-GP on 64 × 64 pixels in each way that there is, beside the eager one in the same rounds."""
    pixels = torch.randint(256, (PICTURES, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    part = Images(pixels, torch.arange(PICTURES))
    pictures = ImageSet(part, part, part)
    # Of the trial's dataset only the name counts here, and not what is drawn.
    trial = Trial(
        dataset=Component.resolve(datasets, TOY),
        trainer=Component.resolve(trainers, CRITIC),
        budget=Budget(kind="steps", amount=1_000_000),
        seed=0,
    )
    stacks = [Training([trial], pictures, device, engine, numerics).stack for _, engine, numerics in WAYS]
    rounds = in_turns([partial(stack.step, 0.0) for stack in stacks], device)
    eager = rounds[0]
    for (name, engine, _), own in zip(WAYS, rounds, strict=True):
        ratios = sorted(one / other for one, other in zip(eager, own, strict=True))
        bar = GRAPHS_GAIN if engine == "graph" else None
        yield Measured("updates", name, ratios[len(ratios) // 2], "times as fast as eager", bar, at_least=True)


def _trained(trainer: str, device: str, seeds: int, steps: int) -> tuple[Sequence[Record], float]:
    """The records of a stack, and the seconds that it took but for compiling."""
    whole = suites["toy2d"].build()
    changed = {
        "trainers": (trainer,),
        "datasets": (TOY,),
        "seeds": tuple(range(seeds)),
        "budgets": (Budget(kind="steps", amount=steps),),
    }
    suite = whole.model_copy(update=changed)
    with tempfile.TemporaryDirectory(prefix="genbench-bench-") as folder:
        plan = make_plan(suite, Store(Path(folder)))
        plan.controls.clear()
        context = Context(folder, suite.name, suite.protocols, device, "genbench bench")
        (task,) = plan.tasks(context, Keep(weights=False), seeds)
        started = time.perf_counter()
        records = task.run(lambda word: None, lambda: False).records
        taken = time.perf_counter() - started
    return records, taken - sum(record.cost.compile_seconds or 0.0 for record in records)


def _seconds(work: Callable[[], object], device: str, rounds: int = 3) -> float:
    """The least of a few times."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - started)
    return min(taken)


def _is_here(dataset: str) -> bool:
    try:
        datasets.build(dataset)
    except Exception:  # whatever keeps its files away
        return False
    return True
