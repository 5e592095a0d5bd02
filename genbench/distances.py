"""Squared distances between points that lose nothing to rounding, in blocks that stay in a processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

FEW = 8
"""Up to so many features, taking them one by one is quicker than torch's own table of distances."""

BLOCK_BYTES = 2**20
DEVICE_BLOCK_BYTES = 2**28
"""A device takes larger blocks, so that it has enough to do."""

EXACT = "donot_use_mm_for_euclid_dist"
"""`torch.cdist`'s way that doesn't lose small distances to rounding."""


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """‖xᵢ − yⱼ‖² of `(…, n, features)` and `(…, m, features)`, as `(…, n, m)`.

    A pair's value depends on the pair alone, so equal pairs tie wherever they stand.
    """
    if x.shape[-1] > FEW:
        return torch.cdist(x, y, compute_mode=EXACT).square_()
    squares = x.new_zeros(())
    for own, other in zip(x.unbind(-1), y.unbind(-1), strict=True):
        squares = (own[..., :, None] - other[..., None, :]).square_().add_(squares)
    return squares


def blocks(x: Tensor, y: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """`squared_distances(x, y)` of `(n, features)` and `(m, features)`, some rows at a time: which, and their table."""
    for those in rows(x, y):
        yield those, squared_distances(x[those], y)


def rows(x: Tensor, y: Tensor) -> list[slice]:
    """Which rows of `x` to hold against all of `y` at a time."""
    block = BLOCK_BYTES if x.device.type == "cpu" else DEVICE_BLOCK_BYTES
    height = max(1, block // (y.element_size() * max(1, len(y))))
    return [slice(start, min(start + height, len(x))) for start in range(0, len(x), height)]
