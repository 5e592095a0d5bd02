"""Measuring power cards: the smallest change that a column tells from the truth at its n.

The columns are those that protocols decide by, and W2 beside genbench1's, for all datasets whose null bands ship but
`flow-digits`, which has neither modes nor a curve that could be shifted. To measure the shipped cards again, those of
all datasets or of some:

    python -m genbench.scoring.power [DATASET...]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import NamedTuple

from genbench import seeding
from genbench.datasets.base import Dataset, Finite, Target
from genbench.records.record import Score
from genbench.registry import datasets
from genbench.scoring.bands import SHIPPED_IMAGES, SHIPPED_TARGETS, affordable
from genbench.scoring.changes import OF_IMAGES, OF_POINTS, changed_images, changed_points
from genbench.scoring.power_cards import POWER, TOLD, Card, Change, Effect, all_cards
from genbench.scoring.protocols import Protocol, protocol
from genbench.scoring.scorer import Scorer
from genbench.scoring.shipped import all_bands
from genbench.spec import Component, canonical_json

OF_TARGETS = ("genbench1", "pacgan2018", "veegan2017")
BESIDE = {"genbench1": ("w2",)}
"""Columns that decide nothing, but that people go by."""

DRAWS, FEWER_DRAWS, FEWEST_DRAWS = 40, 10, 5
"""Of each size of a change: of points, of W2, which takes half a second, and of images, which take several."""


class Place(NamedTuple):
    """A column of a protocol on a dataset."""

    dataset: str
    protocol: str
    column: str

    @property
    def draws(self) -> int:
        if self.dataset in SHIPPED_IMAGES:
            return FEWEST_DRAWS
        return FEWER_DRAWS if self.column == "w2" else DRAWS


def measure(place: Place, dataset: Dataset, band: Score) -> Card:
    """The card of a column with that null band."""
    way = protocol(place.protocol)
    judge = Scorer(dataset, way.only([place.column]))
    return Card(
        dataset=place.dataset,
        dataset_key=_key(place.dataset),
        column=place.column,
        identity=band.identity,
        draws=place.draws,
        effects=tuple(effect(dataset, judge, band, change, place.draws) for change in OF_POINTS),
    )


def effect(dataset: Dataset, judge: Scorer, band: Score, change: Change, draws: int) -> Effect:
    """The smallest size of a change at which `TOLD` of so many draws lie outside the band, by bisection."""
    sizes, unit = (OF_IMAGES if isinstance(dataset, Finite) else OF_POINTS)[change]
    low, high = 0, len(sizes)
    while low < high:
        middle = (low + high) // 2
        values = [_value(dataset, judge, change, sizes[middle], seed) for seed in range(draws)]
        if sum(_outside(value, band) for value in values) >= TOLD * draws:
            high = middle
        else:
            low = middle + 1
    least = sizes[low] if low < len(sizes) else None
    return Effect(change=change, unit=unit, least=least, mildest=sizes[0], strongest=sizes[-1])


def _value(dataset: Dataset, judge: Scorer, change: Change, size: float, seed: int) -> float | None:
    """The score of one draw of a changed truth; None where it has none."""
    rng = seeding.stream(seed, f"{seeding.POWER_DATA}/{change}")
    n = judge.protocol.n
    if isinstance(dataset, Finite):
        deal = dataset.dealt(rng)
        (score,) = judge.dealt(deal)(changed_images(deal, change, size, n, rng))
    else:
        assert isinstance(dataset, Target)
        (score,) = judge(changed_points(dataset, change, size, n, rng))
    return score.value


def _outside(value: float | None, band: Score) -> bool:
    """Whether a value, or having none, is not what the truth scores."""
    assert band.null_low is not None and band.null_high is not None
    return value is None or not band.null_low <= value <= band.null_high


def _key(dataset: str) -> str:
    return canonical_json(Component.resolve(datasets, dataset).identity)


def _band(place: Place) -> Score | None:
    """The shipped band of a column; None where it doesn't apply to the dataset."""
    candidates = (b for b in all_bands().get(_key(place.dataset), ()) if b.identity.protocol == place.protocol)
    return next((band for band in candidates if band.name == place.column and band.null_low is not None), None)


def places(names: Sequence[str]) -> list[Place]:
    """Where cards are measured: each protocol's deciding column on each of the datasets that has a band there."""
    ways = [(name, protocol(way)) for name in SHIPPED_TARGETS for way in OF_TARGETS]
    ways += [(name, affordable(protocol(way))) for name, way in SHIPPED_IMAGES.items()]
    return [
        place
        for name, way in ways
        if not names or name in names
        for place in (Place(name, way.name, column) for column in _columns(way))
        if _band(place) is not None
    ]


def _columns(way: Protocol) -> Iterator[str]:
    yield way.deciding[0]
    yield from BESIDE.get(way.name, ())


def _measure(place: Place) -> Card:
    import torch

    torch.set_num_threads(1)
    band = _band(place)
    assert band is not None
    return measure(place, datasets.build(place.dataset), band)


def main(names: Sequence[str]) -> None:
    """Measures the shipped cards of the named datasets, all by default, and puts each in its place when it is done."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        tasks = sorted(places(names), key=lambda place: -place.draws)
        running = {pool.submit(_measure, place): place for place in tasks}
        for done in as_completed(running):
            _put(running[done], done.result())


def _put(place: Place, card: Card) -> None:
    """Puts a card in the place of an earlier one; those of columns that are measured no more are left out."""
    all_cards.cache_clear()
    held = {Place(known.dataset, known.identity.protocol, known.column): known for known in all_cards()} | {place: card}
    lines = [canonical_json(held[each].model_dump(mode="json")) for each in places(()) if each in held]
    POWER.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    print(f"{place.dataset}, {place.protocol}: {place.column}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
