"""Wasserstein distances between samples and as many reference samples."""

from typing import Any

import torch
from scipy.optimize import linear_sum_assignment
from torch import Generator, Tensor

from genbench.datasets.base import EXACT
from genbench.errors import Skip
from genbench.metrics.samples import SampleMetric


class Wasserstein2(SampleMetric):
    """The exact 2-Wasserstein distance between two samples of equal size, by optimal assignment."""

    def __init__(self, reference: Tensor, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reference = reference

    def evaluate(self, samples: Tensor) -> Tensor:
        _same_size(samples, self.reference)
        cost = torch.cdist(samples.double(), self.reference.double(), compute_mode=EXACT).square()
        rows, columns = linear_sum_assignment(cost.numpy())
        return cost[torch.from_numpy(rows), torch.from_numpy(columns)].mean().sqrt()


class SlicedWasserstein2(SampleMetric):
    """The 2-Wasserstein distance along lines, averaged in the square over fixed random directions.

    arXiv:1804.01947, eq. 5, with a Monte-Carlo mean over `directions` unit vectors drawn from `rng`.
    """

    def __init__(self, reference: Tensor, directions: int, rng: Generator, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        lines = torch.randn(reference.shape[1], directions, generator=rng, dtype=torch.float64)
        self.lines = lines / lines.norm(dim=0)
        self.reference = reference
        self.sorted_reference = (reference.double() @ self.lines).T.sort(1).values

    def evaluate(self, samples: Tensor) -> Tensor:
        _same_size(samples, self.reference)
        projected = (samples.double() @ self.lines).T.sort(1).values
        distance: Tensor = (projected - self.sorted_reference).square().mean().sqrt()
        return distance


def _same_size(samples: Tensor, reference: Tensor) -> None:
    if len(samples) != len(reference):
        raise Skip(f"needs {len(reference)} samples and got {len(samples)}")
