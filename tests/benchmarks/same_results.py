"""Two runs of a suite beside each other, as Markdown: means over seeds before and after, and whether they differ.

`python tests/benchmarks/same_results.py BEFORE AFTER --suite toy2d`, each a results folder. p is that of a two-sided
permutation test over all ways to split the seeds; Holm's correction, over everything shown, stands below.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.stats import permutation_test

from genbench.records.store import Store
from genbench.scoring.protocols import protocol


def values(root, suite):
    """Each metric's values over the seeds by dataset, trainer and metric, in the order of the plan."""
    store, found = Store(root), {}
    plan = store.plan(suite)
    for dataset in plan.datasets:
        for trainer in plan.trainers:
            found |= {(dataset, trainer, name): [] for name in protocol("genbench1").headline}
    for trial in store.trials(suite):
        spec = trial.record.trial
        for score in trial.scores.scores if trial.scores else ():
            key = (spec.dataset.label, spec.trainer.label, score.name)
            if score.identity.protocol == protocol("genbench1").name and key in found and score.value is not None:
                found[key].append(score.value)
    return {key: numbers for key, numbers in found.items() if numbers}


def p_value(one, other):
    if len(set(one) | set(other)) == 1:
        return 1.0
    return permutation_test((one, other), lambda x, y, axis: x.mean(axis) - y.mean(axis), vectorized=True).pvalue


def markdown(before, after):
    """The table and a line on all of it."""
    p = {key: p_value(before[key], after[key]) for key in before if key in after}
    rows = {}
    for (dataset, trainer, name), value in p.items():
        means = (f"{np.mean(numbers[dataset, trainer, name]):.3g}" for numbers in (before, after))
        rows.setdefault((dataset, trainer), []).append(f"{name} {' → '.join(means)} ({value:.2g})")
    small, smallest = sum(value < 0.05 for value in p.values()), min(p.values())
    return "\n".join(
        [
            "| dataset | trainer | metric before → after (p) |",
            "|---|---|---|",
            *(f"| {dataset} | {trainer} | {', '.join(cells)} |" for (dataset, trainer), cells in rows.items()),
            "",
            f"{len(p)} comparisons, {small} of them with p < 0.05 where chance alone gives {0.05 * len(p):.1f}; "
            f"the smallest, {smallest:.2g}, is {min(1, len(p) * smallest):.2g} after Holm's correction.",
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--suite", default="toy2d")
    options = parser.parse_args()
    sys.stdout.write(markdown(values(options.before, options.suite), values(options.after, options.suite)) + "\n")
