"""Whether each trainer can be built for each dataset of a plan, tried before anything is trained."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path

from genbench import devices, seeding
from genbench.errors import GenbenchError
from genbench.executors.task import Context
from genbench.plugins import left_alone
from genbench.registry import datasets, metrics
from genbench.scoring.protocols import Protocol, ways
from genbench.spec import Component
from genbench.trials.plan import Plan

FEW = 3


def preflight(plan: Plan, context: Context) -> None:
    """Builds every trainer once for every dataset that it may not fit, has it make a few samples, and tries metrics.

    Raises GenbenchError, a line, for whatever goes wrong, say for a size that doesn't fit, or an engine that was asked
    for and that the trainer can't take. genbench's own fit all points, and trying would mean to wait for torch.
    """
    _check_metrics(plan, context)
    asked = context.engine in ("compiled", "graph")
    for dataset, trainer in dict.fromkeys((trial.dataset, trial.trainer) for trial in plan.run):
        own = not (trainer.source or dataset.source)
        if own and datasets[dataset.name].stock is None and not asked:
            continue
        try:
            with left_alone():
                _try(dataset, trainer, context)
        except GenbenchError:
            raise
        except (Exception, SystemExit) as error:  # whatever a stranger's builder raises
            raise _failed(f"{trainer.label} can't be built for {dataset.label}", error) from error


def _check_metrics(plan: Plan, context: Context) -> None:
    """Scores real samples by each metric that was added or is a plugin's, on every dataset.

    Raises GenbenchError, a line, for one that fails, and for one that was added and applies to none.
    """
    planned = list(dict.fromkeys([*plan.controls, *(trial.dataset for trial in plan.run)]))
    for way in ways(context.protocols, context.metrics):
        for name, reasons in try_metrics(planned, way, context.device).items():
            if name in way.added and all(reasons):
                told = (f"{dataset.label}: {reason}" for dataset, reason in zip(planned, reasons, strict=True))
                raise GenbenchError(f"The metric {name} applies to no dataset of the run. {'; '.join(told)}.")


def try_metrics(planned: Sequence[Component], way: Protocol, device: str = "cpu") -> dict[str, list[str | None]]:
    """Scores real samples of datasets by each metric that was added or is a plugin's.

    Returns by the column's name why it doesn't apply to each of the datasets, None where it does. Raises GenbenchError,
    a line, for a metric that fails.
    """
    tried = (
        name for name, metric in way.columns.items() if name in way.added or Component.resolve(metrics, metric).source
    )
    return {name: [_unfit(dataset, way.only([name]), device) for dataset in planned] for name in tried}


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
