"""The maximum mean discrepancy with fixed Gaussian kernels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench import seeding
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


def subset_mmd(observed: Observed, reference: Tensor, subsets: int, size: int) -> Tensor:
    """The unbiased estimate of MMD² under (x·y/d + 1)³, averaged over random subsets of both. arXiv:1801.01401.

    Raises Skip where there are fewer samples, or of `reference` `(m, features)`, than `size`.
    """
    both = observed.samples, reference
    if (fewest := min(map(len, both))) < size:
        raise Skip(f"subsets of {size} were asked for and there are {fewest} samples")
    rng = seeding.stream(0, seeding.SUBSETS)
    values = [
        unbiased_mmd(*(each[torch.randperm(len(each), generator=rng)[:size]].double() for each in both))
        for _ in range(subsets)
    ]
    return torch.stack(values).mean()


def unbiased_mmd(x: Tensor, y: Tensor) -> Tensor:
    """MMD² of as many `x` as `y` `(n, d)` under (x·y/d + 1)³, without the pairs of a sample with itself."""
    n, d = x.shape
    within = [(each @ each.T / d + 1).pow_(3) for each in (x, y)]
    between: Tensor = (x @ y.T / d + 1).pow_(3).sum()
    return sum(table.sum() - table.trace() for table in within) / (n * (n - 1)) - 2 * between / n**2
