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

BELOW = -0.01
"""Dim images whose least is below this lie in [−½, ½]; above it, in [0, 1] and overshot by a resize."""

GREY = 128
"""Half of all grey levels, which images of bytes go beyond somewhere."""

OVERSHOOT = 1.5
"""How far noise, a resize or a missing tanh take images beyond their scale."""

NARROWEST, WIDEST = 1e-6, 1e9
"""What single precision can map onto [−1, 1]."""


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
        if not NARROWEST <= found.white - found.black <= WIDEST or max(map(abs, found)) > WIDEST:
            raise GenbenchError(f"--range {text} is no range. Give the values of black and white: --range 0,1, say.")
        return found


PIXELS, FLOATS, UNIT = Range(0, 255), Range(-1, 1), Range(0, 1)
"""The usual ones, of uint8 and of floats, and the one that is most often meant."""


def scaled(images: Tensor, given: Range | None, name: str) -> Tensor:
    """Images whose black and white are `given` as uint8 or as floats in [−1, 1].

    Raises GenbenchError, which begins with `name`, for values beyond that, and where none is given for images of
    another scale than usual.
    """
    if given is None:
        _check_usual(images, name)
        return images
    if given != (FLOATS if images.is_floating_point() else PIXELS):
        images = (images.float() - given.black) * (2 / (given.white - given.black)) - 1
    if images.is_floating_point():
        _check_within(images, given, name)
    return images


def _check_within(images: Tensor, given: Range, name: str) -> None:
    low, high = images.min().item(), images.max().item()
    if not (low >= -1 - SLACK and high <= 1 + SLACK):
        least, most = (given.black + (end + 1) / 2 * (given.white - given.black) for end in (low, high))
        raise GenbenchError(
            f"{name} holds pixels from {least:.4g} to {most:.4g}, beyond --range {given}. Clip them, or give their own."
        )


def _check_usual(images: Tensor, name: str) -> None:
    low, high = images.min().item(), images.max().item()
    varied = low < high  # images that collapsed onto one colour may have any
    if not images.is_floating_point():
        if varied and high < GREY:
            raise GenbenchError(
                f"{name} holds pixels from {low:g} to {high:g}, and they go from 0 to 255. Say what black and white "
                f"are: --range 0,{high:g}, say, or --range {PIXELS} if all is so dark."
            )
        return
    dark, light = (part.float().mean().item() for part in (images < DARK, images > -DARK))
    if low < -1 - SLACK or high > 1 + SLACK:
        problem, advice = "images in floats lie in [−1, 1]", _beyond(low, high, dark)
    elif varied and min(dark, light) < FEW:
        lacking = "dark" if dark < FEW else "light"
        problem = f"images in floats lie in [−1, 1], where these would have next to no {lacking} pixels"
        advice = f"{_within(low, high, dark)} Or say --range {FLOATS} if they are as they are meant."
    else:
        return
    raise GenbenchError(f"{name} holds floats from {low:.4g} to {high:.4g}, and {problem}. {advice}")


def _beyond(low: float, high: float, dark: float) -> str:
    """What to do about floats that leave [−1, 1]."""
    if low >= -SLACK and DIM <= high <= PIXELS.white + SLACK:
        return f"It looks like pixels from 0 to 255 kept as floats: --range {PIXELS}."
    if max(-low, high) <= OVERSHOOT:
        unit = dark < FEW and low > DARK
        scale, said = ("[0, 1]", f", and say --range {UNIT}") if unit else ("[−1, 1]", "")
        return f"It looks like images scaled to {scale} that noise or a resize took beyond it: clip them{said}."
    return (
        "It looks like another scale, or like standardised images. Say what black and white are, "
        f"--range {low:.6g},{high:.6g} if it is the least and the most of these."
    )


def _within(low: float, high: float, dark: float) -> str:
    """What to do about floats that leave half of [−1, 1] empty."""
    if DARK - SLACK <= low < BELOW and high <= -DARK + SLACK:
        return "It looks like images scaled to [−½, ½]: --range -0.5,0.5."
    if dark < FEW and high > -DARK:
        overshot = ", some of whose pixels noise or a resize took below 0: clip them, and say" if low < -SLACK else ":"
        return f"It looks like images scaled to [0, 1]{overshot} --range {UNIT}."
    return f"Say what black and white are, --range {low:.6g},{high:.6g} if it is the least and the most of these."
