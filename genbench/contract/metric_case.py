"""A metric, a dataset that it can be checked on, and the samples that it is checked with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from functools import cache, cached_property

import torch
import torchmetrics
from torch import Tensor

from genbench.contract.digits import digits
from genbench.contract.findings import Broken, number
from genbench.contract.streams import stream
from genbench.datasets.base import Dataset, Finite, Target
from genbench.datasets.images import stored
from genbench.errors import GenbenchError, Skip
from genbench.features.extraction import Recalling
from genbench.metrics.models import UNSAID
from genbench.metrics.observed import ObservedMetric
from genbench.metrics.truth import Truth
from genbench.references import Reference, Value
from genbench.registry import Entry, controls, datasets, metrics

N = 400
"""Samples that a metric is checked on."""

FEW: Mapping[str, Value] = {"n": N, "size": 100, "extractor": "mnist-cnn"}
"""What a metric's own parameters are for so few, where it has them and nobody gives others."""

DIGITS = "printed digits"
PLACES = ("ring8", "swissroll", DIGITS)
"""What metrics are checked on: the first of these that they apply to, unless a dataset is given."""

BRIGHTER = 60
"""Of 255, by how much the pixels of a shifted image are raised."""

DRAWS = 3


@cache
def truth_about(place: str) -> Truth:
    """The truth about a dataset, kept for all metrics; extractors look at each image once."""
    dataset: Dataset = digits() if place == DIGITS else datasets.build(place)
    return Truth(dataset, lasting=False).dealt(dataset)


class MetricCase:
    """A metric and the dataset that it is checked on.

    Args:
        reference: the metric, perhaps with parameters.
        place: the dataset; by default the first of `PLACES` that the metric applies to.

    Raises GenbenchError where it applies to none.
    """

    def __init__(self, reference: str, place: str | None = None) -> None:
        parsed = Reference.parse(reference)
        self.entry = metrics[parsed.name]
        self.parameters = on_few(self.entry, parsed.parameters)
        self.place = place or self._first_place()
        self.truth = truth_about(self.place)
        self.dataset: Dataset = self.truth.dataset

    def built(self) -> torchmetrics.Metric:
        """The metric, built anew; raises Broken where that is none."""
        metric = self.entry.build(self.truth, **self.parameters)
        if not isinstance(metric, torchmetrics.Metric):
            raise Broken(f"{self.entry.name} gave {metric!r}. Let it return a torchmetrics.Metric.")
        return metric

    @cached_property
    def samples(self) -> Tensor:
        """Like the truth, but not quite: `(400, *event)`."""
        if isinstance(self.dataset, Finite):
            noise = torch.randn(N, *self.dataset.event_shape, generator=stream())
            return stored(self.dataset.held_out.distinct(N, stream()) * 0.8 + 0.2 * noise)
        with suppress(Skip):
            return self.truth.target.altered(N, stream(), spread=1.3)
        drawn = self.dataset.sample(N, stream())
        return drawn + 0.1 * drawn.std(0) * torch.randn(drawn.shape, generator=stream(1))

    @cached_property
    def of_truth(self) -> list[float]:
        """Its values on fresh samples of the truth."""
        return [value(self.built(), self.fresh(seed)) for seed in range(DRAWS)]

    @cached_property
    def of_changed(self) -> dict[str, float]:
        """Its values on samples that are worse than the truth, by what was done to them, where it has any."""
        values = {}
        for name, samples in self._changed().items():
            try:
                values[name] = value(self.built(), samples)
            except Skip:
                continue
        return {name: score for name, score in values.items() if math.isfinite(score)}

    def fresh(self, seed: int) -> Tensor:
        """Fresh samples of the truth, as metrics are given them: of the part that nothing else is made of."""
        if isinstance(self.dataset, Finite):
            return stored(self.dataset.held_out.distinct(N, stream(seed)))
        return stored(self.dataset.sample(N, stream(seed)))

    def _changed(self) -> dict[str, Tensor]:
        """Samples that are worse than the truth, each in a way of its own."""
        changed = {f"a shift by {number(share)} stds": moved for share, moved in self._shifted().items()}
        for control in controls:
            if control.name not in ("oracle", "train"):
                try:
                    changed[control.name] = stored(control.build(self.dataset, N, stream(), **control.resolve({})))
                except Skip:
                    continue
        return changed

    def _shifted(self) -> dict[float, Tensor]:
        """The truth moved by so many of the data's own stds, or made brighter by so many of the pixels'."""
        samples = self.fresh(0)
        if samples.dtype == torch.uint8:
            brighter = (samples.int() + BRIGHTER).clamp(max=255).to(torch.uint8)
            return {BRIGHTER / float(samples.double().std()): brighter}
        std = samples.std(0)
        modes = self.dataset.modes if isinstance(self.dataset, Target) else None
        shares = (modes.std / float(std.max()), 1.0) if modes else (0.1, 1.0)
        return {share: samples + share * std for share in shares}

    def _first_place(self) -> str:
        reasons = list[str]()
        for place in PLACES:
            try:
                self.entry.build(truth_about(place), **self.parameters)
            except Skip as skip:
                reasons.append(f"on {place} {skip}")
            else:
                return place
        if unsaid := [reason for reason in reasons if UNSAID in reason]:
            raise Skip(unsaid[0][unsaid[0].index(UNSAID) :])
        raise GenbenchError(
            f"The metric {self.entry.name} applies to nothing that it could be checked on: {'; '.join(reasons)}. "
            "Give a dataset: --dataset NAME"
        )


def on_few(entry: Entry, given: Mapping[str, Value]) -> dict[str, Value]:
    """A metric's parameters for few samples, over them the given ones; raises BadParameter."""
    return entry.resolve({key: few for key, few in FEW.items() if key in entry.annotations} | dict(given))


def apart(metric: torchmetrics.Metric) -> torchmetrics.Metric:
    """A copy that shares nothing with others: it may move, and its extractor recalls no image that it saw elsewhere."""
    own = deepcopy(metric)
    if isinstance(own, ObservedMetric) and isinstance(own.extractor, Recalling):
        own.extractor = own.extractor.extractor
    return own


def value(metric: torchmetrics.Metric, *pieces: Tensor) -> float:
    """Its value on samples that come in pieces."""
    metric.reset()
    for piece in pieces:
        metric.update(piece)
    return float(metric.compute())
