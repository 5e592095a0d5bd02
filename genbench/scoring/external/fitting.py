"""An array of anyone's, as samples of a dataset: its shape, type and range are checked, and every value is finite."""

from __future__ import annotations

import numpy as np
import torch

from genbench.datasets.files.arrays import Array
from genbench.errors import GenbenchError
from genbench.scoring.external import Samples
from genbench.scoring.external.scale import Range, scaled

Event = tuple[int, ...]


def fitted(
    array: Array, event_shape: Event, name: str, drop_nonfinite: bool = False, black_and_white: Range | None = None
) -> Samples:
    """`array` as samples `(n, *event)`: points in single precision, images as uint8 or as floats in [−1, 1].

    `black_and_white` are their values in the array, if it isn't as usual.

    Raises GenbenchError, which begins with `name`, for another shape, type or range, for no samples at all, and for
    samples that aren't finite unless `drop_nonfinite` leaves them out.
    """
    laid_out, of_images = _laid_out(array, event_shape, name), len(event_shape) == 3
    if not len(laid_out):
        raise GenbenchError(f"{name} holds no samples.")
    if of_images and laid_out.dtype == np.uint8:
        return Samples(scaled(torch.from_numpy(np.ascontiguousarray(laid_out)), black_and_white, name))
    if laid_out.dtype.kind not in ("fiub" if of_images and black_and_white is not None else "f"):
        wanted = "uint8, floats in [−1, 1], or what black and white are: --range 0,255, say"
        wanted = wanted if of_images else "floats, say samples.astype('float32')"
        raise GenbenchError(f"{name} holds values of type {laid_out.dtype}. Give {wanted}.")
    with np.errstate(over="ignore"):  # what single precision can't hold becomes infinite, and is counted below
        floats = np.ascontiguousarray(laid_out, np.float32)
    samples = _finite(floats, name, drop_nonfinite)
    return samples._replace(values=scaled(samples.values, black_and_white, name)) if of_images else samples


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


def _shape(sizes: tuple[int | str, ...]) -> str:
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"
