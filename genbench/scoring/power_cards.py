"""Power cards, which come with genbench: what a column can tell from the truth. Imports no torch.

A card says, of one column on one dataset, how large a change of the truth must be for at least four of five draws of
it to lie outside the null band. `genbench.scoring.power` measures them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

from genbench.records.record import Identity
from genbench.spec import Frozen

POWER = Path(__file__).with_name("power.json")
TOLD = 0.8
"""The least share of draws outside the null band at which a change is told."""

Change = Literal["shift", "shrunken", "widened", "dropped", "noise"]


class Effect(Frozen):
    """How much of a change a column tells from the truth.

    `least` is the smallest of the sizes tried at which it does, None where it doesn't at any; they lie between
    `mildest` and `strongest`. A shift is in stds of a mode or of the noise, of images in pixels; `shrunken` and
    `widened` are what the spread is multiplied by, of images their distance from the mean image; `dropped` is a share
    of the mass, `noise` the share of samples that are uniform.
    """

    change: Change
    unit: str
    least: float | None
    mildest: float
    strongest: float

    @property
    def told(self) -> str:
        """`0.5 stds`, `0.9 × the spread`, `2 % of the mass`: what is told, or up to what nothing is."""
        return self._sized(self.least) if self.least is not None else f"not even {self._sized(self.strongest)}"

    def _sized(self, size: float) -> str:
        if self.change in ("dropped", "noise"):
            return f"{100 * size:.3g} % {self.unit}"
        if self.change != "shift":
            return f"{size:.3g} × {self.unit}"
        return f"{size:.3g} {self.unit.removesuffix('s') if size == 1 else self.unit}"


class Card(Frozen):
    """What one column of a protocol tells from the truth on a dataset, by so many draws of each change.

    `dataset` is its label, `dataset_key` the canonical JSON of its identity, and `identity` that of the column's
    scores.
    """

    dataset: str
    dataset_key: str
    column: str
    identity: Identity
    draws: int
    effects: tuple[Effect, ...]


@cache
def all_cards() -> tuple[Card, ...]:
    """Every card, in the file's order."""
    payload = json.loads(POWER.read_bytes()) if POWER.exists() else []
    return tuple(map(Card.model_validate, payload))


def cards_of(metric: str) -> Iterator[Card]:
    """The cards of a metric's columns."""
    return (each for each in all_cards() if each.identity.metric == metric)


def card(dataset: str, protocol: str, column: str) -> Card | None:
    """The card of a protocol's column on the dataset of that label; None where none was measured."""
    places = {(each.dataset, each.identity.protocol, each.column): each for each in all_cards()}
    return places.get((dataset, protocol, column))
