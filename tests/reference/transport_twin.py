"""Wasserstein distances: by trying every assignment, and by sorting along one line at a time."""

import math
from itertools import permutations


def w2(samples, reference):
    """The cheapest of all n! assignments; n must be small."""
    squares = [[math.dist(x, y) ** 2 for y in reference] for x in samples]
    totals = (
        sum(row[j] for row, j in zip(squares, order, strict=True)) for order in permutations(range(len(reference)))
    )
    return math.sqrt(min(totals) / len(reference))


def sliced_w2(samples, reference, directions):
    """The root of the mean over unit `directions` of the squared one-dimensional distances."""
    squares = []
    for direction in directions:
        left = sorted(sum(a * b for a, b in zip(x, direction, strict=True)) for x in samples)
        right = sorted(sum(a * b for a, b in zip(y, direction, strict=True)) for y in reference)
        squares.append(sum((a - b) ** 2 for a, b in zip(left, right, strict=True)) / len(left))
    return math.sqrt(sum(squares) / len(squares))
