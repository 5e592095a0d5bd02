"""Wasserstein distances between samples and as many reference samples."""

from __future__ import annotations

import math

import numpy as np
import ot
import torch
from torch import Generator, Tensor

from genbench.distances import squared_distances
from genbench.errors import Skip
from genbench.metrics.observed import Observed

MOST_PIVOTS = 10_000_000
"""Where POT's network simplex gives up; it needs some tens of thousands for 2 000 points."""


def w2(observed: Observed, reference: Tensor) -> float:
    """The exact 2-Wasserstein distance between two samples of equal size, by the network simplex, on the processor.

    Raises ValueError for samples that aren't finite, and RuntimeError where the simplex ends before the optimum: POT
    itself would return a number for both.
    """
    samples = _as_many(observed, len(reference)).cpu()
    if not samples.isfinite().all():
        raise ValueError("the samples are not all finite")
    cost = squared_distances(samples.double(), reference.cpu().double())
    uniform = np.full(len(cost), 1 / len(cost))
    squared, told = ot.emd2(uniform, uniform, cost.numpy(), numItermax=MOST_PIVOTS, log=True)
    if told["warning"]:
        raise RuntimeError(f"the network simplex ended before the optimum: {told['warning']}")
    return math.sqrt(squared)


def sliced_w2(observed: Observed, lines: Tensor, reference: Tensor) -> Tensor:
    """The 2-Wasserstein distance along lines `(features, directions)`, averaged in the square. arXiv:1804.01947, eq. 5.

    `reference` are the places of reference samples along them, as `along` gives them. `()`, or of several replicas
    `(replicas,)`.
    """
    samples = _as_many(observed, reference.shape[1])
    return (along(samples, lines) - reference).square().mean((-2, -1)).sqrt()


def directions(features: int, count: int, rng: Generator) -> Tensor:
    """Random unit vectors `(features, count)`, in double precision."""
    lines = torch.randn(features, count, generator=rng, dtype=torch.float64)
    units: Tensor = lines / lines.norm(dim=0)
    return units


def along(points: Tensor, lines: Tensor) -> Tensor:
    """The places of points `(…, n, features)` along each line, in order, `(…, directions, n)`."""
    places = (points.double() @ lines).mT
    return torch.from_numpy(np.sort(places.numpy())) if by_numpy(places) else places.sort(-1).values


def by_numpy(places: Tensor) -> bool:
    """Whether numpy sorts them faster than torch."""
    return places.device.type == "cpu"


def _as_many(observed: Observed, n: int) -> Tensor:
    if len(observed) != n:
        raise Skip(f"needs {n} samples and got {len(observed)}")
    return observed.samples
