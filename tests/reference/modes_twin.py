"""Metrics of a mixture's modes, one sample and one mode at a time."""

import math
from fractions import Fraction

from scipy.integrate import quad


def normal_mass(dimensions, low, high):
    """P(low < |z| < high) of a standard normal z, by integrating the density of |z|."""
    sphere = 2 * math.pi ** (dimensions / 2) / math.gamma(dimensions / 2)
    scale = sphere / (2 * math.pi) ** (dimensions / 2)
    return quad(lambda r: scale * r ** (dimensions - 1) * math.exp(-r * r / 2), low, high, epsabs=0, epsrel=1e-10)[0]


def truncated_second_moment(dimensions, k):
    """E[|z|² | |z| < k] of a standard normal z."""
    sphere = 2 * math.pi ** (dimensions / 2) / math.gamma(dimensions / 2)
    scale = sphere / (2 * math.pi) ** (dimensions / 2)
    total = quad(lambda r: scale * r ** (dimensions + 1) * math.exp(-r * r / 2), 0, k, epsabs=0, epsrel=1e-10)[0]
    return total / normal_mass(dimensions, 0, k)


def high_quality(samples, centres, std, k):
    """For each mode, the samples that are nearest to it and closer than k stds."""
    held = [[] for _ in centres]
    for sample in samples:
        distances = [math.dist(sample, centre) / std for centre in centres]
        nearest = distances.index(min(distances))
        if distances[nearest] < k:
            held[nearest].append(sample)
    return held


def counts(samples, centres, std, k):
    return [len(held) for held in high_quality(samples, centres, std, k)]


def modes_any(samples, centres, std, k):
    return sum(count >= 1 for count in counts(samples, centres, std, k))


def is_fair(count, share, n, modes):
    """count ≥ share · n/M, in exact arithmetic."""
    return count >= Fraction(str(share)) * n / modes


def modes_fair(samples, centres, std, k, share):
    return sum(is_fair(count, share, len(samples), len(centres)) for count in counts(samples, centres, std, k))


def hq(samples, centres, std, k):
    return sum(counts(samples, centres, std, k)) / len(samples)


def reverse_kl(samples, centres, std, k, junk):
    """Σ p ln(p/q); with `junk`, one more bin whose q is what the truth leaves beyond k stds."""
    held = counts(samples, centres, std, k)
    modes, dimensions = len(centres), len(centres[0])
    if junk:
        p = [count / len(samples) for count in held] + [1 - sum(held) / len(samples)]
        q = [normal_mass(dimensions, 0, k) / modes] * modes + [normal_mass(dimensions, k, math.inf)]
    else:
        p = [count / sum(held) for count in held]
        q = [1 / modes] * modes
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def histogram_entropy(samples, centres, std, k):
    """H of the high-quality histogram in nats."""
    held = counts(samples, centres, std, k)
    return -sum(count / sum(held) * math.log(count / sum(held)) for count in held if count)


def jsd(samples, centres, std, k):
    """The mean of both divergences from the mean of both histograms."""
    held = counts(samples, centres, std, k)
    modes, dimensions = len(centres), len(centres[0])
    p = [count / len(samples) for count in held] + [1 - sum(held) / len(samples)]
    q = [normal_mass(dimensions, 0, k) / modes] * modes + [normal_mass(dimensions, k, math.inf)]
    total = 0.0
    for a, b in zip(p, q, strict=True):
        middle = (a + b) / 2
        total += (a * math.log(a / middle) if a else 0) / 2 + b * math.log(b / middle) / 2
    return total


def captured(samples, centres, std, k, share):
    """Each captured mode's centre, samples and their mean."""
    for centre, held in zip(centres, high_quality(samples, centres, std, k), strict=True):
        if is_fair(len(held), share, len(samples), len(centres)) and held:
            yield centre, held, [math.fsum(column) / len(held) for column in zip(*held, strict=True)]


def std_ratio(samples, centres, std, k, share):
    """The mean over captured modes of √(s² / (σ² E[r² | r < k])), s² the variance around the samples' own mean."""
    expected = truncated_second_moment(len(centres[0]), k)
    ratios = [
        math.sqrt(math.fsum(math.dist(x, mean) ** 2 for x in held) / (len(held) - 1) / std**2 / expected)
        for _, held, mean in captured(samples, centres, std, k, share)
        if len(held) > 1
    ]
    return sum(ratios) / len(ratios)


def offset(samples, centres, std, k, share):
    """The mean over captured modes of how many stds their samples' mean lies off the centre."""
    offsets = [math.dist(mean, centre) / std for centre, _, mean in captured(samples, centres, std, k, share)]
    return sum(offsets) / len(offsets)


def truncated_mean(shift, k):
    """E[x] of a standard normal in the plane around (shift, 0), given that it lies closer than k to the origin."""

    def moment(power):
        def strip(x):
            half = math.sqrt(k * k - x * x)
            return x**power * math.exp(-((x - shift) ** 2) / 2) * math.erf(half / math.sqrt(2))

        return quad(strip, -k, k, epsabs=0 if shift else 1e-12, epsrel=1e-10)[0]

    return moment(1) / moment(0)
