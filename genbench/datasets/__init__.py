"""The catalogue of datasets. Each function names one, documents it and builds it; torch waits until then."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from genbench.parameters import Home
from genbench.registry import datasets

if TYPE_CHECKING:
    from genbench.datasets.base import Finite, Target
    from genbench.datasets.files.stock import Stock

dataset = datasets.register


def stock_of(module: str, function: str = "stock") -> Callable[..., Stock]:
    """A function of one of this package's modules, which is imported when the function is called."""
    return lambda **parameters: getattr(import_module(f"{__name__}.{module}"), function)(**parameters)


RING_STD = 0.01
GRID_STD = 0.025
ModeCount = Annotated[int, Ge(2), Le(10_000)]
Side = Annotated[int, Ge(2), Le(100)]
Std = Annotated[float, Gt(0)]
Noise = Annotated[float, Ge(0.01), Le(100)]
"""Of a curve: the density is a sum over as many nodes as the noise is small."""
Angle = Annotated[float, Ge(-360), Le(360)]
Ratio = Annotated[float, Ge(1), Le(1_000)]
Dimensions = Annotated[int, Ge(2), Le(1_000)]
Pixels = Annotated[int, Ge(8), Le(1024)]
StackCount = Annotated[int, Ge(1_000), Le(10_000_000)]
Place = Annotated[str, Home()]
FaceCrop = Annotated[int, Ge(8), Le(178)]


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


@dataset("rotated")
def rotated(*, side: Side = 5, std: Std = GRID_STD, angle: Angle = 30.0) -> Target:
    """Gaussians on a square grid that is turned, so that no axis says where modes are.

    `side` and `std` are as in grid; `angle` is in degrees.
    """
    from genbench.datasets import mixtures

    return mixtures.rotated(side, std, angle)


@dataset("staggered")
def staggered(*, side: Side = 5, std: Std = GRID_STD) -> Target:
    """Gaussians on a grid whose every other row is moved by half the spacing.

    `side` and `std` are as in grid.
    """
    from genbench.datasets import mixtures

    return mixtures.staggered(side, std)


@dataset("unequal")
def unequal(*, side: Side = 5, std: Std = GRID_STD, ratio: Ratio = 10.0) -> Target:
    """Gaussians on a square grid, of which every other one is rare.

    `side` and `std` are as in grid; `ratio` is how many times as likely a frequent mode is as a rare one. They take
    turns as a chessboard's squares do, and a mode's fair share, of which a fifth captures it, is its own.
    """
    from genbench.datasets import mixtures

    return mixtures.unequal(side, std, ratio)


@dataset("gmm40", citation="arXiv:2208.01893", protocol="gmm40")
def gmm40(*, dimensions: Dimensions = 2) -> Target:
    """40 Gaussians at random places of a cube of so many `dimensions`: a target of the sampling literature.

    In its benchmarks centres are uniform in [−40, 40] an axis and stds lie about 1. Here all is divided by 40/√3, so
    that the mixture's std is about 1 an axis, and a centre is drawn again where it lies within six stds of another.
    """
    from genbench.datasets import mixtures

    return mixtures.scattered(40, dimensions)


@dataset("mixture", files=("path",))
def mixture(*, path: Place, std: Std) -> Target:
    """Gaussians around the centres that a file lists.

    `path` is a file of numbers with one centre a row, as `genbench score` reads them: .csv, .npy, .parquet and others;
    `std` is each Gaussian's standard deviation in the file's own units. A trial's id depends on the file's content.
    """
    from genbench.datasets import mixtures

    return mixtures.from_file(path, std)


@dataset("swissroll", citation="sklearn.datasets.make_swiss_roll")
def swissroll(*, std: Noise = 0.25) -> Target:
    """The Swiss roll in the plane: a spiral with noise around it, divided by 7.5.

    `std` is the noise before the division. The points are those of scikit-learn's
    `make_swiss_roll(noise=std)[:, [0, 2]] / 7.5`.
    """
    from genbench.datasets.swissroll import SwissRoll

    return SwissRoll(std)


@dataset("flow-digits", protocol="flow-digits1")
def flow_digits() -> Target:
    """Digits of 8 × 8 pixels that a fixed normalizing flow draws: images whose density is known exactly.

    The flow ships with genbench and was trained on MNIST by `python -m genbench.datasets.training.flow_digits`: means
    of 3 × 3 pixels of its central 24 × 24, with Gaussian noise of std 0.1. So nothing is downloaded, every sample is
    fresh, and the truth is the flow's own density, whatever real digits are like. A sample is a row of 64 continuous
    pixels around [−1, 1], neither clamped nor rounded to grey levels, and the density is positive everywhere: networks
    for points fit. The classes are the digits, as frequent as in MNIST.
    """
    from genbench.datasets.flows import shipped

    return shipped()


@dataset("mnist", citation="yann.lecun.com/exdb/mnist", stock=stock_of("digits"), protocol="mnist1")
def mnist(*, size: Pixels = 32) -> Finite:
    """Handwritten digits in grey, 28 × 28 pixels resized to `size` × `size`, with the digits as classes.

    Training sees the first 50 000 of the official training images; the last 10 000 are held out, and the official
    10 000 test images are the reference. Metrics need real images that neither training nor the reference saw: they
    say what the truth itself scores. Read from MNIST/raw in the data folder, and fetched where it isn't there.
    """
    from genbench.datasets import digits

    return digits.image_set_of(digits.stock(size=size))


@dataset(
    "fashion-mnist", citation="arXiv:1708.07747", stock=stock_of("digits", "fashion_stock"), protocol="fashion-mnist1"
)
def fashion_mnist(*, size: Pixels = 32) -> Finite:
    """Pieces of clothing in grey, 28 × 28 pixels resized to `size` × `size`, with their ten kinds as classes.

    Parts are those of mnist. Read from FashionMNIST/raw in the data folder, and fetched where it isn't there.
    """
    from genbench.datasets import digits

    return digits.image_set_of(digits.fashion_stock(size=size))


@dataset("stacked-mnist", citation="arXiv:1611.02163", stock=stock_of("digits"), protocol="stacked-mnist1")
def stacked_mnist(*, size: Pixels = 32) -> Finite:
    """Three digits of MNIST as the channels of one image: 1 000 classes, all equally likely but for MNIST's own counts.

    The parts are those of mnist: each part's stacks are drawn from its own digits. `size` is as in mnist.
    """
    from genbench.datasets import stacked

    return stacked.stacked_mnist(size)


@dataset(
    "stacked-mnist-fixed", citation="arXiv:1901.08508", stock=stock_of("digits", "fixed_stock"), protocol="meg2019"
)
def stacked_mnist_fixed(*, stacks: StackCount = 128_000, size: Pixels = 28) -> Finite:
    """Stacked MNIST as MEG trains on it: so many `stacks` of the 60 000 training digits, drawn once and for all.

    The digits of the stacks are those of MEG's code, which draws them uniformly from NumPy's legacy generator with the
    seed 111; more of them begin with the same. Its batches go on from that generator, ours come from the seed of a
    trial. No training digit is left to judge with, and what does so isn't told there: here every other test digit is
    held out, the rest is the reference, and all their stacks count. `size` is as in mnist.
    """
    from genbench.datasets import fixed_stacks

    return fixed_stacks.fixed_stacks(stacks, size)


@dataset("celeba", version=2, citation="arXiv:1411.7766", stock=stock_of("faces"), protocol="celeba1-small")
def celeba(*, size: Pixels = 64, crop: FaceCrop = 148) -> Finite:
    """Aligned faces of celebrities: the centre of each image, resized to `size` × `size`.

    `crop` is the side of the centre, in pixels of the official 178 × 218; where images have another size, it is scaled.

    Read from celeba/img_align_celeba.zip in the data folder, or from the folder that it unpacks to. Parts are the
    official ones (training, validation as held out, test as reference) where list_eval_partition.txt gives each at
    least 1 000 images; else a fixed random split, with a fifth as reference and a fifth, at most 10 000, held out.
    """
    from genbench.datasets import faces

    return faces.celeba(size, crop)


@dataset("images", version=2, stock=stock_of("pictures"), protocol="images1-small")
def images(*, path: Place, size: Pixels = 64, mode: Literal["rgb", "l"] = "rgb") -> Finite:
    """Your own images: those of a folder or a zip, cut to a centred square and resized to `size` × `size`.

    `path` holds at least 50 files that Pillow reads: jpg, png, tif, gif, webp and others. Links are followed. If all
    lie in folders, the folders are classes. `mode` is rgb, or l for grey. The split is random but fixed: a fifth is the
    reference, a fifth, at most 10 000, is held out. A trial's id depends on the images, not on where they are.
    """
    from genbench.datasets import pictures

    return pictures.images(path, size, mode)
