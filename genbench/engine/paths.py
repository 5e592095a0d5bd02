"""Which way a stack is trained: plain, compiled or as a CUDA graph, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from genbench import seeding
from genbench.datasets.base import Dataset, DataStream
from genbench.engine import EXACT, Engine, Numerics
from genbench.engine.feed import Feed, Feeds
from genbench.engine.global_streams import GlobalStreams
from genbench.engine.inner import wanted
from genbench.engine.meter import Clock
from genbench.engine.method import Method, Trainer
from genbench.engine.plain import Plain
from genbench.engine.problem import Problem
from genbench.engine.stack import Solo, Stack, below
from genbench.engine.stacked import Stacked
from genbench.errors import GenbenchError
from genbench.registry import datasets, trainers
from genbench.spec import Component, Trial, canonical_json

COMPILE_FROM = 5_000
"""Updates of a trial from which on compiling pays: it takes some 8 s once and saves about a millisecond each."""

ALIKE = 2
"""From so many replicas on compiled code for a processor gives each the same bits, as far as it was tried."""

COMPILE_FROM_SECONDS = 5.0
"""Seconds of a budget from which on it compiles: they don't hold what compiling takes, so only people wait for it."""

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)

NO_PHASES = "the trainer is no list of phases"
NUMERICS = "only plainly can layers be cast to bfloat16 and channels lie last"

CONVOLVES = "its networks convolve and keep buffers"
"""Why a method isn't compiled for a processor: convolutions are the same on both paths, and most of the time."""

_failures: dict[str, str] = {}
"""Why a trainer's updates were not compiled or captured, so that nobody tries it again in this process."""

_in_vain: dict[str, float] = {}
"""How many seconds that took, until a stack that trains plainly bears them."""


class CannotStack(GenbenchError):
    """Several trials were to be trained as one stack, and their trainer can't be."""


class EngineRefused(GenbenchError):
    """An engine was asked for that a trainer can't be trained with, for this `reason`."""

    def __init__(self, trainer: Component, engine: Engine, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{trainer.label} can't be trained with --engine {engine}: {reason}. Leave --engine out.")


class Path(NamedTuple):
    """The path that was taken, the reason, and whether that is that a better one failed."""

    name: Literal["plain", "compiled", "graph"]
    reason: str
    fell_back: bool = False


class Assembled(NamedTuple):
    """A stack that is ready to train, its path, and the seconds that compiling it took, in vain or not."""

    stack: Stack
    path: Path
    compile_seconds: float = 0.0


def assemble(
    trials: Sequence[Trial],
    dataset: Dataset,
    clock: Clock,
    device: torch.device | str,
    engine: Engine = "auto",
    numerics: Numerics = EXACT,
) -> Assembled:
    """Builds trials that differ in their seeds alone into one stack, on the path that `engine` names or that pays.

    Raises CannotStack for several trials that can't be stacked, or whose budget is in seconds: each has its own.
    Raises EngineRefused where the path that `engine` names can't be taken.
    """
    check_versions(trials[0])
    dataset = dataset.to(device)  # one copy for all seeds
    if len(trials) > 1 and trials[0].budget.kind == "seconds":
        raise CannotStack(f"{trials[0].trainer.label} trains one seed at a time: the budget is in seconds.")
    problems = [Problem(dataset.event_shape, trial.seed, device, len(dataset.classes)) for trial in trials]
    trainer = trials[0].trainer
    built = [build(trainer, problem) for problem in problems]
    check_engine(built[0], trainer, engine, numerics)
    if isinstance(built[0], Method) and trials[0].budget.kind == "samples" and not built[0].samples(1):
        raise GenbenchError(
            f"{trainer.label} draws no real samples, which its budget counts. Give another: --budget steps=N"
        )
    if isinstance(built[0], Method):
        methods = [method for method in built if isinstance(method, Method)]
        assembled = _stack(methods, dataset, problems, trials[0], clock, engine, numerics)
    else:
        data = DataStream(dataset, problems[0].stream(seeding.TRAINING_DATA))
        assembled = Assembled(Solo(built[0], problems[0], data), Path("plain", NO_PHASES))
    if assembled.stack.size < len(trials):
        _in_vain[trainer.label] = _in_vain.get(trainer.label, 0.0) + assembled.compile_seconds
        raise CannotStack(f"{trainer.label} trains one seed at a time: {assembled.path.reason}.")
    return assembled._replace(compile_seconds=assembled.compile_seconds + _in_vain.pop(trainer.label, 0.0))


def build(trainer: Component, problem: Problem) -> Method | Trainer:
    """What a trainer makes of a problem, in global streams of the trial's own.

    Raises GenbenchError where that is neither a method nor a trainer of the wider contract.
    """
    with problem.global_streams(seeding.GLOBAL_BUILDING):
        built = trainers[trainer.name].build(problem, **trainer.parameters)
    if not isinstance(built, Method | Trainer) or isinstance(built, type):
        raise GenbenchError(
            f"The trainer {trainer.name} gave {built!r}. Let it return an api.Method, or an object with all that "
            "api.Trainer has: updates_per_step, step, sample, state_dict, load_state_dict and weights."
        )
    if isinstance(built, Method) and built.labelled and not problem.classes:
        raise GenbenchError(f"The trainer {trainer.name} draws labels, and the dataset's samples have no classes.")
    if isinstance(built, Trainer) and not (type(built.updates_per_step) is int and built.updates_per_step >= 1):
        raise GenbenchError(
            f"The trainer {trainer.name}: updates_per_step must be a whole number from 1 on, not "
            f"{built.updates_per_step!r}."
        )
    return built


def check_versions(trial: Trial) -> None:
    """Raises GenbenchError where a trial's trainer or dataset is another version or source now.

    Raises UnknownName where it is none.
    """
    for registry, then in ((trainers, trial.trainer), (datasets, trial.dataset)):
        now = registry[then.name]
        if now.version != then.version:
            raise GenbenchError(
                f"{then.label} is version {now.version} now and was {then.version} when the trial ran. "
                "Run it again: --rerun stale"
            )
        if now.sources(then.parameters) != then.source:
            raise GenbenchError(
                f"The plugin behind {then.label} was edited since the trial was planned. Run it again: --rerun stale"
            )


def revive(trial: Trial, dataset: Dataset, weights: Mapping[str, Tensor], device: str = "cpu") -> Stack:
    """A trial's networks with stored weights, named `network.parameter`, ready to sample on a device.

    Its versions must be today's. Raises GenbenchError where the weights don't fit, or the trainer is no list of phases.
    """
    label = trial.trainer.label
    problem = Problem(dataset.event_shape, trial.seed, device, len(dataset.classes))
    method = build(trial.trainer, problem)
    if not isinstance(method, Method):
        raise GenbenchError(f"{label} is no list of phases, so nothing can be made of its stored weights alone.")
    for part, network in method.networks.items():
        try:
            network.load_state_dict(below(weights, f"{part}."))
        except RuntimeError as error:
            raise GenbenchError(
                f"These weights are not those of {label}'s {part}: {' '.join(str(error).split())} "
                "Run the trial again: --rerun all"
            ) from None
    return Plain(method, Feeds([Feed(method, dataset, problem)]), problem.device)


def _stack(
    methods: Sequence[Method],
    dataset: Dataset,
    problems: Sequence[Problem],
    trial: Trial,
    clock: Clock,
    engine: Engine,
    numerics: Numerics,
) -> Assembled:
    device = torch.device(problems[0].device)
    feeds = Feeds([Feed(method, dataset, problem) for method, problem in zip(methods, problems, strict=True)])
    path = _choose(methods[0], trial, device, engine, numerics)
    inner = wanted(methods[0], feeds.blank_batches(), problems[0])
    compile_key = canonical_json([path.name, trial.trainer.identity, dataset.event_shape])
    spent = 0.0
    if path.name != "plain" and compile_key not in _failures:
        started = clock.now()
        feeds.inner = inner
        try:
            # A budget in seconds leaves no two times the same bits, and all of them are the trial's own.
            least = ALIKE if path.name == "compiled" and trial.budget.kind != "seconds" else 1
            stacked = Stacked(methods, feeds, device, compile_key, capture=path.name == "graph", least=least)
            stack = _warm(stacked, device)
            return Assembled(stack, path, clock.now() - started)
        except torch.OutOfMemoryError:  # fewer seeds at once may fit
            raise
        except Exception as error:  # no compiler, or code that no compiler takes: the method still trains
            line = next(iter(str(error).strip().splitlines()), "")
            _failures[compile_key] = f"{path.name} failed: {type(error).__name__}: {line}"
            spent = clock.now() - started
    if compile_key in _failures:
        _refuse(trial.trainer, engine, _failures[compile_key])
        path = Path("plain", _failures[compile_key], fell_back=True)
    feeds.inner = [[] for _ in inner]
    return Assembled(Plain(methods[0], feeds, device, numerics, draws_inside=any(inner)), path, spent)


def _warm(stack: Stacked, device: torch.device) -> Stacked:
    """The stack, ready to train; raises GenbenchError where a loss draws what would then be drawn only once."""
    streams = GlobalStreams(0, device)
    before = streams.state()
    with streams.entered():
        stack.warm_up()
    if not streams.equals(before):
        raise GenbenchError("a loss or a network draws from a global random stream")
    return stack


def _choose(method: Method, trial: Trial, device: torch.device, engine: Engine, numerics: Numerics) -> Path:
    """The path for a method, before it is known whether it compiles."""
    if engine == "plain":
        return Path("plain", "asked for")
    if any(numerics):
        return Path("plain", NUMERICS)
    if engine != "auto":
        return Path(engine, "asked for")
    if device.type == "cpu" and _convolves_with_buffers(method):
        return Path("plain", CONVOLVES)
    if trial.budget.kind == "seconds":
        amount, enough = f"{trial.budget.amount:g} seconds", trial.budget.amount >= COMPILE_FROM_SECONDS
    else:
        updates = _updates(method, trial)
        amount, enough = f"{updates:.0f} updates", updates >= COMPILE_FROM
    if not enough:
        return Path("plain", f"{amount} don't repay compiling")
    return Path("graph" if device.type == "cuda" else "compiled", f"{amount} repay compiling")


def _convolves_with_buffers(method: Method) -> bool:
    networks = [network for network in method.networks.values() if list(network.buffers())]
    return any(isinstance(layer, CONVOLUTIONS) for network in networks for layer in network.modules())


def check_engine(built: Method | Trainer, trainer: Component, engine: Engine, numerics: Numerics) -> None:
    """Raises GenbenchError where what a trainer built can't take the path that `engine` names."""
    if not isinstance(built, Method):
        _refuse(trainer, engine, NO_PHASES)
    elif any(numerics):
        _refuse(trainer, engine, NUMERICS)


def _refuse(trainer: Component, engine: Engine, reason: str) -> None:
    """Raises EngineRefused where the engine that can't be had was asked for."""
    if engine in ("compiled", "graph"):
        raise EngineRefused(trainer, engine, reason)


def _updates(method: Method, trial: Trial) -> float:
    """How many updates a trial's budget comes to, unless that is in seconds."""
    many = 10_000
    per_unit = {
        "steps": method.updates(many) / many,
        "updates": 1.0,
        "samples": method.updates(many) / max(1, method.samples(many)),
    }
    return trial.budget.amount * per_unit[trial.budget.kind]
