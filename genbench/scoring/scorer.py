"""From samples to scores: a protocol's metrics on one dataset, each with its identity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from typing import NamedTuple

import torchmetrics
from torch import Tensor

from genbench.datasets.base import Dataset, Finite
from genbench.datasets.images import stored
from genbench.errors import GenbenchError, Skip, Undefined
from genbench.metrics.observed import Observed, ObservedMetric
from genbench.metrics.truth import Truth
from genbench.records.record import Identity, Score
from genbench.references import Reference
from genbench.registry import metrics
from genbench.scoring.protocols import Protocol

SPLIT = "reference, seed 0"


class Applied(NamedTuple):
    """A protocol's column as it applies to a dataset: its score but for the value, and the metric itself.

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
        self._columns = [self._applied(name, self._truth) for name in protocol.columns]

    def dealt(self, dataset: Finite) -> Scorer:
        """A scorer of the same dataset dealt anew (see `Finite.dealt`): it shares all that is of the reference, and
        looks for copies of what now is the training set."""
        other = copy(self)
        other._truth = self._truth.dealt(dataset)
        other._columns = [self._applied(name, other._truth) for name in self.protocol.columns]
        return other

    @property
    def blanks(self) -> tuple[Score, ...]:
        """Each column's score but for the value."""
        return tuple(column.blank for column in self._columns)

    @property
    def identities(self) -> dict[str, Identity]:
        """Each column's identity by its name."""
        return {column.blank.name: column.blank.identity for column in self._columns}

    def __call__(
        self, samples: Tensor, bands: Mapping[str, Score] | None = None, ema: float | None = None
    ) -> tuple[Score, ...]:
        """Scores `(n, *event)` samples, the first ones where a metric wants fewer; `bands` fill in null bands.

        Images, floats in [−1, 1], are rounded to the pixels that are stored of them, which may be given as well. `ema`
        is the decay of the averaged weights that the samples are of.
        """
        samples = stored(samples.detach().cpu())
        wanted = (column.blank.identity.n for column in self._columns)
        observed = Observed(samples[: max((n for n in wanted if n <= len(samples)), default=0)])
        values = (column.blank.model_copy(update=_value(column, observed, len(samples))) for column in self._columns)
        return tuple(_of_average(banded(score, bands or {}), ema) for score in values)

    def _applied(self, name: str, truth: Truth) -> Applied:
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
                n=self.protocol.wanted(name),
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
        return Applied(blank, metric)


def banded(score: Score, bands: Mapping[str, Score]) -> Score:
    """The score with the null band of its column, where there is one of its identity."""
    band = bands.get(score.name)
    if band is None or band.identity != score.identity:
        return score
    return score.model_copy(update={"null_low": band.null_low, "null_high": band.null_high})


def _value(column: Applied, observed: Observed, given: int) -> dict[str, object]:
    """What a score says of the first of so many given samples: its value, or the reason why there is none."""
    n, metric = column.blank.identity.n, column.metric
    if metric is None:
        return {}
    if given < n:
        return {"reason": f"needs {n} samples and got {given}"}
    version = observed.samples._version
    try:
        value = float(_measured(metric, observed.first(n)))
    except Undefined as undefined:
        return {"state": "undefined", "reason": str(undefined)}
    except Skip as skip:
        return {"reason": str(skip)}
    if observed.samples._version != version:
        raise GenbenchError(
            f"The metric {column.blank.name} changes the samples that it is given, which others look at: let it work "
            "on a copy, samples.clone()."
        )
    if not math.isfinite(value):
        return {"state": "undefined", "reason": f"its value is {value}"}
    return {"state": "ok", "reason": None, "value": value}


def _measured(metric: torchmetrics.Metric, observed: Observed) -> Tensor:
    """A metric's value; genbench's own share what they make of the samples."""
    if isinstance(metric, ObservedMetric):
        return metric.of(observed)
    metric.reset()
    metric.update(observed.samples)
    value: Tensor = metric.compute()
    return value


def _of_average(score: Score, ema: float | None) -> Score:
    if ema is None:
        return score
    return score.model_copy(update={"identity": score.identity.model_copy(update={"ema": ema})})
