"""The rows that need no training: what the metrics say about things that are not models.

A control takes a dataset, a number and a random stream, and gives `(n, *event)` samples. It raises Skip, with the
reason, where the dataset lacks what it needs. One that is made of held-out images is `dealt`: of each draw it
gets a dataset that was dealt anew (see `Finite.dealt`), since there would be nothing else to draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench.errors import Skip
from genbench.registry import controls

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from genbench.datasets.base import Dataset, Finite, Target

control = controls.register

MOMENT_SAMPLES = 100_000
BLUR_SHARE = 1 / 32
"""Of an image's width, the standard deviation of the blur."""


@control("oracle", version=2, dealt=True)
def oracle(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """Fresh samples of the truth: the best that any model can score at this n; of images, those that were held out."""
    from genbench.datasets.base import Finite

    return dataset.held_out.distinct(n, rng) if isinstance(dataset, Finite) else dataset.sample(n, rng)


@control("train")
def train(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """Training samples themselves, drawn with replacement: what a model scores that has learnt them by heart."""
    return _finite(dataset).train.sample(n, rng)


@control("noise", version=2)
def noise(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """Uniform noise on the bounding box of as many real samples: what a metric must not reward."""
    import torch

    real = dataset.sample(n, rng)
    low, high = real.amin(0), real.amax(0)
    uniform: Tensor = torch.rand(n, *dataset.event_shape, generator=rng)
    return uniform.mul(high - low).add(low)


@control("gaussian")
def gaussian(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """One Gaussian with the truth's mean and covariance, both estimated from 100 000 samples."""
    import torch

    if len(dataset.event_shape) != 1:
        raise Skip("the dataset's samples are no points")
    real = dataset.sample(MOMENT_SAMPLES, rng).double()
    factor: Tensor = torch.linalg.cholesky(real.T.cov())
    normal = torch.randn(n, real.shape[1], generator=rng, dtype=torch.float64)
    return (real.mean(0) + normal @ factor.T).float()


@control("centres")
def centres(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """The truth without its spread: exact centres of the modes, or points on the curve itself."""
    return _target(dataset).altered(n, rng, spread=0.0)


@control("half-dropped", version=2, dealt=True)
def half_dropped(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """The truth with half of the modes dropped, every other one; of a curve, its outer half; of images, classes."""
    from genbench.datasets.base import Finite

    if isinstance(dataset, Finite):
        return dataset.held_out.of_classes(range(0, _classes(dataset), 2)).sample(n, rng)
    return _target(dataset).altered(n, rng, keep=0.5)


@control("one-class", version=2, dealt=True)
def one_class(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """Real images of a single class, another one each time: a collapse at full quality."""
    import torch

    finite = _finite(dataset)
    picked = int(torch.randint(_classes(finite), (), generator=rng))
    return finite.held_out.of_classes([picked]).sample(n, rng)


@control("mean-image")
def mean_image(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """The mean of the training images, again and again."""
    return _finite(dataset).train.sample(n, rng).mean(0).expand(n, *dataset.event_shape).clone()


@control("blurred", version=2, dealt=True)
def blurred(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """Images that were held out, blurred by a Gaussian whose standard deviation is a thirty-second of their width."""
    from torchvision.transforms.functional import gaussian_blur

    std = BLUR_SHARE * dataset.event_shape[-1]
    images: Tensor = gaussian_blur(_finite(dataset).held_out.distinct(n, rng), 2 * round(3 * std) + 1, std)
    return images


def _target(dataset: Dataset) -> Target:
    from genbench.datasets.base import Target

    if not isinstance(dataset, Target):
        raise Skip("the dataset's density is unknown")
    return dataset


def _finite(dataset: Dataset) -> Finite:
    from genbench.datasets.base import Finite

    if not isinstance(dataset, Finite):
        raise Skip("every sample of the dataset is fresh")
    return dataset


def _classes(dataset: Finite) -> int:
    if len(dataset.classes) < 2:
        raise Skip("the dataset has no classes")
    return len(dataset.classes)
