"""Precision, recall, density and coverage of nearest-neighbour manifolds, in blocks of bounded memory.

All distances are squared: they only ever are compared.

A sample's ball reaches to its k-th nearest neighbour among its own kind. Precision and recall: arXiv:1904.06991,
eq. 2 and 3. Density and coverage: arXiv:2002.09797, eq. 4 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from genbench.cores import side_by_side
from genbench.distances import rows, squared_distances
from genbench.metrics.observed import Observed

TREE_FEATURES = 8
"""Up to so many features a k-d tree finds neighbours on a processor faster than a table of all distances."""

ROWS = 64
"""So many samples of few features are held against the reference at a time, those that are neighbours in one."""

ROUNDING = 1e-5
"""By what share balls are taken to be wider than they are when it is asked who may lie in them."""


class Hits(NamedTuple):
    """Who lies in whose ball.

    `around` `(samples,)` counts the reference balls that hold each sample; `covered` `(reference,)` says which
    reference balls hold any sample, and `recalled` `(reference,)` which reference samples lie in any sample's ball.
    """

    around: Tensor
    covered: Tensor
    recalled: Tensor


class Neighbourhood(NamedTuple):
    """Reference samples `(n, features)` and the squared `radii` `(n,)` of their balls to the k-th neighbour.

    It tells who lies in whose ball: one table of distances for the four metrics.
    """

    reference: Tensor
    radii: Tensor
    k: int

    @classmethod
    def of(cls, reference: Tensor, k: int) -> Neighbourhood:
        """The balls of reference samples."""
        return cls(reference, radii(reference, k), k)

    def __call__(self, observed: Observed) -> Hits:
        samples = observed.samples
        reach = radii(samples, self.k)
        if by_tree(samples):
            return self._among_near(samples, reach)

        def hits(those: slice) -> Hits:
            squares = squared_distances(samples[those], self.reference)
            inside = squares < self.radii
            return Hits(inside.sum(1), inside.any(0), (squares < reach[those, None]).any(0))

        parts = side_by_side(hits, rows(samples, self.reference), alone=samples.device.type != "cpu")
        around, covered, recalled = zip(*parts, strict=True)
        return Hits(torch.cat(around), torch.stack(covered).any(0), torch.stack(recalled).any(0))

    def _among_near(self, samples: Tensor, reach: Tensor) -> Hits:
        """The same, from those pairs alone that may lie in a ball."""
        around = torch.zeros(len(samples), dtype=torch.long)
        covered = torch.zeros_like(self.radii, dtype=torch.bool)
        recalled = torch.zeros_like(covered)
        for these, columns, squares in self._near(samples, reach):
            inside = squares < self.radii[columns]
            around[these] += inside.sum(1)
            covered[columns] |= inside.any(0)
            recalled[columns] |= (squares < reach[these, None]).any(0)
        return Hits(around, covered, recalled)

    def _near(self, samples: Tensor, reach: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Samples and reference samples, some of each at a time, with the squared distances between them.

        Those that lie further apart along the first feature than any ball reaches are left out.
        """
        place, order = self.reference[:, 0].sort()
        for these in torch.split(samples[:, 0].argsort(), ROWS):
            widest = torch.maximum(self.radii.max(), reach[these].max()).sqrt() * (1 + ROUNDING)
            own = samples[these, 0]
            first, last = torch.searchsorted(place, torch.stack([own[0] - widest, own[-1] + widest])).tolist()
            columns = order[first:last]
            yield these, columns, squared_distances(samples[these], self.reference[columns])


def by_tree(points: Tensor) -> bool:
    """Whether neighbours are found faster by a tree, or by order, than by a table of all distances."""
    return points.device.type == "cpu" and points.shape[1] <= TREE_FEATURES


def radii(points: Tensor, k: int) -> Tensor:
    """Each point's squared distance to its k-th nearest other point, `(n, features)` to `(n,)`."""
    if by_tree(points):
        # The tree only finds the neighbour: all distances come from one function, or a tie would be none.
        there = points.numpy()
        nearest = torch.from_numpy(cKDTree(there).query(there, [k + 1])[1])
        return squared_distances(points[:, None], points[nearest]).flatten()

    def kth(those: slice) -> Tensor:
        squares = squared_distances(points[those], points)
        return squares.topk(k + 1, largest=False).values[:, -1]

    return torch.cat(side_by_side(kth, rows(points, points), alone=points.device.type != "cpu"))


def precision(observed: Observed, near: Neighbourhood) -> Tensor:
    """The share of samples inside any reference sample's ball, in [0, 1]."""
    return (observed.once(near).around > 0).double().mean()


def recall(observed: Observed, near: Neighbourhood) -> Tensor:
    """The share of reference samples inside any sample's ball, in [0, 1]."""
    return observed.once(near).recalled.double().mean()


def density(observed: Observed, near: Neighbourhood) -> Tensor:
    """How many reference balls a sample lies in, over k; the truth scores about 1, and there is no upper bound."""
    return observed.once(near).around.double().mean() / near.k


def coverage(observed: Observed, near: Neighbourhood) -> Tensor:
    """The share of reference balls that hold any sample, in [0, 1]."""
    return observed.once(near).covered.double().mean()
