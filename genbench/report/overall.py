"""Trainers across a suite's datasets: scores between noise and the truth, their interquartile means, ranks and odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genbench.report.model import Table
from genbench.report.verdict import ORACLE, deciding
from genbench.stats.intervals import Interval, interquartile_mean_interval
from genbench.stats.ranks import improvement_interval, performance_profile, ranks

NOISE = "noise"
LOST = -1.0
"""Less than any score."""

THRESHOLDS = tuple(np.linspace(0, 1, 101).tolist())

Normalised = Mapping[str, Sequence[float | None]]
"""One dataset's scores by trainer; that of a lost run is None."""


@dataclass(frozen=True)
class Overall:
    """A trainer across datasets: its scores' interquartile mean, its mean rank, and how often it beats each other."""

    trainer: str
    mean: Interval
    rank: float
    beats: Mapping[str, Interval]
    profile: tuple[float, ...]
    """At each of THRESHOLDS, the share of its trials that score as much; lost ones never do."""


def overall(tables: Sequence[Table]) -> list[Overall]:
    """The trainers that have runs on every dataset, best mean rank first; none of a single dataset.

    Scores are of each table's deciding column, moved and scaled so that the noise control scores 0 and the oracle 1
    (as with human-normalised scores, arXiv:2108.13264); what is worse than noise counts as noise, and so does a lost
    run, which loses to all others. Datasets without both controls are left out.
    """
    datasets = [scores for table in tables if (scores := normalised(table))]
    if len(datasets) < 2:
        return []
    shared = [trainer for trainer in datasets[0] if all(of.get(trainer) for of in datasets)]
    runs = {trainer: [_or(LOST, of[trainer]) for of in datasets] for trainer in shared}
    overalls = [
        Overall(
            trainer,
            interquartile_mean_interval([_or(0.0, of[trainer]) for of in datasets]),
            float(np.mean([rank for of in datasets for rank in _ranks(of, shared)[trainer]])),
            {other: improvement_interval(runs[trainer], runs[other]) for other in shared if other != trainer},
            tuple(performance_profile([score for of in datasets for score in of[trainer]], THRESHOLDS, True)),
        )
        for trainer in shared
    ]
    return sorted(overalls, key=lambda each: each.rank)


def normalised(table: Table) -> Normalised:
    """Each trainer's scores in a table's deciding column, 0 for noise and 1 for the truth; none without the two."""
    column = deciding(table)
    if column is None:
        return {}
    low, high = (table.control(label, column.name) for label in (NOISE, ORACLE))
    if low is None or high is None or low == high:
        return {}
    return {
        row.label: [*(max(0.0, (value - low) / (high - low)) for value in cell.values), *[None] * cell.lost]
        for row in table.trainers
        for cell in [row.cell(column.name)]
    }


def _or(lost: float, scores: Sequence[float | None]) -> list[float]:
    return [lost if score is None else score for score in scores]


def _ranks(scores: Normalised, trainers: Sequence[str]) -> dict[str, list[float]]:
    """Each trial's rank among all of its dataset, 1 for the best, and failures behind all others."""
    flat = [(trainer, score) for trainer in trainers for score in scores[trainer]]
    places = ranks([score for _, score in flat], True)
    of: dict[str, list[float]] = {trainer: [] for trainer in trainers}
    for (trainer, _), place in zip(flat, places, strict=True):
        of[trainer].append(place)
    return of
