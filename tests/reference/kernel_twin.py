"""The unbiased MMD², one pair of points at a time: JMLR 13 (2012) 723-773, eq. 3."""

import math


def mmd(samples, reference, bandwidths):
    def kernel(x, y):
        return sum(math.exp(-(math.dist(x, y) ** 2) / (2 * h * h)) for h in bandwidths) / len(bandwidths)

    def within(points):
        n = len(points)
        return sum(kernel(points[i], points[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))

    between = sum(kernel(x, y) for x in samples for y in reference) / (len(samples) * len(reference))
    return within(samples) + within(reference) - 2 * between
