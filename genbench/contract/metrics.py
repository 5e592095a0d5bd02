"""What a metric keeps to: a number of a set of samples, in any order, that tells worse ones from the truth."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from genbench.contract.fake_cuda import value_on_fake_cuda
from genbench.contract.findings import Broken, number, require
from genbench.contract.metric_case import DRAWS, MetricCase, N, apart, value
from genbench.contract.streams import global_streams_left_alone, stream
from genbench.engine.torch_internals import needs_numbers
from genbench.errors import Skip
from genbench.metrics.observed import Observed, ObservedMetric

SPLITTING = {"fd_infinity": 0.2, "kd": 0.1, "class_score": 0.1}
"""By how much of its value a metric may move that splits its samples, when they come in another order."""


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
    """Moved to a device, it takes samples of that device; without one it is followed through on a fake."""
    if not torch.cuda.is_available():
        return _runs_on_a_fake_device(case)
    expected, metric = value(case.built(), case.samples), apart(case.built()).to("cuda")
    there = value(metric, case.samples.to("cuda"))
    require(_near(there, expected, 1e-3), f"It is {number(expected)} on the processor and {number(there)} on CUDA.")
    return "It gives the same on the processor and on CUDA."


def _runs_on_a_fake_device(case: MetricCase) -> str:
    metric = case.built()
    if isinstance(metric, ObservedMetric) and metric.on_host:
        return "It is worked out on the processor, as it says, from samples that are brought there."
    try:
        value_on_fake_cuda(metric, case.samples)
    except Exception as error:  # a stranger's metric may raise anything
        if needs_numbers(error):
            raise Skip("it looks at numbers on the host, beyond which only a real device can follow it") from None
        raise Broken(
            f"Moved to a device with samples of that device, it fails: {' '.join(str(error).split())} Let tensors that "
            "it holds be constants of api.observed_metric, or register_buffer them."
        ) from error
    return "It runs where its samples are: on a CUDA device that isn't there it met no tensor of the host."


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
