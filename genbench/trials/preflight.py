"""Whether each trainer can be built for each dataset of a plan, tried before anything is trained.

What a plugin brought is tried in a process of its own, which it may end or hold up.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genbench import devices, seeding
from genbench.errors import GenbenchError
from genbench.executors.task import Context, Failure, Notify, Outcome, Progress, Stop, Task
from genbench.plugins import left_alone
from genbench.registry import datasets, metrics
from genbench.scoring.protocols import Protocol, ways
from genbench.spec import Component
from genbench.trials.plan import Plan

FEW = 3


@dataclass(frozen=True)
class Preflight(Task):
    """Builds trainers once for the datasets that they may not fit, has them make a few samples, and tries metrics.

    The trainers are those of `points`, each with its dataset; every metric that was added or is a plugin's scores real
    samples of the datasets in `scored`. What goes wrong, say with a size that doesn't fit, or an engine that was asked
    for and that the trainer can't take, is the outcome's error, a line.
    """

    context: Context
    points: tuple[tuple[Component, Component], ...]
    scored: tuple[Component, ...]

    @property
    def name(self) -> str:
        return ", ".join([*(_named(*point) for point in self.points), *["the metrics"][: len(self.scored)]])

    @property
    def needs(self) -> None:
        return None

    @property
    def is_ours(self) -> bool:
        brought = [part.source for point in self.points for part in point] + [data.source for data in self.scored]
        return self.context.is_ours and not any(brought)

    def begin(self, notify: Notify, stop: Stop) -> Outcome:
        _check_metrics(self.scored, self.context)
        for i, (dataset, trainer) in enumerate(self.points):
            if stop():
                break
            notify(Progress(self.name, i / len(self.points), note=_named(dataset, trainer)))
            try:
                with left_alone():
                    _try(dataset, trainer, self.context)
            except GenbenchError:
                raise
            except (Exception, SystemExit) as error:  # whatever a stranger's builder raises
                raise _failed(f"{trainer.label} can't be built for {dataset.label}", error) from error
        return Outcome(self)

    def apart(self) -> list[Preflight]:
        parts = [replace(self, points=(point,), scored=()) for point in self.points]
        parts += [replace(self, points=())] if self.scored else []
        return parts if len(parts) > 1 else []

    def ended(self, status: Failure, reason: str) -> Outcome:
        return Outcome(self, error=f"{self.name} can't be tried: {reason}")


def preflight(plan: Plan, context: Context) -> Preflight | None:
    """What is to be tried of a plan before anything of it is run, None for nothing.

    genbench's own trainers fit all points, and trying them would mean to wait for torch.
    """
    asked = context.engine in ("compiled", "graph")
    points = tuple(
        (dataset, trainer)
        for dataset, trainer in dict.fromkeys((trial.dataset, trial.trainer) for trial in plan.run)
        if asked or trainer.source or dataset.source or datasets[dataset.name].stock is not None
    )
    metrics_to_try = any(_to_try(way) for way in ways(context.protocols, context.metrics))
    planned = dict.fromkeys([*plan.controls, *(trial.dataset for trial in plan.run)]) if metrics_to_try else ()
    return Preflight(context, points, tuple(planned)) if points or planned else None


def _named(dataset: Component, trainer: Component) -> str:
    return f"{trainer.label} on {dataset.label}"


def _check_metrics(planned: Sequence[Component], context: Context) -> None:
    """Scores real samples by each metric that was added or is a plugin's, on every dataset.

    Raises GenbenchError, a line, for one that fails, and for one that was added and applies to none.
    """
    for way in ways(context.protocols, context.metrics) if planned else ():
        for name, reasons in try_metrics(planned, way, context.device).items():
            if name in way.added and all(reasons):
                told = (f"{dataset.label}: {reason}" for dataset, reason in zip(planned, reasons, strict=True))
                raise GenbenchError(f"The metric {name} applies to no dataset of the run. {'; '.join(told)}.")


def try_metrics(planned: Sequence[Component], way: Protocol, device: str = "cpu") -> dict[str, list[str | None]]:
    """Scores real samples of datasets by each metric that was added or is a plugin's.

    Returns by the column's name why it doesn't apply to each of the datasets, None where it does. Raises GenbenchError,
    a line, for a metric that fails.
    """
    return {name: [_unfit(dataset, way.only([name]), device) for dataset in planned] for name in _to_try(way)}


def _to_try(way: Protocol) -> list[str]:
    """The columns whose metrics were added or are a plugin's."""
    return [
        name for name, metric in way.columns.items() if name in way.added or Component.resolve(metrics, metric).source
    ]


def _unfit(dataset: Component, way: Protocol, device: str) -> str | None:
    """Why a protocol's only metric doesn't apply to a dataset; None where it does."""
    from genbench.trials.resources import build_dataset, scorer

    (name,) = way.columns
    try:
        judge = scorer(dataset, way, devices.resolve(device))
        if (reason := judge.blanks[0].reason) is not None:
            return reason
        (score,) = judge(build_dataset(dataset).sample(way.n, seeding.stream(0, seeding.REFERENCE_DATA)))
    except GenbenchError:
        raise
    except Exception as error:  # whatever a stranger's metric raises
        raise _failed(f"The metric {name} can't score {dataset.label}", error) from error
    if score.state == "skipped" and score.reason is None:
        raise GenbenchError(f"The metric {name} gave None. Let it return a torchmetrics.Metric.")
    return None


def _failed(what: str, error: BaseException) -> GenbenchError:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return GenbenchError(
        f"{what}: {type(error).__name__}: {' '.join(str(error).split())} ({Path(last.filename).name}:{last.lineno})"
    )


def _try(dataset: Component, trainer: Component, context: Context) -> None:
    from genbench.engine.method import Method
    from genbench.engine.paths import build, check_engine
    from genbench.engine.problem import Problem
    from genbench.trials.rehearsal import rehearse_dataset, rehearse_method
    from genbench.trials.resources import build_dataset

    data = build_dataset(dataset)
    problem = Problem(data.event_shape, seed=0, classes=len(data.classes))
    built = build(trainer, problem)
    check_engine(built, trainer, context.engine, context.numerics)
    if dataset.source:
        rehearse_dataset(dataset.label, data)
    if isinstance(built, Method) and trainer.source:
        rehearse_method(built, data, problem)
