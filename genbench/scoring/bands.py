"""Null bands: where 95 % of the truth's own scores lie, draw by draw, at the same n.

The bands of genbench's own targets ship with it in `bands.json`, like a table of critical values; those of any
other dataset are measured when they are first needed. To measure shipped ones again, those of all datasets or of some:

    python -m genbench.scoring.bands [DATASET...]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

from genbench import seeding
from genbench.datasets.base import Dataset, Finite
from genbench.records.record import Score
from genbench.references import Reference
from genbench.registry import datasets, extractors
from genbench.scoring.protocols import Protocol, protocol
from genbench.scoring.scorer import Scorer
from genbench.scoring.shipped import SHIPPED, all_bands
from genbench.spec import Component, canonical_json

SHIPPED_TARGETS = ("ring8", "grid25", "grid100", "swissroll")
SHIPPED_IMAGES = {"mnist": "mnist1", "stacked-mnist": "stacked-mnist1", "stacked-mnist-fixed": "meg2019"}
SHIPPED_FLOWS = {"flow-digits": "flow-digits1"}
SHIPPED_OWN = SHIPPED_IMAGES | SHIPPED_FLOWS
"""The datasets whose bands ship: of points under each of `OF_POINTS`, of images and flows under their own protocol."""

OF_POINTS = ("genbench1", "pacgan2018", "veegan2017", "smoke")
MEASURED_DRAWS, MEASURED_DEALS = 200, 40
"""Of points and of images, where no band ships. A band of m draws holds 95 % of all others on average, with a standard
deviation of √(0.95 · 0.05 / (m + 2)): 1.5 % and 3.4 %."""

MASS = 0.95

Bands = dict[str, Score]
"""A band by its column's name: a score without a value."""

Watch = Callable[[float], None]
"""Hears which share of a measurement is done, and may raise to end it."""


class Draws(NamedTuple):
    """How many draws of the truth make a band, and how many others tell how many of them it holds."""

    band: int
    check: int


SHIPPED_DRAWS = Draws(4_000, 2_500)
SHIPPED_DEALS = Draws(100, 100)
MORE_DRAWS, FEWER_DRAWS = Draws(10_000, 10_000), Draws(2_000, 2_000)
"""Of few samples, and of metrics that take long."""

SLOW = ("w2", "mmd", "precision", "recall", "density", "coverage", "cross_entropy")
"""Metrics of points that take longer than all others: W2 half a second."""


def bands(component: Component, dataset: Dataset, scorer: Scorer, watch: Watch = lambda share: None) -> Bands:
    """The null band of each of the scorer's columns: the shipped one, or measured where none fits.

    Measuring takes minutes; `watch` hears along the way which share of it is done, and may raise to end it.
    """
    ready = shipped(component, scorer)
    lacking = unshipped(component, scorer)
    if not lacking:
        return ready
    draws = MEASURED_DEALS if isinstance(dataset, Finite) else MEASURED_DRAWS
    rest = Scorer(dataset, scorer.protocol.only(lacking), device=scorer.device) if ready else scorer
    return ready | measure(dataset, rest, draws, watch)


def shipped(component: Component, scorer: Scorer) -> Bands:
    """The bands that ship with genbench and fit the scorer's columns."""
    return {
        band.name: band
        for band in all_bands().get(canonical_json(component.identity), ())
        if band.identity == scorer.identities.get(band.name)
    }


def unshipped(component: Component, scorer: Scorer) -> list[str]:
    """The columns whose bands have to be measured."""
    ready = shipped(component, scorer)
    return [name for name in affordable(scorer.protocol).columns if name not in ready]


def shipped_draws(band: Score, dataset: str) -> Draws:
    """How many draws make and check a band that ships."""
    if dataset in SHIPPED_OWN:
        return SHIPPED_DEALS
    if band.identity.metric in SLOW:
        return FEWER_DRAWS
    return MORE_DRAWS if band.identity.protocol == OF_POINTS[-1] else SHIPPED_DRAWS


def affordable(whole: Protocol) -> Protocol:
    """A protocol without what goes through costly extractors, which take hours for all the draws of a band."""
    return whole.only([name for name, metric in whole.columns.items() if not _is_costly(metric)])


def _is_costly(metric: str) -> bool:
    name = Reference.parse(metric).parameters.get("extractor")
    return name in extractors and extractors[str(name)].costly


def measure(dataset: Dataset, scorer: Scorer, draws: int, watch: Watch = lambda share: None) -> Bands:
    """The 2.5 % and 97.5 % quantiles of each column over `draws` draws of the truth."""
    drawn: list[tuple[Score, ...]] = []
    for scores in _drawn(dataset, scorer, draws, seeding.NULL_DATA):
        watch(len(drawn) / draws)
        drawn.append(scores)
    columns = zip(*drawn, strict=True)
    return {column[0].name: _band(column) for column in columns}


def checked(dataset: Dataset, scorer: Scorer, made: Bands, draws: int) -> Bands:
    """The bands with the share of `draws` other draws of the truth that lie inside each."""
    columns = zip(*_drawn(dataset, scorer, draws, seeding.NULL_CHECK), strict=True)
    return {column[0].name: _checked(made[column[0].name], column) for column in columns}


def _drawn(dataset: Dataset, scorer: Scorer, draws: int, role: str) -> Iterator[tuple[Score, ...]]:
    """Scores of draws of the truth, each from the stream of that role and the draw's own number.

    Of finitely many samples each draw deals anew what is held out and what is trained with, as the oracle does: see
    `Finite.dealt`.
    """
    if not isinstance(dataset, Finite):
        n = scorer.protocol.n
        yield from (scorer(dataset.sample(n, seeding.stream(seed, role))) for seed in range(draws))
        return
    judge = Scorer(dataset, affordable(scorer.protocol), device=scorer.device)
    for seed in range(draws):
        rng = seeding.stream(seed, role)
        again = dataset.dealt(rng)
        part = again.held_out
        yield judge.dealt(again)(part.distinct(min(scorer.protocol.n, len(part)), rng))


def _band(scores: Sequence[Score]) -> Score:
    values = [score.value for score in scores if score.value is not None]
    if not values:
        return scores[0]
    # At the places p(m + 1) of m values in order, beyond which a share p of others lies on average.
    low, high = np.quantile(values, [(1 - MASS) / 2, (1 + MASS) / 2], method="weibull")
    changed = {"value": None, "null_low": float(low), "null_high": float(high), "null_draws": len(values)}
    return scores[0].model_copy(update=changed)


def _checked(band: Score, scores: Sequence[Score]) -> Score:
    values = [score.value for score in scores if score.value is not None]
    if not values or band.null_low is None or band.null_high is None:
        return band
    inside = sum(band.null_low <= value <= band.null_high for value in values)
    return band.model_copy(update={"null_coverage": inside / len(values)})


class _Task(NamedTuple):
    """Some columns of a protocol on a dataset, with as many draws each."""

    dataset: str
    protocol: str
    columns: tuple[str, ...]
    draws: Draws


def _tasks(names: Sequence[str]) -> Iterator[_Task]:
    for name in SHIPPED_TARGETS:
        for way in map(protocol, OF_POINTS if name in names else ()):
            groups: dict[Draws, list[str]] = {}
            for band in Scorer(datasets.build(name), way).blanks:
                groups.setdefault(shipped_draws(band, name), []).append(band.name)
            yield from (_Task(name, way.name, tuple(columns), draws) for draws, columns in groups.items())
    for name, of in SHIPPED_OWN.items():
        if name in names:
            yield _Task(name, of, tuple(affordable(protocol(of)).columns), SHIPPED_DEALS)


def _measure_shipped(task: _Task) -> Bands:
    import torch

    torch.set_num_threads(1)
    dataset, whole = datasets.build(task.dataset), protocol(task.protocol)
    scorer = Scorer(dataset, whole.only(task.columns))
    return checked(dataset, scorer, measure(dataset, scorer, task.draws.band), task.draws.check)


def main(names: Sequence[str]) -> None:
    """Measures the shipped bands of the named datasets, all by default, and puts each in its place when it is done."""
    tasks = sorted(_tasks(names or (*SHIPPED_TARGETS, *SHIPPED_OWN)), key=lambda task: -task.draws.band)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        running = {pool.submit(_measure_shipped, task): task for task in tasks}
        for done in as_completed(running):
            _put(running[done], done.result())


def _put(task: _Task, made: Bands) -> None:
    """Puts a task's bands in the place of earlier ones of the same columns; columns that are gone are left out."""
    order = [canonical_json(Component.resolve(datasets, name).identity) for name in (*SHIPPED_TARGETS, *SHIPPED_OWN)]
    all_bands.cache_clear()
    file = dict(all_bands())
    key = order[(*SHIPPED_TARGETS, *SHIPPED_OWN).index(task.dataset)]
    ways = OF_POINTS if task.dataset in SHIPPED_TARGETS else (SHIPPED_OWN[task.dataset],)
    places = [(way, column) for way in ways for column in protocol(way).columns]
    held = {(band.identity.protocol, band.name): band for band in file.get(key, ())}
    held.update({(task.protocol, column): band for column, band in made.items()})
    file[key] = [held[place] for place in places if place in held]
    lines = [
        f"{json.dumps(key)}: [\n "
        + ",\n ".join(canonical_json(band.model_dump(mode="json")) for band in file[key])
        + "]"
        for key in sorted(file, key=order.index)
    ]
    SHIPPED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{task.dataset}, {task.protocol}: {', '.join(task.columns)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
