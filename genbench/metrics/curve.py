"""Metrics of samples around a curve, such as the Swiss roll."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import gammaincinv
from torch import Tensor

from genbench.datasets.base import Curve
from genbench.metrics.modes import ball_mass, junk_mass, kl_divergence
from genbench.metrics.samples import SampleMetric, remember_last

STRETCHES, SHELLS = 200, 2
"""Bins along the curve and away from it, in the plane on either side: 801 with the junk bin, so that the floor at
10 000 samples is 0.04. A stretch of the Swiss roll is 1.8 noise stds long: gaps of two may go unseen between ends.
"""

NODES = 2**18
"""Of the truth, to find how much of it each bin holds. Being spread evenly, not drawn, so many add a five-hundredth of
the floor at 10 000 samples to the divergence."""

ENOUGH_NODES = 100
"""So many tell the share of the junk bin; what lies further out has to be computed."""


class Nearest(NamedTuple):
    """Of each sample, the distance to the curve in noise stds, the arc length up to its nearest point, and its side.

    `(n,)` each. In the plane `left` says whether the sample lies to the left of the curve; elsewhere none does.
    """

    distance: Tensor
    arc: Tensor
    left: Tensor


class Projection:
    """Finds nearest points of a curve, taken as straight between its points, once for metrics that share samples."""

    def __init__(self, curve: Curve) -> None:
        self.curve = curve
        self.histogram = cache(self._histogram)
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
        away = x - (points[start] + share[..., None] * along)
        distance, segment = away.norm(dim=-1).min(0)
        reached = torch.lerp(arc[start], arc[start + 1], share).gather(0, segment[None])[0]
        left = torch.zeros_like(reached, dtype=torch.bool)
        if x.shape[1] == 2:
            turn = along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0]
            left = turn.gather(0, segment[None])[0] > 0
        return Nearest(distance / self.curve.std, reached, left)

    def _histogram(self, k: float) -> CurveHistogram:
        """The bins closer than `k` noise stds, and what the truth has of each."""
        return CurveHistogram(self, k)


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
        distance, reached, _ = self.projection.nearest(samples)
        arc, mass = self.projection.curve.arc.numpy(), self.projection.curve.mass.numpy()
        edges = np.linspace(0, arc[-1], self.bins + 1)
        counts, _ = np.histogram(reached[distance < self.k].numpy(), edges)
        fair = np.diff(np.interp(edges, arc, mass)) * len(samples)
        return torch.from_numpy((counts > 0) & (counts >= self.share * fair)).double().mean()


class CurveHistogram:
    """A histogram of samples over the curve, the distance to it and, in the plane, its two sides; and the truth's own.

    `STRETCHES` of equal probability along the curve, each in `SHELLS` of equal probability away from it: their bounds
    are quantiles of noise across a straight line, cut off at `k` noise stds. Beyond lies the junk bin, the last one.
    `truth` `(bins + 1,)` is how much of the truth each bin really holds, where the curve bends and ends as well.
    """

    def __init__(self, projection: Projection, k: float) -> None:
        curve = projection.curve
        across = curve.points.shape[1] - 1
        shares = np.linspace(0, 1, SHELLS + 1) * ball_mass(k, across)
        self.k, self.projection, self.sides = k, projection, 2 if across == 1 else 1
        self.distances = torch.from_numpy(np.sqrt(2 * gammaincinv(across / 2, shares)))[1:-1]
        ends = np.linspace(0, 1, STRETCHES + 1)[1:-1]
        self.arcs = torch.from_numpy(np.interp(ends, curve.mass.numpy(), curve.arc.numpy()))
        self.truth = self._truth(junk_mass(k, across))

    def shares(self, samples: Tensor) -> Tensor:
        """How the samples `(n, features)` are shared among the bins, `(bins + 1,)`."""
        distance, arc, left = self.projection.nearest(samples)
        stretch = torch.bucketize(arc, self.arcs, right=True)
        shell = torch.bucketize(distance, self.distances, right=True)
        junk = STRETCHES * SHELLS * self.sides
        place = torch.where(distance < self.k, (stretch * SHELLS + shell) * self.sides + left, junk)
        return place.bincount(minlength=junk + 1).double() / len(samples)

    def _truth(self, straight_junk: float) -> Tensor:
        """The truth's own shares, by evenly spread nodes of it.

        Where too few nodes lie in the junk bin it has what noise across a straight line leaves, however little that
        is. Another bin without a node has half of one's share: a sample there costs much, but not everything.
        """
        found = self.shares(nodes(self.projection.curve, NODES))
        junk = float(found[-1]) if found[-1] * NODES >= ENOUGH_NODES else straight_junk
        inside = found[:-1].clamp(min=0.5 / NODES)
        return torch.cat([inside / inside.sum() * (1 - junk), inside.new_tensor([junk])])


def nodes(curve: Curve, n: int) -> Tensor:
    """`n` points that are spread as evenly as the truth is: a Sobol sequence, carried to the curve and the noise.

    `n` is a power of two. Nothing is drawn. `(n, features)`, in double precision.
    """
    size = curve.points.shape[1]
    sobol = torch.quasirandom.SobolEngine(size + 1)  # type: ignore[no-untyped-call]
    even = sobol.draw(n, dtype=torch.float64) + 0.5 / n
    along, mass = even[:, 0].numpy(), curve.mass.numpy()
    centres: list[NDArray[np.float64]] = [np.interp(along, mass, column) for column in curve.points.T.numpy()]
    noise: Tensor = torch.special.ndtri(even[:, 1:])
    return noise * curve.std + torch.from_numpy(np.stack(centres, 1))


class CurveReverseKL(CurveMetric):
    """KL(samples ‖ truth) in nats over stretches of the curve, its sides, distances to it, and what lies beyond."""

    def __init__(self, projection: Projection, k: float, **kwargs: Any) -> None:
        super().__init__(projection, **kwargs)
        self.histogram = projection.histogram(k)

    def evaluate(self, samples: Tensor) -> Tensor:
        return kl_divergence(self.histogram.shares(samples), self.histogram.truth)
