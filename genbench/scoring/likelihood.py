"""What models say of data that was held out: the data, and the scores that come of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench import seeding
from genbench.datasets.base import Dataset, Finite, Target
from genbench.datasets.images import HALF_RANGE
from genbench.records.record import MOST, Identity, Score
from genbench.references import Reference
from genbench.registry import metrics
from genbench.scoring.protocols import Protocol

SEED = 0
SPLIT = f"held out, seed {SEED}"


def held_out(dataset: Dataset, n: int) -> Tensor:
    """Up to `n` samples `(n, *event)` that no training saw, the same at every call: for all trainers and seeds.

    Of images the pixels carry uniform noise of their own width, so a density can't be infinite at them: Theis, van den
    Oord and Bethge, 2016, arXiv:1511.01844, section 3.1.
    """
    rng = seeding.stream(SEED, seeding.HELD_OUT_DATA)
    if not isinstance(dataset, Finite):
        return dataset.sample(n, rng)
    samples = dataset.held_out.distinct(min(n, len(dataset.held_out)), rng)
    if not _of_pixels(dataset):
        return samples
    return samples + (torch.rand(samples.shape, generator=rng) - 0.5) / HALF_RANGE


def likelihoods(
    log_probs: Tensor, data: Tensor, dataset: Dataset, protocol: Protocol, bound: int | None, ema: float | None
) -> list[Score]:
    """The scores of a model's likelihood under a protocol; of a bound they are called `nll[bound=64]` and the like.

    They are `nll`, of a dataset that knows its density `nll_gap`, and of images `bits_per_dim`.

    Args:
        log_probs: what a model gives for the data, `(n,)` in nats; the first that the protocol scores count.
        data: the `held_out` samples.
        dataset: from which those are.
        protocol: whose columns they stand beside.
        bound: how many draws each takes, of lower bounds; None where they are exact.
        ema: the decay of the averaged weights that gave them.
    """
    counted = log_probs[: protocol.n].double()
    nll = -float(counted.mean())
    values = {"nll": nll}
    if isinstance(dataset, Target):
        values["nll_gap"] = nll + float(dataset.log_prob(data[: protocol.n]).mean())
    if len(dataset.event_shape) == 3:
        # A density of pixels 0 … 255, and not of floats in [−1, 1], is smaller by this much in each dimension.
        scale = math.log(HALF_RANGE) if _of_pixels(dataset) else 0.0
        values["bits_per_dim"] = (nll / math.prod(dataset.event_shape) + scale) / math.log(2)

    def score(name: str, value: float) -> Score:
        entry, fine = metrics[name], abs(value) <= MOST
        return Score(
            name=str(Reference(name, {} if bound is None else {"bound": bound})),
            identity=Identity(
                metric=name,
                version=entry.version,
                parameters={"bound": bound},
                protocol=protocol.name,
                protocol_version=protocol.version,
                protocol_source=protocol.source,
                n=len(counted),
                split=SPLIT,
                dtype=str(log_probs.dtype).removeprefix("torch."),
                ema=ema,
            ),
            value=value if fine else None,
            unit=entry.unit,
            higher_is_better=entry.higher_is_better,
            state="ok" if fine else "undefined",
            reason=None if fine else f"its value is {value}",
            added=True,
        )

    return [score(name, value) for name, value in values.items()]


def _of_pixels(dataset: Dataset) -> bool:
    """Whether its samples are grey levels as floats in [−1, 1], as those of finite datasets of images are."""
    return isinstance(dataset, Finite) and len(dataset.event_shape) == 3
