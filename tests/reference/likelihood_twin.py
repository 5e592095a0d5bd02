"""True log densities and the cross-entropy, one sample at a time."""

import math

import numpy as np
from reference import curve_twin


def mixture_log_prob(x, centres, std):
    d = len(centres[0])
    exponents = [-(math.dist(x, centre) ** 2) / (2 * std * std) for centre in centres]
    top = max(exponents)
    total = sum(math.exp(exponent - top) for exponent in exponents) / len(centres)
    return top + math.log(total) - d / 2 * math.log(2 * math.pi * std * std)


def swissroll_log_prob(x, noise, points=100_000):
    """The integral over u in (0, 1) of the noise's density around the roll at u, by the midpoint rule."""
    std = noise / curve_twin.SCALE
    u = (np.arange(points) + 0.5) / points
    exponents = -((curve_twin.roll(u) - np.asarray(x, dtype=np.float64)) ** 2).sum(1) / (2 * std * std)
    top = exponents.max()
    return top + math.log(np.exp(exponents - top).mean()) - math.log(2 * math.pi * std * std)


def cross_entropy(samples, log_prob):
    return -sum(log_prob(x) for x in samples) / len(samples)
