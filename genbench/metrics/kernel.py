"""The maximum mean discrepancy with fixed Gaussian kernels."""

from typing import Any

import torch
from torch import Tensor

from genbench.datasets.base import EXACT
from genbench.metrics.samples import SampleMetric

BANDWIDTHS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
BLOCK = 1024


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
        between = self._sum(x, y) / (len(x) * len(y))
        return self._within(x) + self.within_reference - 2 * between

    def _within(self, x: Tensor) -> Tensor:
        """The mean kernel over pairs of different samples."""
        n = len(x)
        return (self._sum(x, x) - n) / (n * (n - 1))

    def _sum(self, x: Tensor, y: Tensor) -> Tensor:
        total = x.new_zeros(())
        for block in torch.split(x, BLOCK):
            squares = torch.cdist(block, y, compute_mode=EXACT).square_()
            for bandwidth in self.bandwidths:
                total += torch.exp(squares / (-2 * bandwidth**2)).sum()
        return total / len(self.bandwidths)
