"""Trainers at equal steps, updates, samples or seconds, read off their curves; and how soon each reaches a target."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import pandas as pd

from genbench.protocols import Protocol
from genbench.record import Record
from genbench.registry import Reference, metrics
from genbench.stats import ranks

UNITS = ("steps", "updates", "samples", "seconds")
"""What a meter counts; a curve has a column of each."""

SAME_DEVICE = ("device", "cores")
"""What of a record's provenance must be one for seconds to be compared."""


@dataclass(frozen=True)
class Standing:
    """A trainer at an amount that all reached: its metric, one value a seed, None for a failure, and its mean rank."""

    trainer: str
    values: Mapping[int, float | None]
    rank: float

    @property
    def mean(self) -> float | None:
        """Over the seeds that didn't fail."""
        found = [value for value in self.values.values() if value is not None]
        return math.fsum(found) / len(found) if found else None


@dataclass(frozen=True)
class Equal:
    """All trainers after the same `amount` of a unit, the best rank first."""

    unit: str
    amount: float
    standings: tuple[Standing, ...]


@dataclass(frozen=True)
class Reached:
    """How soon a trainer's seeds came to a target: generator steps by seed, None for never."""

    trainer: str
    steps: Mapping[int, float | None]

    @property
    def median(self) -> float:
        """Steps, infinitely many where half of the seeds never came there."""
        return median(math.inf if found is None else found for found in self.steps.values())


def deciding(protocol: Protocol, curves: pd.DataFrame) -> str | None:
    """The metric by which curves are compared: the protocol's deciding one where they have it, or the next best."""
    wanted = (*protocol.deciding, *reversed(protocol.curve))
    return next((name for name in wanted if name in curves and curves[name].notna().any()), None)


def higher_is_better(protocol: Protocol, name: str) -> bool | None:
    """The direction of a protocol's column."""
    reference = Reference.parse(protocol.columns[name])
    direction: bool | None = metrics[reference.name].facts["higher_is_better"]
    return direction


def at_equal(curves: pd.DataFrame, records: Sequence[Record], metric: str, higher: bool, unit: str) -> Equal | None:
    """The trainers of one dataset at the largest amount of `unit` that every finished trial reached.

    `curves` has a row a checkpoint, with `trainer`, `seed`, the units and the metric, between whose values a straight
    line is drawn over the unit's logarithm. Trials that failed are behind all others of their seed. None where
    seconds are of several devices, or nothing was measured.
    """
    if unit == "seconds" and len({tuple(r.provenance.get(key) for key in SAME_DEVICE) for r in records}) > 1:
        return None
    known = curves[(curves[unit] > 0) & curves[metric].notna()]
    if known.empty:
        return None
    amount = float(known.groupby(["trainer", "seed"])[unit].max().min())
    found: dict[str, dict[int, float | None]] = {}
    for record in records:
        found.setdefault(record.trial.trainer.label, {})[record.trial.seed] = None
    for trainer, seed, rows in _each(known):
        along = rows.sort_values(unit)
        value = np.interp(math.log(amount), np.log(along[unit].to_numpy(float)), along[metric].to_numpy(float))
        found.setdefault(trainer, {})[seed] = float(value)
    seeds = sorted({seed for values in found.values() for seed in values})
    places: dict[str, list[float]] = {trainer: [] for trainer in found}
    for seed in seeds:
        running = [trainer for trainer in found if seed in found[trainer]]
        for trainer, rank in zip(running, ranks([found[t][seed] for t in running], higher), strict=True):
            places[trainer].append(rank)
    standings = (Standing(trainer, found[trainer], float(np.mean(places[trainer]))) for trainer in found)
    return Equal(unit, amount, tuple(sorted(standings, key=lambda standing: standing.rank)))


def time_to(curves: pd.DataFrame, records: Sequence[Record], metric: str, target: float) -> list[Reached]:
    """How many generator steps each trainer's seeds took until the metric was first at the target or above."""
    steps: dict[str, dict[int, float | None]] = {}
    for record in records:
        steps.setdefault(record.trial.trainer.label, {})[record.trial.seed] = None
    for trainer, seed, rows in _each(curves[curves[metric] >= target]):
        steps.setdefault(trainer, {})[seed] = float(rows["steps"].min())
    return sorted((Reached(trainer, found) for trainer, found in steps.items()), key=lambda reached: reached.median)


def _each(curves: pd.DataFrame) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """Each trial's rows."""
    for trainer, of_trainer in curves.groupby("trainer"):
        for seed, rows in of_trainer.groupby("seed"):
            yield str(trainer), int(str(seed)), rows
