"""Metrics of samples around a curve, such as the Swiss roll."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import gammaincinv
from torch import Tensor

from genbench.datasets.base import Curve
from genbench.distances import blocks
from genbench.metrics.histogram import Histogram, counted
from genbench.metrics.manifold import by_tree
from genbench.metrics.modes import ball_mass, junk_mass
from genbench.metrics.observed import Observed

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

    `(…, n)` each, of as many replicas as there are. In the plane `left` says whether the sample lies to the left of the
    curve; elsewhere none does.
    """

    distance: Tensor
    arc: Tensor
    left: Tensor


class Projection(NamedTuple):
    """Finds the nearest points of a curve, taken as straight between its points.

    On a processor a tree of the points is quicker than all distances to them; it finds the same.
    """

    curve: Curve
    tree: cKDTree

    @classmethod
    def on(cls, curve: Curve) -> Projection:
        """The projection on a curve."""
        return cls(curve, cKDTree(curve.points.cpu().numpy()))

    def __call__(self, observed: Observed) -> Nearest:
        """The nearest point lies on one of the two segments that meet in the nearest of the curve's points."""
        points, arc = self.curve.points, self.curve.arc
        lead, x = observed.samples.shape[:-1], observed.samples.double().flatten(0, -2)
        if by_tree(x):
            nearest = torch.from_numpy(self.tree.query(x.numpy())[1])
        else:
            nearest = torch.cat([squares.argmin(1) for _, squares in blocks(x, points)])
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
        return Nearest(*(part.reshape(lead) for part in (distance / self.curve.std, reached, left)))


class CurveBins(NamedTuple):
    """Bins closer than `k` noise stds to a curve: along it, away from it and, in the plane, on its two sides.

    `STRETCHES` of equal probability along the curve end at the arc lengths `arcs`, each in `SHELLS` of equal
    probability away from it, between which lie `distances`: quantiles of noise across a straight line, cut off at `k`.
    `weights` and `junk_mass` are what the truth really has of each, where the curve bends and ends as well.
    """

    projection: Projection
    k: float
    arcs: Tensor
    distances: Tensor
    weights: Tensor
    junk_mass: float

    @classmethod
    def around(cls, projection: Projection, k: float) -> CurveBins:
        """The bins around a curve, with the truth's own shares by evenly spread nodes of it.

        Where too few nodes are junk, that is what noise across a straight line leaves, however little. Another bin
        without a node has half of one's share: a sample there costs much, but not everything.
        """
        curve = projection.curve
        across = curve.points.shape[1] - 1
        mass, arc = (each.cpu().numpy() for each in (curve.mass, curve.arc))
        arcs = np.interp(np.linspace(0, 1, STRETCHES + 1)[1:-1], mass, arc)
        shells = np.linspace(0, 1, SHELLS + 1) * ball_mass(k, across)
        distances = np.sqrt(2 * gammaincinv(across / 2, shells))[1:-1]
        along, away = (torch.from_numpy(each).to(curve.arc.device) for each in (arcs, distances))
        bins = cls(projection, k, along, away, torch.ones(0), 0.0)
        counts = bins(Observed(nodes(curve, NODES))).counts
        junk = NODES - float(counts.sum())
        inside = (counts / NODES).clamp(min=0.5 / NODES)
        junk_share = junk / NODES if junk >= ENOUGH_NODES else junk_mass(k, across)
        return bins._replace(weights=inside / inside.sum(), junk_mass=junk_share)

    def __call__(self, observed: Observed) -> Histogram:
        distance, arc, left = observed.once(self.projection)
        sides = 2 if observed.samples.shape[-1] == 2 else 1
        stretch = torch.bucketize(arc, self.arcs, right=True)
        shell = torch.bucketize(distance, self.distances, right=True)
        place = (stretch * SHELLS + shell) * sides + left
        counts = counted(place, STRETCHES * SHELLS * sides, distance < self.k)
        return Histogram(counts, len(observed), self.weights, 1 - self.junk_mass, self.junk_mass)


def curve_distance(observed: Observed, projection: Projection) -> Tensor:
    """The mean distance to the curve in noise stds, `(…)`; the truth's is about √(2/π) = 0.8, of noise across alone."""
    return observed.once(projection).distance.mean(-1)


class Stretches(NamedTuple):
    """Equal stretches of a curve: the arc lengths `edges` between them, and the probability `mass` of each."""

    edges: Tensor
    mass: Tensor

    @classmethod
    def of(cls, curve: Curve, count: int) -> Stretches:
        """So many stretches of a curve."""
        arc, mass = (each.cpu().numpy() for each in (curve.arc, curve.mass))
        edges = np.linspace(0, arc[-1], count + 1)
        parts = edges[1:-1], np.diff(np.interp(edges, arc, mass))
        return cls(*(torch.from_numpy(part).to(curve.arc.device) for part in parts))


def arc_coverage(observed: Observed, projection: Projection, k: float, stretches: Stretches, share: float) -> Tensor:
    """The share of stretches that hold at least `share` of their fair number of near samples, `(…)`.

    A sample is near when it lies closer than `k` noise stds; a stretch's fair number is its true probability
    times the number of samples.
    """
    distance, reached, _ = observed.once(projection)
    edges, mass = stretches
    counts = counted(torch.bucketize(reached, edges, right=True), len(mass), distance < k)
    return ((counts > 0) & (counts >= share * mass * len(observed))).double().mean(-1)


def nodes(curve: Curve, n: int) -> Tensor:
    """`n` points that are spread as evenly as the truth is: a Sobol sequence, carried to the curve and the noise.

    `n` is a power of two. Nothing is drawn. `(n, features)`, in double precision.
    """
    size = curve.points.shape[1]
    sobol = torch.quasirandom.SobolEngine(size + 1)  # type: ignore[no-untyped-call]
    even = sobol.draw(n, dtype=torch.float64) + 0.5 / n
    along, mass = even[:, 0].numpy(), curve.mass.cpu().numpy()
    centres: list[NDArray[np.float64]] = [np.interp(along, mass, column) for column in curve.points.T.cpu().numpy()]
    noise: Tensor = torch.special.ndtri(even[:, 1:])
    return (noise * curve.std + torch.from_numpy(np.stack(centres, 1))).to(curve.points.device)
