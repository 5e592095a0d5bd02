"""Precision, recall, density and coverage of nearest-neighbour manifolds, in blocks of bounded memory.

A sample's ball reaches to its k-th nearest neighbour among its own kind. Precision and recall: arXiv:1904.06991,
eq. 2 and 3. Density and coverage: arXiv:2002.09797, eq. 4 and 5.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from genbench.datasets.base import EXACT
from genbench.metrics.samples import SampleMetric

BLOCK = 1024


def radii(points: Tensor, k: int) -> Tensor:
    """Each point's distance to its k-th nearest other point, `(n, features)` to `(n,)`."""
    blocks = [
        torch.cdist(block, points, compute_mode=EXACT).topk(k + 1, largest=False).values[:, -1]
        for block in torch.split(points, BLOCK)
    ]
    return torch.cat(blocks)


class Manifold(SampleMetric):
    """Keeps the reference, its balls and k for the four metrics below."""

    def __init__(self, reference: Tensor, k: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reference, self.k = reference, k
        self.reference_radii = radii(reference, k)

    def inside(self, samples: Tensor) -> Iterator[Tensor]:
        """For blocks of samples, which lie in which reference ball: `(block, reference)` of bool."""
        for block in torch.split(samples, BLOCK):
            yield torch.cdist(block, self.reference, compute_mode=EXACT) < self.reference_radii


class Precision(Manifold):
    """The share of samples inside any reference sample's ball, in [0, 1]."""

    def evaluate(self, samples: Tensor) -> Tensor:
        return torch.cat([block.any(1) for block in self.inside(samples)]).double().mean()


class Recall(Manifold):
    """The share of reference samples inside any sample's ball, in [0, 1]."""

    def evaluate(self, samples: Tensor) -> Tensor:
        reach = radii(samples, self.k)
        hits = [
            (torch.cdist(block, samples, compute_mode=EXACT) < reach).any(1)
            for block in torch.split(self.reference, BLOCK)
        ]
        return torch.cat(hits).double().mean()


class Density(Manifold):
    """How many reference balls a sample lies in, over k; the truth scores about 1, and there is no upper bound."""

    def evaluate(self, samples: Tensor) -> Tensor:
        hits = torch.stack([block.sum() for block in self.inside(samples)]).sum()
        return hits.double() / (self.k * len(samples))


class Coverage(Manifold):
    """The share of reference balls that hold any sample, in [0, 1]."""

    def evaluate(self, samples: Tensor) -> Tensor:
        return torch.stack([block.any(0) for block in self.inside(samples)]).any(0).double().mean()
