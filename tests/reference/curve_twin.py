"""The Swiss roll of scikit-learn's `make_swiss_roll`, its arc length in closed form, and metrics along it."""

import itertools
import math
from fractions import Fraction
from functools import cache

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.spatial.distance import cdist
from scipy.stats import norm

SCALE = 7.5
TIGHT = {"xatol": 1e-12}
FIRST, LAST = 1.5 * math.pi, 4.5 * math.pi


def roll(u):
    """The noiseless points at u in [0, 1], `(n, 2)`."""
    t = FIRST + (LAST - FIRST) * np.asarray(u)
    return np.stack([t * np.cos(t), t * np.sin(t)], -1) / SCALE


def arc_length(t):
    """The length of (t cos t, t sin t)/7.5 from 0 to t: ∫√(1 + s²) ds."""
    return (t * math.sqrt(1 + t * t) + math.asinh(t)) / 2 / SCALE


U = np.linspace(0, 1, 2_001)
COARSE = roll(U)


def nearest(x):
    """The distance from `x` to the roll and the angle t of the nearest point: by search around the best of many."""
    best = np.linalg.norm(COARSE - x, axis=1).argmin()
    around = U[max(best - 1, 0)], U[min(best + 1, len(U) - 1)]
    found = minimize_scalar(lambda u: np.linalg.norm(roll(u) - x), bounds=around, method="bounded", options=TIGHT)
    return found.fun, FIRST + (LAST - FIRST) * found.x


def curve_distance(samples, noise):
    return sum(nearest(x)[0] for x in samples) / len(samples) / (noise / SCALE)


def arc_coverage(samples, noise, k, bins, share):
    """The share of stretches of equal length that hold at least `share` of their true share of the samples."""
    start, whole = arc_length(FIRST), arc_length(LAST) - arc_length(FIRST)
    held = [0] * bins
    for x in samples:
        distance, t = nearest(x)
        if distance < k * noise / SCALE:
            held[min(int((arc_length(t) - start) / whole * bins), bins - 1)] += 1
    edges = [FIRST]
    for i in range(1, bins):
        edges.append(brentq(lambda t, i=i: arc_length(t) - start - whole * i / bins, FIRST, LAST))
    edges.append(LAST)
    captured = 0
    for count, low, high in zip(held, edges, edges[1:], strict=False):
        fair = (high - low) / (LAST - FIRST) * len(samples)
        captured += count > 0 and count >= Fraction(str(share)) * Fraction(fair)
    return captured / bins


def density(x, noise):
    """The roll's density at `x` `(n, 2)`: Gaussians around 2 000 places of it, summed."""
    std, centres = noise / SCALE, roll((np.arange(2_000) + 0.5) / 2_000)
    return np.exp(-cdist(x, centres, "sqeuclidean") / (2 * std**2)).mean(1) / (2 * math.pi * std**2)


def along_and_across(t):
    """The derivative of the roll by t and the unit vector across it, `(n, 2)` each."""
    t = np.asarray(t)
    along = np.stack([np.cos(t) - t * np.sin(t), np.sin(t) + t * np.cos(t)], -1) / SCALE
    return along, np.stack([-along[:, 1], along[:, 0]], -1) / np.linalg.norm(along, axis=1, keepdims=True)


def shells(noise, k, count):
    """The bounds of `count` shells that hold equal shares of |N(0, 1)| below k, in data units."""
    inside = 2 * norm.cdf(k) - 1
    return [noise / SCALE * (k if i == count else norm.ppf(0.5 + i / count * inside / 2)) for i in range(count + 1)]


@cache
def bin_masses(noise, k, stretches, count):
    """How much of the roll lies in each shell to each side of each stretch, and beyond: its density, by Gauss.

    Beside a stretch, area is |∂x/∂t × ∂x/∂r| of x(t, r) = roll(t) + r·across(t); around its two ends the roll has a
    quarter of a disc more on each side. The right side comes first: `across` points to the left.
    """
    nodes, weights = np.polynomial.legendre.leggauss(6)

    def places(low, high):
        return (low + high) / 2 + (high - low) / 2 * nodes, (high - low) / 2 * weights

    bounds, edges = shells(noise, k, count), np.linspace(FIRST, LAST, stretches + 1)
    masses = np.zeros((stretches, count, 2))
    for i, (first, last) in enumerate(itertools.pairwise(edges)):
        t, dt = places(first, last)
        along, across = along_and_across(t)
        bend = (along_and_across(t + 1e-5)[1] - along_and_across(t - 1e-5)[1]) / 2e-5
        for j, (low, high) in enumerate(itertools.pairwise(bounds)):
            for r, dr in zip(*places(low, high), strict=True):
                for side, away in enumerate((-r, r)):
                    x = roll((t - FIRST) / (LAST - FIRST)) + away * across
                    by_t = along + away * bend
                    area = np.abs(by_t[:, 0] * across[:, 1] - by_t[:, 1] * across[:, 0])
                    masses[i, j, side] += (density(x, noise) * area * dt).sum() * dr
    for end, stretch, outwards in ((0.0, 0, -1), (1.0, stretches - 1, 1)):
        along, _ = along_and_across([FIRST + end * (LAST - FIRST)])
        middle = math.atan2(*(outwards * along[0, ::-1]))
        for side in (0, 1):
            first = middle if (outwards == 1) == bool(side) else middle - math.pi / 2
            angle, turn = places(first, first + math.pi / 2)
            for j, (low, high) in enumerate(itertools.pairwise(bounds)):
                for r, dr in zip(*places(low, high), strict=True):
                    x = roll(end) + r * np.stack([np.cos(angle), np.sin(angle)], -1)
                    masses[stretch, j, side] += (density(x, noise) * r * turn).sum() * dr
    return np.append(masses.flatten(), 1 - masses.sum())


def reverse_kl(samples, noise, k, stretches, count):
    """KL(samples ‖ roll) over shells on both sides of stretches of equal probability, and a bin for what is beyond."""
    bounds, held = shells(noise, k, count), [0] * (stretches * count * 2 + 1)
    for x in samples:
        distance, t = nearest(x)
        stretch = min(int((t - FIRST) / (LAST - FIRST) * stretches), stretches - 1)
        shell = sum(distance >= bound for bound in bounds[1:])
        left = np.dot(x - roll((t - FIRST) / (LAST - FIRST)), along_and_across([t])[1][0]) > 0
        held[-1 if shell == count else (stretch * count + shell) * 2 + int(left)] += 1
    p = np.array(held) / len(samples)
    return sum(a * math.log(a / b) for a, b in zip(p, bin_masses(noise, k, stretches, count), strict=True) if a)
