"""Metrics of samples around a curve, such as the Swiss roll."""

from typing import Any

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from genbench.datasets.base import Curve
from genbench.metrics.samples import SampleMetric


class CurveMetric(SampleMetric):
    """Finds each sample's nearest point of the curve."""

    def __init__(self, curve: Curve, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.curve = curve
        self._tree = cKDTree(curve.points.double().numpy())

    def nearest(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Each sample's distance to the curve in noise stds, and the index of the nearest curve point: `(n,)` each."""
        distance, index = self._tree.query(samples.double().numpy())
        return torch.from_numpy(distance) / self.curve.std, torch.from_numpy(index)


class CurveDistance(CurveMetric):
    """The mean distance to the curve in noise stds; the truth scores about √(2/π) = 0.8 (only noise across counts)."""

    def evaluate(self, samples: Tensor) -> Tensor:
        return self.nearest(samples)[0].mean()


class ArcCoverage(CurveMetric):
    """The share of equal stretches of the curve that hold at least `share` of their fair number of near samples.

    A sample is near when it lies closer than `k` noise stds; a stretch's fair number is its true probability
    times the number of samples.
    """

    def __init__(self, curve: Curve, k: float, bins: int, share: float, **kwargs: Any) -> None:
        super().__init__(curve, **kwargs)
        self.k, self.bins, self.share = k, bins, share

    def evaluate(self, samples: Tensor) -> Tensor:
        distance, index = self.nearest(samples)
        stretch = (self.curve.arc / self.curve.arc[-1] * self.bins).long().clamp_(max=self.bins - 1)
        counts = torch.bincount(stretch[index[distance < self.k]], minlength=self.bins)
        fair = torch.bincount(stretch, weights=self.curve.weights, minlength=self.bins) * len(samples)
        return (counts >= (self.share * fair).clamp(min=1e-9)).double().mean()
