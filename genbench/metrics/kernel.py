"""The maximum mean discrepancy with fixed Gaussian kernels."""

import math
from typing import Any

import torch
from torch import Tensor

from genbench import seeding
from genbench.distances import blocks
from genbench.errors import Skip
from genbench.metrics.samples import SampleMetric

BANDWIDTHS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
UNDERFLOW = -700.0
"""Below it an exponential counts for nothing in double precision, and takes six times as long."""


class MaximumMeanDiscrepancy(SampleMetric):
    """The unbiased estimate of MMD² under a mean of Gaussian kernels. JMLR 13 (2012) 723–773, eq. 3.

    The bandwidths are fixed, in data units, so that values of different models can be compared; being unbiased,
    the estimate is negative about half of the time where the distributions agree.
    """

    def __init__(self, reference: Tensor, bandwidths: tuple[float, ...] = BANDWIDTHS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reference = reference.double()
        self.bandwidths = bandwidths
        self.within_reference = self._within(self.reference)

    def evaluate(self, samples: Tensor) -> Tensor:
        x, y = samples.double(), self.reference
        between = x.new_zeros(())
        for _, squares in blocks(x, y):
            between += self._kernel(squares).sum()
        return self._within(x) + self.within_reference - 2 * between / (len(x) * len(y))

    def _within(self, x: Tensor) -> Tensor:
        """The mean kernel over pairs of different samples, each pair looked at once."""
        total = x.new_zeros(())
        for rows, squares in blocks(x, x):
            total += self._kernel(squares[:, rows.start :]).triu_(1).sum()
        return 2 * total / (len(x) * (len(x) - 1))

    def _kernel(self, squares: Tensor) -> Tensor:
        """The mean of the Gaussian kernels at squared distances; that of half a bandwidth is the fourth power."""
        total, kernel, wider = torch.zeros_like(squares), squares, math.inf
        for h in sorted(self.bandwidths, reverse=True):
            if 2 * h == wider:
                kernel.square_().square_()
            else:
                kernel = (squares / (-2 * h**2)).clamp_(min=UNDERFLOW).exp_()
            total += kernel
            wider = h
        return total / len(self.bandwidths)


def subset_mmd(x: Tensor, y: Tensor, subsets: int, size: int) -> Tensor:
    """The unbiased estimate of MMD² under (x·y/d + 1)³, averaged over random subsets of both. arXiv:1801.01401.

    `x` and `y` are features `(n, d)` and `(m, d)`. Raises Skip where either has fewer than `size`.
    """
    if min(len(x), len(y)) < size:
        raise Skip(f"subsets of {size} were asked for and there are {min(len(x), len(y))} samples")
    rng = seeding.stream(0, seeding.SUBSETS)
    found = [
        unbiased_mmd(*(each[torch.randperm(len(each), generator=rng)[:size]].double() for each in (x, y)))
        for _ in range(subsets)
    ]
    return torch.stack(found).mean()


def unbiased_mmd(x: Tensor, y: Tensor) -> Tensor:
    """MMD² of as many `x` as `y` `(n, d)` under (x·y/d + 1)³, without the pairs of a sample with itself."""
    n, d = x.shape
    within = [(each @ each.T / d + 1).pow_(3) for each in (x, y)]
    between: Tensor = (x @ y.T / d + 1).pow_(3).sum()
    return sum(table.sum() - table.trace() for table in within) / (n * (n - 1)) - 2 * between / n**2
