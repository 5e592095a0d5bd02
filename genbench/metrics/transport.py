"""Wasserstein distances between samples and as many reference samples."""

import math
import warnings
from typing import Any

import numpy as np
import ot
import torch
from torch import Generator, Tensor

from genbench.distances import squared_distances
from genbench.errors import Skip
from genbench.metrics.samples import SampleMetric

MOST_PIVOTS = 10_000_000
"""Where POT's network simplex gives up; it needs some tens of thousands for 2 000 points."""


class Wasserstein2(SampleMetric):
    """The exact 2-Wasserstein distance between two samples of equal size, by the network simplex.

    Raises ValueError for samples that aren't finite, and UserWarning where the simplex ends before the optimum: POT
    itself would return a number for both.
    """

    def __init__(self, reference: Tensor, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reference = reference

    def evaluate(self, samples: Tensor) -> float:
        _same_size(samples, self.reference)
        if not samples.isfinite().all():
            raise ValueError("the samples are not all finite")
        cost = squared_distances(samples.double(), self.reference.double())
        uniform = np.full(len(cost), 1 / len(cost))
        with warnings.catch_warnings(action="error"):
            return math.sqrt(ot.emd2(uniform, uniform, cost.numpy(), numItermax=MOST_PIVOTS))


class SlicedWasserstein2(SampleMetric):
    """The 2-Wasserstein distance along lines, averaged in the square over fixed random directions.

    arXiv:1804.01947, eq. 5, with a Monte-Carlo mean over `directions` unit vectors drawn from `rng`.
    """

    def __init__(self, reference: Tensor, directions: int, rng: Generator, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        lines = torch.randn(reference.shape[1], directions, generator=rng, dtype=torch.float64)
        self.lines = lines / lines.norm(dim=0)
        self.reference = reference
        self.sorted_reference = self._sorted(reference)

    def evaluate(self, samples: Tensor) -> Tensor:
        _same_size(samples, self.reference)
        distance: Tensor = (self._sorted(samples) - self.sorted_reference).square().mean().sqrt()
        return distance

    def _sorted(self, points: Tensor) -> Tensor:
        """The points' places along each line, in order, `(directions, n)`; numpy sorts them faster than torch."""
        return torch.from_numpy(np.sort((points.double() @ self.lines).T.numpy()))


def _same_size(samples: Tensor, reference: Tensor) -> None:
    if len(samples) != len(reference):
        raise Skip(f"needs {len(reference)} samples and got {len(samples)}")
