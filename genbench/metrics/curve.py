"""Metrics of samples around a curve, such as the Swiss roll."""

from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from genbench.datasets.base import Curve
from genbench.metrics.samples import SampleMetric, remember_last


class Nearest(NamedTuple):
    """Of each sample, the distance to the curve in noise stds, and the arc length up to its nearest point: `(n,)`."""

    distance: Tensor
    arc: Tensor


class Projection:
    """Finds nearest points of a curve, taken as straight between its points, once for metrics that share samples."""

    def __init__(self, curve: Curve) -> None:
        self.curve = curve
        self._tree = cKDTree(curve.points.numpy())

    @remember_last
    def nearest(self, samples: Tensor) -> Nearest:
        """Where `(n, features)` samples lie.

        The nearest point lies on one of the two segments that meet in the nearest of the curve's points.
        """
        points, arc = self.curve.points, self.curve.arc
        x = samples.double()
        nearest = torch.from_numpy(self._tree.query(x.numpy())[1])
        start = torch.stack([nearest - 1, nearest]).clamp_(0, len(points) - 2)
        along = points[start + 1] - points[start]
        share = (((x - points[start]) * along).sum(-1) / along.square().sum(-1)).clamp_(0, 1)
        distance, side = (points[start] + share[..., None] * along - x).norm(dim=-1).min(0)
        reached = torch.lerp(arc[start], arc[start + 1], share).gather(0, side[None])[0]
        return Nearest(distance / self.curve.std, reached)


class CurveMetric(SampleMetric):
    """Asks where the samples lie along a curve."""

    def __init__(self, projection: Projection, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.projection = projection


class CurveDistance(CurveMetric):
    """The mean distance to the curve in noise stds; the truth scores about √(2/π) = 0.8 (only noise across counts)."""

    def evaluate(self, samples: Tensor) -> Tensor:
        return self.projection.nearest(samples).distance.mean()


class ArcCoverage(CurveMetric):
    """The share of equal stretches of the curve that hold at least `share` of their fair number of near samples.

    A sample is near when it lies closer than `k` noise stds; a stretch's fair number is its true probability
    times the number of samples.
    """

    def __init__(self, projection: Projection, k: float, bins: int, share: float, **kwargs: Any) -> None:
        super().__init__(projection, **kwargs)
        self.k, self.bins, self.share = k, bins, share

    def evaluate(self, samples: Tensor) -> Tensor:
        distance, reached = self.projection.nearest(samples)
        arc, mass = self.projection.curve.arc.numpy(), self.projection.curve.mass.numpy()
        edges = np.linspace(0, arc[-1], self.bins + 1)
        counts, _ = np.histogram(reached[distance < self.k].numpy(), edges)
        fair = np.diff(np.interp(edges, arc, mass)) * len(samples)
        return torch.from_numpy((counts > 0) & (counts >= self.share * fair)).double().mean()
