"""The Swiss roll of scikit-learn's `make_swiss_roll`, its arc length in closed form, and metrics along it."""

import math
from fractions import Fraction

import numpy as np
from scipy.optimize import brentq, minimize_scalar

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
