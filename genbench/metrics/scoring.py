"""From samples to scores: a protocol's metrics on one dataset, each with its identity."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass

import torchmetrics
from torch import Tensor

from genbench.datasets.base import Dataset
from genbench.errors import Skip
from genbench.metrics.protocols import Protocol
from genbench.metrics.truth import Truth
from genbench.record import Identity, Score
from genbench.registry import Reference, metrics

SPLIT = "reference, seed 0"


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
        only: the columns to compute, all by default.
    """

    def __init__(self, dataset: Dataset, protocol: Protocol, only: Collection[str] | None = None) -> None:
        self.protocol = protocol
        truth = Truth(dataset)
        names = [name for name in protocol.columns if only is None or name in only]
        self._columns = [self._column(name, truth) for name in names]

    @property
    def identities(self) -> dict[str, Identity]:
        """Each column's identity by its name."""
        return {column.blank.name: column.blank.identity for column in self._columns}

    def __call__(self, samples: Tensor, bands: Mapping[str, Score] | None = None) -> tuple[Score, ...]:
        """Scores `(n, *event)` samples, the first ones where a metric wants fewer; `bands` fill in null bands."""
        samples = samples.detach().cpu().float()
        updated: dict[Hashable, torchmetrics.Metric] = {}
        scores = []
        for column in self._columns:
            found: dict[str, object] = {}
            if column.metric is not None:
                try:
                    found = {"state": "ok", "reason": None, "value": _value(column, column.metric, samples, updated)}
                except Skip as skip:
                    found = {"reason": str(skip)}
            band = (bands or {}).get(column.blank.name)
            if band is not None and band.identity == column.blank.identity:
                found |= {"null_low": band.null_low, "null_high": band.null_high}
            scores.append(column.blank.model_copy(update=found))
        return tuple(scores)

    def _column(self, name: str, truth: Truth) -> Column:
        reference = Reference.parse(self.protocol.columns[name])
        entry = metrics[reference.name]
        parameters = entry.resolve(reference.parameters)
        try:
            metric, reason = entry.build(truth, **parameters), None
        except Skip as skip:
            metric, reason = None, str(skip)
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
                dtype="float32",
            ),
            value=None,
            unit=entry.facts["unit"],
            higher_is_better=entry.facts["higher_is_better"],
            state="skipped",
            reason=reason,
        )
        return Column(blank, metric)


def _value(
    column: Column, metric: torchmetrics.Metric, samples: Tensor, updated: dict[Hashable, torchmetrics.Metric]
) -> float:
    """The metric's value on the first of the samples; raises Skip where there are too few, or it isn't finite."""
    n = column.blank.identity.n
    if len(samples) < n:
        raise Skip(f"needs {n} samples and got {len(samples)}")
    metric.reset()
    leader = updated.setdefault((getattr(metric, "state_key", column.blank.name), n), metric)
    if leader is metric:
        metric.update(samples[:n])
    else:
        _share_state(leader, metric)
    value = float(metric.compute())
    if not math.isfinite(value):
        raise Skip(f"its value is {value}")
    return value


def _share_state(leader: torchmetrics.Metric, follower: torchmetrics.Metric) -> None:
    """Gives `follower` the states that `leader` has just been updated to, as a MetricCollection's groups do.

    A collection finds its groups by comparing values at the first update, which merges metrics that happen to agree
    there; ours say by their `state_key` which states are equal by construction.
    """
    for name in leader._defaults:
        state = getattr(leader, name)
        setattr(follower, name, list(state) if isinstance(state, list) else state)
    follower._update_count = leader._update_count
    follower._computed = None
