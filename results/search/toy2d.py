"""The search behind toy2d's defaults: the same number of tries for each trainer, on seeds the suite never uses.

Run it from the repository's root; it writes one row a trial to toy2d.csv beside it and a summary to toy2d.md, and
goes on where it was cut off:

    python results/search/toy2d.py

Each trainer gets fourteen settings: seven learning rates a factor of two apart, times two values of the parameter
that its own literature disagrees about. The winner has the highest mean, over both mixtures and both seeds, of the
share of modes captured times the share of high-quality samples; a diverged trial counts as 0. On the Swiss roll
nearly every setting covers the arc, so it is shown and takes no part. Sliced W2 was the first criterion and is shown
too: at 10 000 points nearly every WGAN-GP setting reaches its floor, that of the truth itself, so it can't choose.
"""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from genbench.spec import ENGINE_VERSION

HERE = Path(__file__).parent
TABLE = HERE / "toy2d.csv"
BUDGET = "steps=6000"
SEEDS = (1000, 1001)
DATASETS = ("ring8", "grid25", "swissroll")
FACTORS = (0.125, 0.25, 0.5, 1, 2, 4, 8)
SETTINGS = {
    "gan": {"lr": tuple(1e-3 * factor for factor in FACTORS), "beta1": (0.0, 0.5)},
    "wgan": {"lr": tuple(1e-3 * factor for factor in FACTORS), "clip": (0.01, 0.1)},
    "wgan-gp": {"lr": tuple(2e-3 * factor for factor in FACTORS), "penalty": (0.1, 1.0)},
}
CRITERION = "modes × hq"
MODES = {"ring8": 8, "grid25": 25}
METRICS = ("modes", "hq", "sliced_w2", "arc_coverage")


def references(trainer: str) -> list[str]:
    """The trainer's settings as references."""
    names, values = zip(*SETTINGS[trainer].items(), strict=True)
    return [
        f"{trainer}[{','.join(f'{key}={value:g}' for key, value in zip(names, chosen, strict=True))}]"
        for chosen in itertools.product(*values)
    ]


def measure(dataset: str, trainer: str, seed: int) -> dict[str, object]:
    """Trains one setting and measures its final samples."""
    import torch

    from genbench import seeding
    from genbench.engine.training import Training
    from genbench.errors import Skip
    from genbench.metrics.truth import Truth
    from genbench.registry import datasets, metrics, trainers
    from genbench.spec import Budget, Component, Trial

    torch.set_num_threads(1)
    trial = Trial(
        dataset=Component.resolve(datasets, dataset),
        trainer=Component.resolve(trainers, trainer),
        budget=Budget.parse(BUDGET),
        seed=seed,
    )
    data = datasets.build(dataset)
    training = Training([trial], data)
    row: dict[str, object] = {"dataset": dataset, "trainer": trainer, "seed": seed, "status": "done"}
    training.run(until=1.0)
    if training.diverged:
        return row | {"status": "diverged"}
    samples = training.stack.sample(10_000, [seeding.stream(seed, seeding.EVALUATION_NOISE)])[0]
    truth = Truth(data)
    for name in METRICS:
        try:
            metric = metrics.build(name, truth)
        except Skip:
            continue
        metric.update(samples)
        row[name] = round(float(metric.compute()), 5)
    return row | {"seconds": round(training.meter.seconds, 1)}


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """One line a setting, each trainer's best first."""
    mixtures = rows[rows.dataset.isin(MODES)]
    product = (mixtures.modes / mixtures.dataset.map(MODES) * mixtures.hq).fillna(0)
    table = pd.DataFrame({CRITERION: product.groupby(mixtures.trainer).mean()})
    for dataset in DATASETS:
        part = rows[rows.dataset == dataset].groupby("trainer")[list(METRICS)].mean()
        table = table.join(part.dropna(axis=1, how="all").add_prefix(f"{dataset} "))
    table["diverged"] = (rows.status == "diverged").groupby(rows.trainer).sum()
    table["method"] = table.index.str.partition("[").get_level_values(0)
    return table.sort_values(["method", CRITERION], ascending=[True, False]).reset_index().drop(columns="method")


def main() -> None:
    done = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(columns=["dataset", "trainer", "seed"])
    known = set(zip(done.dataset, done.trainer, done.seed, strict=True))
    plan = [
        job for method in SETTINGS for job in itertools.product(DATASETS, references(method), SEEDS) if job not in known
    ]
    rows = done.to_dict("records")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(measure, *job) for job in plan]):
            rows.append(future.result())
            order = ["trainer", "dataset", "seed"]
            pd.DataFrame(rows).sort_values(order).to_csv(TABLE, index=False)
            print(f"{len(rows)} of {len(known) + len(plan)}: {rows[-1]}", flush=True)
    table = summarise(pd.DataFrame(rows))
    text = [
        "# The search behind toy2d's defaults",
        "",
        f"`python results/search/toy2d.py` wrote this: {BUDGET}, means over the seeds {SEEDS[0]} and {SEEDS[1]}, each",
        f"trainer's best first, by `{CRITERION}`: the share of modes captured times the share of high-quality samples,",
        "averaged over ring8 and grid25. Every trial is in [toy2d.csv](toy2d.csv).",
        f"Trained by engine version {ENGINE_VERSION}; a later one gives other bits of the same distribution.",
        "",
        "| " + " | ".join(table.columns) + " |",
        "|" + "---|" * len(table.columns),
        *(
            "| " + " | ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row) + " |"
            for row in table.values
        ),
    ]
    (HERE / "toy2d.md").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
