"""Whether each trainer can be built for each dataset of a plan, tried before anything is trained."""

from __future__ import annotations

from genbench.executors.plan import Plan
from genbench.registry import datasets, trainers


def preflight(plan: Plan) -> None:
    """Builds every trainer once for every dataset of images; raises what they raise, say for a size that doesn't fit.

    Points fit every network of genbench's own, and trying would mean to wait for torch.
    """
    pairs = dict.fromkeys((trial.dataset, trial.trainer) for trial in plan.run)
    for dataset, trainer in (pair for pair in pairs if "stock" in datasets[pair[0].name].facts):
        from genbench.engine.problem import Problem
        from genbench.executors.resources import build_dataset

        problem = Problem(build_dataset(dataset).event_shape, seed=0)
        trainers[trainer.name].build(problem, **trainer.parameters)
