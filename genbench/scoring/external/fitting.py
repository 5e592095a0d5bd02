"""An array of anyone's, as samples of a dataset: its shape, type and range are checked, and every value is finite."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from genbench.datasets.files.arrays import Array
from genbench.errors import GenbenchError
from genbench.scoring.external import Samples

Event = tuple[int, ...]

SLACK = 1e-3
"""How far beyond [−1, 1] images may lie: rounding, a quarter of a grey level."""

DARK, FEW = 0.5, 0.05
"""Images that lie in [0, 1], but for what resizing overshoots, go nowhere below −0.5, and below 0 in few pixels."""


def fitted(array: Array, event_shape: Event, name: str, drop_nonfinite: bool = False) -> Samples:
    """`array` as samples `(n, *event)`: points in single precision, images as uint8 or as floats in [−1, 1].

    Raises GenbenchError, which begins with `name`, for another shape, type or range, for no samples at all, and for
    samples that aren't finite unless `drop_nonfinite` leaves them out.
    """
    laid_out = _laid_out(array, event_shape, name)
    if not len(laid_out):
        raise GenbenchError(f"{name} holds no samples.")
    if len(event_shape) == 3 and laid_out.dtype == np.uint8:
        if laid_out.max() == 1:
            raise GenbenchError(
                f"{name} holds pixels of 0 and 1 alone, and pixels go from 0 to 255: multiply them by 255."
            )
        return Samples(torch.from_numpy(np.ascontiguousarray(laid_out)))
    if laid_out.dtype.kind != "f":
        wanted = "uint8, or floats in [−1, 1]" if len(event_shape) == 3 else "floats, say samples.astype('float32')"
        raise GenbenchError(f"{name} holds values of type {laid_out.dtype}. Give {wanted}.")
    with np.errstate(over="ignore"):  # what single precision can't hold becomes infinite, and is counted below
        floats = np.ascontiguousarray(laid_out, np.float32)
    samples = _finite(floats, name, drop_nonfinite)
    if len(event_shape) == 3:
        _check_range(samples.values, name)
    return samples


def _laid_out(array: Array, event_shape: Event, name: str) -> Array:
    """The array with channels first."""
    given, layouts = array.shape[1:], [event_shape]
    if len(event_shape) == 3:
        channels, height, width = event_shape
        layouts += [(height, width, channels)] + ([(height, width)] if channels == 1 else [])
    if not array.ndim or given not in layouts:
        wanted = " or ".join(_shape(("n", *layout)) for layout in dict.fromkeys(layouts))
        raise GenbenchError(
            f"{name} holds an array of shape {_shape(array.shape)}, and samples of this dataset come as {wanted}. "
            "Reshape it, or give another --dataset."
        )
    if layouts.count(given) > 1 and event_shape[0] > 1:
        raise GenbenchError(f"{name}: of {_shape(array.shape)}, which axis is the channels' can't be told.")
    if given == event_shape:
        return array
    return np.moveaxis(array.reshape(len(array), height, width, channels), -1, 1)


def _finite(floats: Array, name: str, drop: bool) -> Samples:
    whole = np.asarray(np.isfinite(floats).reshape(len(floats), -1).all(1))
    bad = len(whole) - int(whole.sum())
    if not bad:
        return Samples(torch.from_numpy(floats))
    if bad == len(whole):
        raise GenbenchError(f"{name}: all {bad} samples hold NaN or infinity. There is nothing to score.")
    if not drop:
        raise GenbenchError(
            f"{name}: {bad} of {len(whole)} samples hold NaN or infinity, the first of them at place "
            f"{int(whole.argmin())}. Mend what made them, or score the others: --drop-nonfinite"
        )
    return Samples(torch.from_numpy(floats[whole]), bad)


def _check_range(images: Tensor, name: str) -> None:
    low, high = images.min().item(), images.max().item()
    if low < -1 - SLACK or high > 1 + SLACK:
        problem = "images in floats lie in [−1, 1]"
        cause = "pixels from 0 to 255 kept as floats" if low >= -SLACK and high > 2 else "another scale"
    elif low > -DARK and (images < 0).float().mean().item() < FEW:
        problem = "images in floats lie in [−1, 1], where these would have no dark half"
        cause = "images scaled to [0, 1]" + ("" if low >= 0 else ", some of whose pixels a resize took below 0")
    else:
        return
    raise GenbenchError(
        f"{name} holds floats from {low:.4g} to {high:.4g}, and {problem}. It looks like {cause}: "
        "scale them, or give uint8 from 0 to 255."
    )


def _shape(sizes: tuple[int | str, ...]) -> str:
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"
