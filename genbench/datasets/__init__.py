"""The catalogue of datasets. Each function names one, documents it and builds it; torch waits until then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

from genbench.registry import datasets

if TYPE_CHECKING:
    from genbench.datasets.base import Target

dataset = datasets.register

RING_STD = 0.01
GRID_STD = 0.025
ModeCount = Annotated[int, Ge(2), Le(10_000)]
Side = Annotated[int, Ge(2), Le(100)]
Std = Annotated[float, Gt(0)]


@dataset("ring8", citation="arXiv:1712.04086")
def ring8() -> Target:
    """8 Gaussians on a circle: radius √2, std 0.01 of the radius, so that the mixture's std is 1 an axis.

    The centres stand at the angles 2πi/8 for i = 0…7: eight distinct places.
    """
    return ring(modes=8)


@dataset("grid25", citation="arXiv:1712.04086")
def grid25() -> Target:
    """25 Gaussians on a 5 × 5 grid: spacing 1/√2, std 0.025 of the spacing, so that the mixture's std is 1 an axis."""
    return grid(side=5)


@dataset("grid100")
def grid100() -> Target:
    """100 Gaussians on a 10 × 10 grid, with grid25's ratio of std to spacing and its std of 1 an axis."""
    return grid(side=10)


@dataset("ring")
def ring(*, modes: ModeCount = 8, std: Std = RING_STD) -> Target:
    """Gaussians evenly on a circle of radius √2.

    `modes` is their number; `std` is each one's standard deviation in units of the radius.
    """
    from genbench.datasets import mixtures

    return mixtures.ring(modes, std)


@dataset("grid")
def grid(*, side: Side = 5, std: Std = GRID_STD) -> Target:
    """Gaussians on a square grid, scaled so that the centres' standard deviation is 1 an axis.

    `side` is their number along an edge; `std` is each one's standard deviation in units of the spacing.
    """
    from genbench.datasets import mixtures

    return mixtures.grid(side, std)


@dataset("mixture", facts={"files": ("path",)})
def mixture(*, path: str, std: Std) -> Target:
    """Gaussians around the centres that a file lists.

    `path` is a .npy file or a text file with one centre a row, its numbers separated by commas; `std` is each
    Gaussian's standard deviation in the file's own units. A trial's id depends on the file's content.
    """
    from genbench.datasets import mixtures

    return mixtures.from_file(path, std)


@dataset("swissroll", citation="sklearn.datasets.make_swiss_roll")
def swissroll(*, std: Std = 0.25) -> Target:
    """The Swiss roll in the plane: a spiral with noise around it, divided by 7.5.

    `std` is the noise before the division. The points are those of scikit-learn's
    `make_swiss_roll(noise=std)[:, [0, 2]] / 7.5`.
    """
    from genbench.datasets.swissroll import SwissRoll

    return SwissRoll(std)
