"""What a metric keeps to: a number of a set of samples, in any order, that tells worse ones from the truth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, cached_property
from typing import Any

import torch
import torchmetrics
from torch import Tensor

from genbench.contract.digits import digits
from genbench.contract.findings import Broken, number, require
from genbench.contract.streams import global_streams_left_alone, stream
from genbench.datasets.base import Dataset, Finite, Target
from genbench.datasets.images import stored
from genbench.errors import GenbenchError, Skip
from genbench.metrics.models import UNSAID
from genbench.metrics.observed import Observed, ObservedMetric
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

SPLITTING = {"fd_infinity": 0.2, "kd": 0.1, "class_score": 0.1}
"""By how much of its value a metric may move that splits its samples, when they come in another order."""

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
        if any(reason.endswith(UNSAID) for reason in reasons):
            raise Skip(UNSAID)
        raise GenbenchError(
            f"The metric {self.entry.name} applies to nothing that it could be checked on: {'; '.join(reasons)}. "
            "Give a dataset: --dataset NAME"
        )


def on_few(entry: Entry, given: Mapping[str, Value]) -> dict[str, Value]:
    """A metric's parameters for few samples, over them the given ones; raises BadParameter."""
    return entry.resolve({key: few for key, few in FEW.items() if key in entry.annotations} | dict(given))


def value(metric: torchmetrics.Metric, *pieces: Tensor) -> float:
    """Its value on samples that come in pieces."""
    metric.reset()
    for piece in pieces:
        metric.update(piece)
    return float(metric.compute())


def is_one_number(case: MetricCase) -> str:
    """It gives one finite number, and draws from no global stream."""
    with global_streams_left_alone("It"):
        metric = case.built()
        metric.update(case.samples)
        computed = metric.compute()
    require(
        isinstance(computed, Tensor) and computed.shape == (),
        f"compute gives {_what(computed)}: return a tensor of one number.",
    )
    require(
        bool(torch.isfinite(computed)), f"Its value is {computed.item()} on {N} samples: raise api.Undefined instead."
    )
    return f"It is {number(computed.item())} on {N} samples of {case.place} that are a little off."


def pieces_are_the_whole(case: MetricCase) -> str:
    """Samples may come in batches of any size."""
    metric, samples = case.built(), case.samples
    whole, pieces = value(metric, samples), value(metric, samples[:1], samples[1:150], samples[150:])
    require(
        _near(pieces, whole),
        f"It is {number(whole)} in one update and {number(pieces)} in three of the same samples: collect in update and "
        "work in compute, or sum.",
    )
    return "The size of updates doesn't matter."


def order_does_not_matter(case: MetricCase) -> str:
    """The same samples in another order have the same value."""
    metric, samples = case.built(), case.samples
    before = value(metric, samples)
    for seed in range(DRAWS):
        after = value(metric, samples[torch.randperm(N, generator=stream(seed))])
        require(
            _near(after, before, SPLITTING.get(case.entry.name, 1e-6)),
            f"It is {number(before)}, and {number(after)} with the same samples in another order.",
        )
    return "The order of samples doesn't matter."


def forgets_at_reset(case: MetricCase) -> str:
    """After `reset`, earlier samples don't count."""
    metric = case.built()
    before = value(metric, case.samples)
    value(metric, case.fresh(1))
    after = value(metric, case.samples)
    require(after == before, f"After reset it is {number(after)} and not {number(before)}: use add_state.")
    return "reset forgets all samples."


def leaves_samples_alone(case: MetricCase) -> str:
    """The samples that it is given stay as they are."""
    given, metric = case.fresh(0), case.built()
    version = given._version  # which counts changes that leave all values as they are, too
    value(metric, given)
    if isinstance(metric, ObservedMetric):  # which keeps copies, and is spared them where scores are made
        metric.of(Observed(given))
    require(given._version == version, "It changes the samples that it is given: let it work on a copy.")
    return "The samples that it is given stay as they are."


def tells_worse_from_the_truth(case: MetricCase) -> str:
    """Samples that are worse than the truth's own score worse, in the direction that is declared."""
    direction = case.entry.higher_is_better
    mean = sum(case.of_truth) / DRAWS
    scatter = max(case.of_truth) - min(case.of_truth)
    gaps = {name: score - mean for name, score in case.of_changed.items()}
    told = {name: gap for name, gap in gaps.items() if abs(gap) > 2 * scatter + 1e-12}
    right = [name for name, gap in told.items() if direction is None or direction == (gap < 0)]
    wrong = [name for name in told if name not in right]
    require(
        bool(told),
        f"Nothing moves it: it is {number(mean)} on the truth, and much the same on {', '.join(gaps)}.",
    )
    require(
        len(right) >= len(wrong),
        f"It declares that {'higher' if direction else 'lower'} is better, and is {number(mean)} on the truth and "
        + ", ".join(f"{number(case.of_changed[name])} on {name}" for name in wrong)
        + ".",
    )
    return f"It is {number(mean)} on the truth and tells it from {', '.join(right)}."


def stays_within_its_bounds(case: MetricCase) -> str:
    """Its values keep to the bounds that it declares, and are whole where it counts."""
    low, high = case.entry.bounds
    require(low is None or high is None or low < high, f"bounds={(low, high)} are none: the lower one comes first.")
    for name, score in {"the truth": case.of_truth[0], **case.of_changed}.items():
        require(
            (low is None or low <= score) and (high is None or score <= high),
            f"It declares values from {_end(low)} to {_end(high)}, and is {number(score)} on {name}.",
        )
        whole = not case.entry.whole or score == round(score)
        require(whole, f"It declares whole numbers, and is {number(score)} on {name}.")
    return f"Its values lie from {_end(low)} to {_end(high)}."


def says_its_unit_and_direction(case: MetricCase) -> str:
    """Tables and axes say what the numbers are of, and which are better."""
    unit, direction = case.entry.unit, case.entry.higher_is_better
    require(isinstance(unit, str) and bool(unit.strip()), f"unit={unit!r} must say what its values are of.")
    require(direction in (True, False, None), f"higher_is_better={direction!r} must be True, False or None.")
    best = {True: "higher is better", False: "lower is better", None: "the truth's own value is best"}
    return f"Its values are {unit}: {best[direction]}."


def runs_on_the_samples_device(case: MetricCase) -> str:
    """Moved to a device, it takes samples of that device."""
    if not torch.cuda.is_available():
        raise Skip("no device but the processor is at hand")
    expected, metric = value(case.built(), case.samples), case.built().to("cuda")
    there = value(metric, case.samples.to("cuda"))
    require(_near(there, expected, 1e-3), f"It is {number(expected)} on the processor and {number(there)} on CUDA.")
    return "It gives the same on the processor and on CUDA."


CHECKS = (
    says_its_unit_and_direction,
    is_one_number,
    pieces_are_the_whole,
    order_does_not_matter,
    forgets_at_reset,
    leaves_samples_alone,
    tells_worse_from_the_truth,
    stays_within_its_bounds,
    runs_on_the_samples_device,
)


def _near(actual: float, expected: float, apart: float = 1e-9) -> bool:
    return math.isclose(actual, expected, rel_tol=apart, abs_tol=1e-12)


def _end(bound: float | None) -> str:
    return "anything" if bound is None else number(bound)


def _what(computed: Any) -> str:
    return f"a tensor of shape {tuple(computed.shape)}" if isinstance(computed, Tensor) else repr(computed)
