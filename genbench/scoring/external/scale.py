"""What black and white are in somebody's images: as the user says, or as usual unless they look like something else.

Imports no torch, so that what the user says is read before anything else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from genbench.datasets.files.transforms import DIM
from genbench.errors import GenbenchError

if TYPE_CHECKING:
    from torch import Tensor

SLACK = 1e-3
"""How far beyond [−1, 1] images may lie: rounding, a quarter of a grey level."""

DARK, FEW = -0.5, 0.01
"""Images that lie in [0, 1] or [−½, ½], but for some noise and what resizing overshoots, have so few pixels so dark."""


class Range(NamedTuple):
    """The values of black and white."""

    black: float
    white: float

    def __str__(self) -> str:
        return f"{self.black:g},{self.white:g}"

    @classmethod
    def parse(cls, text: str) -> Range:
        """Reads `0,1`; raises GenbenchError for anything but two numbers in order."""
        try:
            found = cls(*map(float, text.split(",")))
        except (TypeError, ValueError):
            found = cls(math.nan, math.nan)
        if not math.isfinite(found.black) or not math.isfinite(found.white) or found.black >= found.white:
            raise GenbenchError(f"--range {text} is no range. Give the values of black and white: --range 0,1, say.")
        return found


PIXELS, FLOATS = Range(0, 255), Range(-1, 1)
"""The usual ones, of uint8 and of floats."""


def scaled(images: Tensor, given: Range | None, name: str) -> Tensor:
    """Images whose black and white are `given` as uint8 or as floats in [−1, 1].

    Raises GenbenchError, which begins with `name`, for values beyond that, and where none is given for images of
    another scale than usual.
    """
    usual = FLOATS if images.is_floating_point() else PIXELS
    if given is None:
        _check_usual(images, name)
    elif given != usual:
        images = (images.float() - given.black) * (2 / (given.white - given.black)) - 1
        _check_within(images, given, name)
    elif usual == FLOATS:
        _check_within(images, given, name)
    return images


def _check_within(images: Tensor, given: Range, name: str) -> None:
    low, high = images.min().item(), images.max().item()
    if low < -1 - SLACK or high > 1 + SLACK:
        least, most = (given.black + (end + 1) / 2 * (given.white - given.black) for end in (low, high))
        raise GenbenchError(
            f"{name} holds pixels from {least:.4g} to {most:.4g}, beyond --range {given}. Clip them, or give their own."
        )


def _check_usual(images: Tensor, name: str) -> None:
    low, high = images.min().item(), images.max().item()
    varied = low < high  # images that collapsed onto one colour may have any
    if not images.is_floating_point():
        if varied and high < DIM:
            raise GenbenchError(
                f"{name} holds pixels from {low:g} to {high:g}, and they go from 0 to 255. Say what black and white "
                f"are: --range 0,{high:g}, or --range {PIXELS} if all is so dark."
            )
        return
    if low < -1 - SLACK or high > 1 + SLACK:
        problem = "images in floats lie in [−1, 1]"
        cause, likely = "another scale", Range(math.floor(low), math.ceil(high))
        if low >= -SLACK and high > 2:
            cause, likely = "pixels from 0 to 255 kept as floats", PIXELS
    elif varied and (images < DARK).float().mean().item() < FEW:
        problem = "images in floats lie in [−1, 1], where these would have next to no dark pixels"
        if high <= -DARK + SLACK:
            cause, likely = "images scaled to [−½, ½]", Range(-0.5, 0.5)
        else:
            cause, likely = "images scaled to [0, 1]", Range(0, 1)
            cause += "" if low >= 0 else ", some of whose pixels noise or a resize took below 0"
    else:
        return
    raise GenbenchError(
        f"{name} holds floats from {low:.4g} to {high:.4g}, and {problem}. It looks like {cause}. "
        f"Say what black and white are: --range {likely}, say, or --range {FLOATS}."
    )
