"""Null bands: where 95 % of the truth's own scores lie, draw by draw, at the same n.

The bands of genbench's own targets ship with it in `bands.json`, like a table of critical values; those of any
other dataset are measured when they are first needed. To measure the shipped ones again, in ten minutes
on two cores:

    python -m genbench.metrics.bands
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from torch import Generator

from genbench import seeding
from genbench.datasets.base import Dataset, Finite
from genbench.metrics.scoring import Scorer
from genbench.protocols import POINTS, protocol
from genbench.record import Score
from genbench.registry import datasets
from genbench.spec import Component, canonical_json

SHIPPED = Path(__file__).with_name("bands.json")
SHIPPED_DATASETS = ("ring8", "grid25", "grid100", "swissroll")
SHIPPED_DRAWS = 100
MEASURED_DRAWS = 40
MASS = 0.95

Bands = dict[str, Score]
"""A band by its column's name: a score without a value."""


def bands(component: Component, dataset: Dataset, scorer: Scorer) -> Bands:
    """The null band of each of the scorer's columns: the shipped one, or measured where that doesn't fit."""
    shipped = {
        band.name: band
        for band in _shipped().get(canonical_json(component.identity), ())
        if band.identity == scorer.identities.get(band.name)
    }
    return shipped if shipped.keys() == scorer.identities.keys() else measure(dataset, scorer, MEASURED_DRAWS)


def measure(dataset: Dataset, scorer: Scorer, draws: int) -> Bands:
    """The 2.5 % and 97.5 % quantiles of each column over `draws` draws of the truth."""
    draw = _dealt if isinstance(dataset, Finite) else _fresh
    drawn = [draw(dataset, scorer, seeding.stream(seed, seeding.NULL_DATA)) for seed in range(draws)]
    return {column[0].name: _band(column) for column in zip(*drawn, strict=True)}


def _fresh(dataset: Dataset, scorer: Scorer, rng: Generator) -> tuple[Score, ...]:
    return scorer(dataset.sample(scorer.protocol.n, rng))


def _dealt(dataset: Dataset, scorer: Scorer, rng: Generator) -> tuple[Score, ...]:
    """Scores of real samples against others: which of those that training never sees are which is drawn anew.

    There are no more than these, so draws from one half against the other would hardly differ.
    """
    assert isinstance(dataset, Finite)
    again = dataset.dealt(rng)
    part = again.held_out
    return Scorer(again, scorer.protocol)(part.distinct(min(scorer.protocol.n, len(part)), rng))


def _band(scores: Sequence[Score]) -> Score:
    values = [score.value for score in scores if score.value is not None]
    if not values:
        return scores[0]
    low, high = np.quantile(values, [(1 - MASS) / 2, (1 + MASS) / 2])
    return scores[0].model_copy(update={"value": None, "null_low": float(low), "null_high": float(high)})


@cache
def _shipped() -> dict[str, list[Score]]:
    payload = json.loads(SHIPPED.read_bytes()) if SHIPPED.exists() else {}
    return {key: [Score.model_validate(band) for band in found] for key, found in payload.items()}


def _measure_shipped(name: str, protocol_name: str) -> tuple[str, list[Score]]:
    import torch

    torch.set_num_threads(1)
    dataset = datasets.build(name)
    measured = measure(dataset, Scorer(dataset, protocol(protocol_name)), SHIPPED_DRAWS)
    return canonical_json(Component.resolve(datasets, name).identity), list(measured.values())


def main() -> None:
    """Measures the shipped bands and writes them."""
    found: dict[str, list[Score]] = {}
    pairs = product(SHIPPED_DATASETS, [protocol.name for protocol in POINTS])
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for key, measured in pool.map(_measure_shipped, *zip(*pairs, strict=True)):
            found.setdefault(key, []).extend(measured)
    lines = [
        f"{json.dumps(key)}: [\n " + ",\n ".join(canonical_json(band.model_dump(mode="json")) for band in column) + "]"
        for key, column in found.items()
    ]
    SHIPPED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
