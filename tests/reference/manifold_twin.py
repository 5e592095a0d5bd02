"""Precision, recall (arXiv:1904.06991), density and coverage (arXiv:2002.09797), one ball at a time."""

import math


def balls(points, k):
    """Each point with its distance to its k-th nearest other point."""
    found = []
    for i, point in enumerate(points):
        others = sorted(math.dist(point, other) for j, other in enumerate(points) if j != i)
        found.append((point, others[k - 1]))
    return found


def holds(ball, x):
    centre, radius = ball
    return math.dist(centre, x) < radius


def precision(samples, reference, k):
    around = balls(reference, k)
    return sum(any(holds(ball, x) for ball in around) for x in samples) / len(samples)


def recall(samples, reference, k):
    return precision(reference, samples, k)


def density(samples, reference, k):
    around = balls(reference, k)
    return sum(holds(ball, x) for x in samples for ball in around) / (k * len(samples))


def coverage(samples, reference, k):
    around = balls(reference, k)
    return sum(any(holds(ball, x) for x in samples) for ball in around) / len(around)
