"""Null bands: where 95 % of the truth's own scores lie, draw by draw, at the same n.

The bands of genbench's own targets ship with it in `bands.json`, like a table of critical values; those of any
other dataset are measured when they are first needed. To measure shipped ones again, those of all datasets or of some:

    python -m genbench.metrics.bands [DATASET...]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
from torch import Generator

from genbench import seeding
from genbench.datasets.base import Dataset, Finite
from genbench.metrics.scoring import Scorer
from genbench.metrics.shipped import SHIPPED, all_bands
from genbench.protocols import POINTS, Protocol, protocol
from genbench.protocols.images import MNIST1, STACKED_MNIST1
from genbench.record import Score
from genbench.registry import datasets
from genbench.spec import Component, canonical_json

SHIPPED_TARGETS = ("ring8", "grid25", "grid100", "swissroll")
SHIPPED_IMAGES = {"mnist": MNIST1, "stacked-mnist": STACKED_MNIST1}
SHIPPED_DRAWS = 100
MEASURED_DRAWS = 40
DEALT_SAMPLES, FEWEST_DRAWS = 400_000, 15
"""Scores of images take seconds: so many samples are scored in all, but at least that often."""

MASS = 0.95

Bands = dict[str, Score]
"""A band by its column's name: a score without a value."""


def bands(component: Component, dataset: Dataset, scorer: Scorer) -> Bands:
    """The null band of each of the scorer's columns: the shipped one, or measured where that doesn't fit."""
    draws = dealt_draws(scorer.protocol) if isinstance(dataset, Finite) else MEASURED_DRAWS
    return shipped(component, scorer) or measure(dataset, scorer, draws)


def shipped(component: Component, scorer: Scorer) -> Bands | None:
    """The bands that ship with genbench; None where there are none, or they don't fit the scorer's columns."""
    found = {
        band.name: band
        for band in all_bands().get(canonical_json(component.identity), ())
        if band.identity == scorer.identities.get(band.name)
    }
    return found if found.keys() == affordable(scorer.protocol).columns.keys() else None


def dealt_draws(way: Protocol) -> int:
    """How often to deal a dataset anew for a protocol's bands."""
    return max(FEWEST_DRAWS, min(MEASURED_DRAWS, DEALT_SAMPLES // way.n))


def affordable(whole: Protocol) -> Protocol:
    """A protocol without what goes through Inception, which takes a processor hours for all the draws of a band."""
    columns = {name: metric for name, metric in whole.columns.items() if "extractor=inception" not in metric}
    return replace(whole, columns=columns)


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
    return Scorer(again, affordable(scorer.protocol), lasting=False)(
        part.distinct(min(scorer.protocol.n, len(part)), rng)
    )


def _band(scores: Sequence[Score]) -> Score:
    values = [score.value for score in scores if score.value is not None]
    if not values:
        return scores[0]
    low, high = np.quantile(values, [(1 - MASS) / 2, (1 + MASS) / 2])
    return scores[0].model_copy(update={"value": None, "null_low": float(low), "null_high": float(high)})


def _measure_shipped(name: str, protocol_name: str) -> list[Score]:
    import torch

    torch.set_num_threads(1)
    dataset = datasets.build(name)
    way = protocol(protocol_name)
    draws = dealt_draws(way) if name in SHIPPED_IMAGES else SHIPPED_DRAWS
    return list(measure(dataset, Scorer(dataset, way), draws).values())


def main(names: Sequence[str]) -> None:
    """Measures the shipped bands of the named datasets, all by default, and writes them among the others."""
    pairs = [(name, each.name) for name in SHIPPED_TARGETS for each in POINTS]
    pairs += [(name, each.name) for name, each in SHIPPED_IMAGES.items()]
    pairs = [pair for pair in pairs if not names or pair[0] in names]
    keys = {name: canonical_json(Component.resolve(datasets, name).identity) for name, _ in pairs}
    found = {key: bands for key, bands in all_bands().items() if key not in keys.values()}
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for (name, _), measured in zip(pairs, pool.map(_measure_shipped, *zip(*pairs, strict=True)), strict=True):
            found.setdefault(keys[name], []).extend(measured)
    lines = [
        f"{json.dumps(key)}: [\n " + ",\n ".join(canonical_json(band.model_dump(mode="json")) for band in column) + "]"
        for key, column in found.items()
    ]
    SHIPPED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
