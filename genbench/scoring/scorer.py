"""From samples to scores: a protocol's metrics on one dataset, each with its identity."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from copy import copy
from dataclasses import dataclass

import torchmetrics
from torch import Tensor

from genbench.datasets.base import Dataset, Finite
from genbench.datasets.images import stored
from genbench.errors import Skip, Undefined
from genbench.metrics.samples import joined
from genbench.metrics.truth import Truth
from genbench.records.record import Identity, Score
from genbench.registry import Reference, metrics
from genbench.scoring.protocols import Protocol

SPLIT = "reference, seed 0"

Updated = dict[tuple[Hashable, int], torchmetrics.Metric]
"""Metrics that have been updated, by what their state is of and by how many samples."""


@dataclass(frozen=True)
class Column:
    """One metric of a protocol as it applies to a dataset: its score but for the value, and the metric itself.

    `metric` is None where the dataset lacks what it needs; the reason stands in `blank`.
    """

    blank: Score
    metric: torchmetrics.Metric | None


class Scorer:
    """Scores samples of one dataset under one protocol; reusable, since metrics keep nothing between calls.

    Args:
        dataset: the dataset whose samples are judged.
        protocol: the way of judging.
        lasting: whether the dataset will be scored again, in this process or another.
    """

    def __init__(self, dataset: Dataset, protocol: Protocol, *, lasting: bool = True) -> None:
        self.protocol = protocol
        self._truth = Truth(dataset, lasting=lasting)
        self._columns = [self._column(name, self._truth) for name in protocol.columns]

    def dealt(self, dataset: Finite) -> Scorer:
        """A scorer of the same dataset dealt anew (see `Finite.dealt`): it shares what was found out of the reference,
        and looks for copies of what now is the training set."""
        other = copy(self)
        other._truth = self._truth.dealt(dataset)
        other._columns = [self._column(name, other._truth) for name in self.protocol.columns]
        return other

    @property
    def blanks(self) -> tuple[Score, ...]:
        """Each column's score but for the value."""
        return tuple(column.blank for column in self._columns)

    @property
    def identities(self) -> dict[str, Identity]:
        """Each column's identity by its name."""
        return {column.blank.name: column.blank.identity for column in self._columns}

    def __call__(self, samples: Tensor, bands: Mapping[str, Score] | None = None) -> tuple[Score, ...]:
        """Scores `(n, *event)` samples, the first ones where a metric wants fewer; `bands` fill in null bands.

        Images, floats in [−1, 1], are rounded to the pixels that are stored of them, which may be given as well.
        """
        samples = stored(samples.detach().cpu())
        updated: Updated = {}
        scores = {}
        # Those of the most samples first: they hold what those of fewer ask for.
        for column in sorted(self._columns, key=lambda column: -column.blank.identity.n):
            scores[column.blank.name] = column.blank.model_copy(update=_found(column, samples, updated))
        return tuple(banded(scores[column.blank.name], bands or {}) for column in self._columns)

    def _column(self, name: str, truth: Truth) -> Column:
        reference = Reference.parse(self.protocol.columns[name])
        entry = metrics[reference.name]
        parameters = entry.resolve(reference.parameters)
        try:
            metric, reason = entry.build(truth, **parameters), None
        except Skip as skip:
            metric, reason = None, str(skip)
        extractor = getattr(metric, "extractor", None)
        blank = Score(
            name=name,
            identity=Identity(
                metric=entry.name,
                version=entry.version,
                parameters=parameters,
                protocol=self.protocol.name,
                protocol_version=self.protocol.version,
                n=int(parameters.get("n") or self.protocol.n),
                split=SPLIT,
                dtype="float32" if len(truth.dataset.event_shape) == 1 else "uint8",
                extractor=f"{extractor.name} {extractor.sha256}" if extractor else None,
                source=entry.sources(parameters),
                protocol_source=self.protocol.source,
            ),
            value=None,
            unit=entry.unit,
            higher_is_better=entry.higher_is_better,
            state="skipped",
            reason=reason,
            added=name in self.protocol.added,
        )
        return Column(blank, metric)


def _found(column: Column, samples: Tensor, updated: Updated) -> dict[str, object]:
    """A score's value, or the reason why there is none."""
    if column.metric is None:
        return {}
    try:
        return {"state": "ok", "reason": None, "value": _value(column, column.metric, samples, updated)}
    except Undefined as undefined:
        return {"state": "undefined", "reason": str(undefined)}
    except Skip as skip:
        return {"reason": str(skip)}


def banded(score: Score, bands: Mapping[str, Score]) -> Score:
    """The score with the null band of its column, where there is one of its identity."""
    band = bands.get(score.name)
    if band is None or band.identity != score.identity:
        return score
    return score.model_copy(update={"null_low": band.null_low, "null_high": band.null_high})


def _value(column: Column, metric: torchmetrics.Metric, samples: Tensor, updated: Updated) -> float:
    """The metric's value on the first of the samples; raises Skip where there are too few.

    Raises Undefined where the value isn't finite.
    """
    n = column.blank.identity.n
    if len(samples) < n:
        raise Skip(f"needs {n} samples and got {len(samples)}")
    metric.reset()
    key = getattr(metric, "state_key", column.blank.name)
    alike = {m: leader for (of, m), leader in updated.items() if of == key and (m == n or _collects(leader))}
    if n in alike:
        _share_state(alike[n], metric)
    elif alike:
        _share_state(next(iter(alike.values())), metric, first=n)
    else:
        metric.update(samples[:n])
    updated.setdefault((key, n), metric)
    value = float(metric.compute())
    if not math.isfinite(value):
        raise Undefined(f"its value is {value}")
    return value


def _collects(metric: torchmetrics.Metric) -> bool:
    """Whether a metric's states are lists of what belongs to a sample each."""
    return all(isinstance(default, list) for default in metric._defaults.values())


def _share_state(leader: torchmetrics.Metric, follower: torchmetrics.Metric, first: int | None = None) -> None:
    """Gives `follower` the states that `leader` has just been updated to, as a MetricCollection's groups do.

    A collection finds its groups by comparing values at the first update, which merges metrics that happen to agree
    there; ours say by their `state_key` which states are equal by construction. Of collected samples, it may be the
    `first` alone.
    """
    for name in leader._defaults:
        state = getattr(leader, name)
        if first is not None:
            state = [joined(state)[:first]]
        setattr(follower, name, list(state) if isinstance(state, list) else state)
    follower._update_count = leader._update_count
    follower._computed = None
