"""The maximum mean discrepancy with fixed Gaussian kernels."""

from __future__ import annotations

import math
from copy import copy
from functools import cached_property

import torch
from torch import Tensor

from genbench import seeding
from genbench.cores import side_by_side
from genbench.distances import blocks
from genbench.errors import Skip
from genbench.metrics.observed import Observed

BANDWIDTHS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
UNDERFLOW = -700.0
"""Below it an exponential counts for nothing in double precision, and takes six times as long."""


def mmd(observed: Observed, reference: Tensor, within: Tensor) -> Tensor:
    """The unbiased estimate of MMD² under a mean of Gaussian kernels. JMLR 13 (2012) 723–773, eq. 3.

    The bandwidths are fixed, in data units, so that values of different models can be compared; being unbiased,
    the estimate is negative about half of the time where the distributions agree. `within` is `mean_kernel(reference)`.
    """
    x, y = observed.samples.double(), reference.double()
    between = x.new_zeros(())
    for _, squares in blocks(x, y):
        between += _kernel(squares).sum()
    return mean_kernel(x) + within - 2 * between / (len(x) * len(y))


def mean_kernel(points: Tensor) -> Tensor:
    """The mean kernel over pairs of different points `(n, features)`, each pair taken once."""
    x = points.double()
    total = x.new_zeros(())
    for rows, squares in blocks(x, x):
        total += _kernel(squares[:, rows.start :]).triu_(1).sum()
    return 2 * total / (len(x) * (len(x) - 1))


def _kernel(squares: Tensor) -> Tensor:
    """The mean of the Gaussian kernels at squared distances; that of half a bandwidth is the fourth power."""
    total, kernel, wider = torch.zeros_like(squares), squares, math.inf
    for h in sorted(BANDWIDTHS, reverse=True):
        if 2 * h == wider:
            kernel.square_().square_()
        else:
            kernel = (squares / (-2 * h**2)).clamp_(min=UNDERFLOW).exp_()
        total += kernel
        wider = h
    return total / len(BANDWIDTHS)


class SubsetPairs:
    """Random subsets of n samples, and of the reference `(m, features)` that they are held against: always the same.

    Raises Skip where there are fewer of either than `size`.
    """

    def __init__(self, reference: Tensor, n: int, count: int, size: int) -> None:
        if (fewest := min(n, len(reference))) < size:
            raise Skip(f"subsets of {size} were asked for and there are {fewest} samples")
        self.reference, self.n, self.count, self.size = reference, n, count, size
        rng = seeding.stream(0, seeding.SUBSETS)
        pairs = [[torch.randperm(each, generator=rng)[:size] for each in (n, len(reference))] for _ in range(count)]
        self.places = torch.stack([torch.stack(pair) for pair in pairs]).to(reference.device)
        """Of the samples and of the reference, `(count, 2, size)`."""

    @cached_property
    def within(self) -> list[Tensor]:
        """What the pairs within each of the reference's subsets add."""
        alone, places = self.reference.device.type != "cpu", self.places[:, 1].unbind()
        return side_by_side(lambda own: _within(self.reference[own].double()), places, alone=alone)

    def to(self, device: torch.device | str) -> SubsetPairs:
        """The same subsets on a device."""
        other = copy(self)
        other.reference, other.places = self.reference.to(device), self.places.to(device)
        if "within" in self.__dict__:
            other.__dict__["within"] = [each.to(device) for each in self.within]
        return other


def subset_mmd(observed: Observed, subsets: SubsetPairs) -> Tensor:
    """The unbiased estimate of MMD² under (x·y/d + 1)³, averaged over random subsets of both. arXiv:1801.01401.

    Other subsets are made of another number of samples than `subsets` are for; raises Skip for too few.
    """
    if len(observed) != subsets.n:
        subsets = SubsetPairs(subsets.reference, len(observed), subsets.count, subsets.size)

    def value(i: int) -> Tensor:
        own, others = subsets.places[i]
        return _mmd(observed.samples[own].double(), subsets.reference[others].double(), within[i])

    within = subsets.within
    alone = observed.samples.device.type != "cpu"
    return torch.stack(side_by_side(value, range(subsets.count), alone=alone)).mean()


def unbiased_mmd(x: Tensor, y: Tensor) -> Tensor:
    """MMD² of as many `x` as `y` `(n, d)` under (x·y/d + 1)³, without the pairs of a sample with itself."""
    return _mmd(x, y, _within(y))


def _mmd(x: Tensor, y: Tensor, within: Tensor) -> Tensor:
    n = len(x)
    between: Tensor = _table(x, y).sum()
    return (_within(x) + within) / (n * (n - 1)) - 2 * between / n**2


def _within(x: Tensor) -> Tensor:
    """The kernel summed over the pairs of different points."""
    table = _table(x, x)
    return table.sum() - table.trace()


def _table(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1).pow_(3)
