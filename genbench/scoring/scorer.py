"""From samples to scores: a protocol's metrics on one dataset, each with its identity."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import partial
from typing import NamedTuple

import torch
import torchmetrics
from torch import Tensor

from genbench.cores import aside
from genbench.datasets.base import Dataset, Finite
from genbench.datasets.images import stored
from genbench.errors import GenbenchError, Skip, Undefined
from genbench.metrics.observed import Observed, ObservedMetric
from genbench.metrics.truth import Truth
from genbench.records.record import MOST, Identity, Score
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


Said = Tensor | float | Skip | None
"""A value that may still be on the device, or why there is none; None where the blank score says it."""

Begun = Callable[[], list[tuple[Score, ...]]]
"""Waits for the scores of each replica's samples."""


class Scorer:
    """Scores samples of one dataset under one protocol; reusable, since metrics keep nothing between calls.

    Args:
        dataset: the dataset whose samples are judged.
        protocol: the way of judging.
        device: where samples are judged.
        lasting: whether the dataset will be scored again, in this process or another.
    """

    def __init__(
        self, dataset: Dataset, protocol: Protocol, *, device: torch.device | str = "cpu", lasting: bool = True
    ) -> None:
        self.protocol, self.device = protocol, torch.device(device)
        self._truth = Truth(dataset, device=device, lasting=lasting)
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
        return self.begin(samples[None], bands, ema)()[0]

    def begin(self, samples: Tensor, bands: Mapping[str, Score] | None = None, ema: float | None = None) -> Begun:
        """Scores the samples of several replicas, `(replicas, n, *event)`, each for itself; otherwise as a call does.

        Metrics that take many sets of samples are given all at once. Those that need the processor go to cores that are
        free, and may still be worked out when this returns. What was computed on a device is brought from it in one go.
        """
        given = samples.shape[1]
        samples = stored(samples.detach().to(self.device), replicas=True)
        wanted = (column.blank.identity.n for column in self._columns)
        observed = Observed(samples[:, : max((n for n in wanted if n <= given), default=0)], replicas=True)
        # First those that are worked out aside, so that they are under way while the others are.
        count = len(samples)
        order = sorted(self._columns, key=lambda column: not getattr(column.metric, "on_host", False))
        begun = {column.blank.name: _begun(column, observed, given) for column in order}

        def scores() -> list[tuple[Score, ...]]:
            said = _brought({name: [value() for value in values] for name, values in begun.items()})
            return [
                tuple(
                    _of_average(banded(_score(column, said[column.blank.name][i], given), bands or {}), ema)
                    for column in self._columns
                )
                for i in range(count)
            ]

        return scores

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
        if metric is not None and truth.device.type != "cpu":
            metric = metric.to("cpu" if getattr(metric, "on_host", False) else truth.device)
        return Applied(blank, metric)


def banded(score: Score, bands: Mapping[str, Score]) -> Score:
    """The score with the null band of its column, where there is one of its identity."""
    band = bands.get(score.name)
    if band is None or band.identity != score.identity:
        return score
    return score.model_copy(update={"null_low": band.null_low, "null_high": band.null_high})


def _begun(column: Applied, observed: Observed, given: int) -> list[Callable[[], Said]]:
    """What waits for a column's value on each replica's samples, of which so many are given."""
    n, metric = column.blank.identity.n, column.metric
    if metric is None or given < n:
        return [lambda: None for _ in observed.samples]
    part = observed.first(n)
    if isinstance(metric, ObservedMetric) and metric.replicas:
        values = _said(column, part)
        split = values.unbind() if isinstance(values, Tensor) else [values for _ in part.samples]
        return [partial(_identity, value) for value in split]
    if isinstance(metric, ObservedMetric) and metric.on_host:
        seen = metric.seen(part)
        there = zip(seen.samples.cpu(), seen.logits.cpu(), strict=True)
        return [aside(partial(_said, column, Observed(*own), seen=True)) for own in there]
    return [partial(_identity, _said(column, each)) for each in part.each()]


def _said(column: Applied, observed: Observed, seen: bool = False) -> Said:
    """A metric's value on some samples, or of each replica's, or why there is none; genbench's own share what they make
    of the samples, which may have been `seen` through the metric's extractor already.

    Raises GenbenchError for a metric that changes them.
    """
    metric, version = column.metric, observed.samples._version
    assert metric is not None
    try:
        if isinstance(metric, ObservedMetric):
            value: Said = metric.value(observed) if seen else metric.of(observed)
        else:
            metric.reset()
            metric.update(observed.samples)
            value = metric.compute()
        if not isinstance(value, Tensor) or (value.device.type == "cpu" and not value.dim()):
            value = float(value)  # type: ignore[arg-type]
    except Skip as skip:
        value = skip
    if observed.samples._version != version:
        raise GenbenchError(
            f"The metric {column.blank.name} changes the samples that it is given, which others look at: let it work "
            "on a copy, samples.clone()."
        )
    return value


def _brought(said: Mapping[str, Sequence[Said]]) -> dict[str, list[float | Skip | None]]:
    """The same with all values as numbers, which leave the device together."""
    tensors = [value for values in said.values() for value in values if isinstance(value, Tensor)]
    there = tensors[0].device if tensors else None
    numbers = iter(torch.stack([value.double().to(there) for value in tensors]).tolist() if tensors else [])
    return {
        name: [next(numbers) if isinstance(value, Tensor) else value for value in values]
        for name, values in said.items()
    }


def _score(column: Applied, said: float | Skip | None, given: int) -> Score:
    """A column's score of some of the given samples: its value, or the reason why there is none."""
    blank, undefined = column.blank, getattr(column.metric, "undefined", None)
    n = blank.identity.n
    if isinstance(said, float) and abs(said) <= MOST:
        return blank.model_copy(update={"state": "ok", "reason": None, "value": said})
    if isinstance(said, float):
        reason = undefined if undefined is not None and math.isnan(said) else f"its value is {said}"
        return blank.model_copy(update={"state": "undefined", "reason": reason})
    if said is not None:
        state = "undefined" if isinstance(said, Undefined) else "skipped"
        return blank.model_copy(update={"state": state, "reason": str(said)})
    if column.metric is not None:
        return blank.model_copy(update={"reason": f"needs {n} samples and got {given}"})
    return blank


def _identity(said: Said) -> Said:
    return said


def _of_average(score: Score, ema: float | None) -> Score:
    if ema is None:
        return score
    return score.model_copy(update={"identity": score.identity.model_copy(update={"ema": ema})})
