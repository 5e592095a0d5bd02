"""The search behind toy2d's defaults: the same number of tries for each trainer, on seeds the suite never uses.

Run it from the repository's root; it writes one row a trial to toy2d.csv beside it and a summary to toy2d.md, and
goes on where it was cut off:

    python results/search/toy2d.py

Each trainer gets fourteen settings: seven learning rates a factor of two apart, times two values of the parameter
that its own literature disagrees about. The winner has the highest mean, over both mixtures and both seeds, of the
share of modes captured times the share of high-quality samples; a diverged trial counts as 0. On the Swiss roll
nearly every setting of the first three trainers covered the arc, so it takes no part, and the others weren't tried on
it. Sliced W2 was the first criterion and is shown too: at 10 000 points nearly every WGAN-GP setting reaches its floor,
that of the truth itself, so it can't choose.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from genbench.references import Reference

HERE = Path(__file__).parent
TABLE = HERE / "toy2d.csv"
BUDGET = "steps=6000"
SEEDS = (1000, 1001)
MODES = {"ring8": 8, "grid25": 25}
DATASETS = (*MODES, "swissroll")
ON_THE_ROLL = ("gan", "wgan", "wgan-gp")
FACTORS = (0.125, 0.25, 0.5, 1, 2, 4, 8)
RATE = 1e-3
RATES = {"wgan-gp": 2e-3}
"""The rates in the middle, where they aren't RATE."""

MOMENTA = ({"beta1": 0.0}, {"beta1": 0.5})
CONTESTED: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "gan": MOMENTA,
    "wgan": ({"clip": 0.01}, {"clip": 0.1}),
    "wgan-gp": ({"penalty": 0.1}, {"penalty": 1.0}),
    "lsgan": ({"coding": "binary"}, {"coding": "pearson"}),
    "hinge": MOMENTA,
    "sngan": ({"critic_steps": 1}, {"critic_steps": 2}),
    "r1": ({"penalty": 0.1}, {"penalty": 1.0}),
    "rpgan": ({"r1": 0.1, "r2": 0.1}, {"r1": 1.0, "r2": 1.0}),
    "dragan": ({"penalty": 0.1}, {"penalty": 1.0}),
    "pacgan": MOMENTA,
    "veegan": ({"latent": 2}, {"latent": 254}),
    "ali": MOMENTA,
    "vae": ({"beta": 0.1}, {"beta": 1.0}),
    "realnvp": ({"layers": 8}, {"layers": 16}),
    "nsf": ({"bins": 8}, {"bins": 16}),
    "ddpm": ({"steps": 50}, {"steps": 200}),
    "flow-matching": ({"steps": 25}, {"steps": 100}),
    "unrolled": MOMENTA,
}
CRITERION = "modes × hq"
METRICS = ("modes", "hq", "sliced_w2", "arc_coverage")


def rates(trainer: str) -> list[float]:
    """The learning rates that are tried, the lowest first."""
    return [RATES.get(trainer, RATE) * factor for factor in FACTORS]


def references(trainer: str) -> list[str]:
    """The trainer's settings as references."""
    return [str(Reference(trainer, {"lr": lr, **other})) for lr in rates(trainer) for other in CONTESTED[trainer]]


def measure(dataset: str, trainer: str) -> list[dict[str, object]]:
    """Trains one setting at all seeds and measures its final samples."""
    import torch

    from genbench import seeding
    from genbench.engine.paths import CannotStack
    from genbench.engine.training import Training
    from genbench.errors import Skip
    from genbench.metrics.truth import Truth
    from genbench.registry import datasets, metrics, trainers
    from genbench.spec import Budget, Component, Trial

    torch.set_num_threads(1)
    data = datasets.build(dataset)

    def trained(*seeds: int) -> list[dict[str, object]]:
        trials = [
            Trial(
                dataset=Component.resolve(datasets, dataset),
                trainer=Component.resolve(trainers, trainer),
                budget=Budget.parse(BUDGET),
                seed=seed,
            )
            for seed in seeds
        ]
        training = Training(trials, data)
        training.run(until=1.0)
        samples = training.stack.sample(10_000, [seeding.stream(seed, seeding.EVALUATION_NOISE) for seed in seeds])
        rows = []
        for i, seed in enumerate(seeds):
            row: dict[str, object] = {"dataset": dataset, "trainer": trainer, "seed": seed}
            if i in training.diverged:
                rows.append(row | {"status": "diverged"})
                continue
            row |= {"status": "done", "seconds": round(training.meter.seconds / len(seeds), 1)}
            for name in METRICS:
                try:
                    metric = metrics.build(name, Truth(data))
                except Skip:
                    continue
                metric.update(samples[i])
                row[name] = round(float(metric.compute()), 5)
            rows.append(row)
        return rows

    try:
        return trained(*SEEDS)
    except CannotStack:
        return [row for seed in SEEDS for row in trained(seed)]


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


def missing(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """The settings that no row is of yet, each with a dataset."""
    known = set(zip(rows.dataset, rows.trainer, strict=True))
    return [
        (dataset, reference)
        for trainer in CONTESTED
        for dataset in DATASETS
        for reference in references(trainer)
        if (dataset in MODES or trainer in ON_THE_ROLL) and (dataset, reference) not in known
    ]


def at_the_end(table: pd.DataFrame) -> list[str]:
    """The trainers whose best setting has the lowest or the highest rate that was tried."""
    best = {tried.name: tried for tried in map(Reference.parse, reversed(table.trainer.tolist()))}
    return [
        name for name in CONTESTED
        if name in best and float(str(best[name].parameters["lr"])) in (rates(name)[0], rates(name)[-1])
    ]  # fmt: skip


def write(rows: pd.DataFrame) -> None:
    """Writes the summary of the trainers all of whose settings were tried; it names the others."""
    waiting = dict.fromkeys(reference.partition("[")[0] for _, reference in missing(rows))
    table = summarise(rows[~rows.trainer.str.partition("[")[0].isin(waiting)])
    unfinished = [f"Not tried whole yet, so left out: {', '.join(waiting)}."] if waiting else []
    text = [
        "# The search behind toy2d's defaults",
        "",
        f"`python results/search/toy2d.py` wrote this: {BUDGET}, means over the seeds {SEEDS[0]} and {SEEDS[1]}, each",
        f"trainer's best first, by `{CRITERION}`: the share of modes captured times the share of high-quality samples,",
        "averaged over ring8 and grid25. Every trial is in [toy2d.csv](toy2d.csv).",
        "gan, wgan and wgan-gp were trained by engine version 1, the others by version 4, which gives other bits of",
        "the same distribution.",
        *unfinished,
        f"Best at the lowest or the highest rate, so that a better one may lie beyond: {', '.join(at_the_end(table))}.",
        "",
        "| " + " | ".join(table.columns) + " |",
        "|" + "---|" * len(table.columns),
        *("| " + " | ".join(map(cell, row)) + " |" for row in table.values),
    ]
    (HERE / "toy2d.md").write_text("\n".join(text) + "\n")


def cell(value: object) -> str:
    """A value of the table as people read it; a dash where nothing was tried."""
    if not isinstance(value, float):
        return str(value)
    return "–" if pd.isna(value) else f"{value:.4g}"


def main() -> None:
    done = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(columns=["dataset", "trainer", "seed"])
    done.trainer = [str(Reference.parse(trainer)) for trainer in done.trainer]
    plan = missing(done)
    rows = done.to_dict("records")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(measure, *job) for job in plan]
        for finished, future in enumerate(as_completed(waiting), 1):
            rows += future.result()
            order = ["trainer", "dataset", "seed"]
            pd.DataFrame(rows).sort_values(order).to_csv(TABLE, index=False)
            print(f"{finished} of {len(plan)}: {rows[-1]}", flush=True)
    write(pd.DataFrame(rows))


if __name__ == "__main__":
    main()
