"""Whether each trainer can be built for each dataset of a plan, tried before anything is trained."""

from __future__ import annotations

from genbench.executors.plan import Plan
from genbench.executors.task import Context
from genbench.registry import datasets, trainers


def preflight(plan: Plan, context: Context) -> None:
    """Builds every trainer once for every dataset that it may not fit; raises what they raise, say for a size.

    Where an engine is asked for, it must be one that the trainer can take. genbench's own trainers fit all points, and
    trying would mean to wait for torch.
    """
    asked = context.engine in ("compiled", "graph")
    for dataset, trainer in dict.fromkeys((trial.dataset, trial.trainer) for trial in plan.run):
        if trainers[trainer.name].is_own and "stock" not in datasets[dataset.name].facts and not asked:
            continue
        from genbench.engine.paths import build, check_engine
        from genbench.engine.problem import Problem
        from genbench.executors.resources import build_dataset

        built = build(trainer, Problem(build_dataset(dataset).event_shape, seed=0))
        check_engine(built, trainer, context.engine, context.numerics)
