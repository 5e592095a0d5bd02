"""The rows that need no training: what the metrics say about things that are not models.

A control takes a dataset, a number and a random stream, and gives `(n, *event)` samples. It raises Skip, with the
reason, where the dataset lacks what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench.errors import Skip
from genbench.registry import controls

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from genbench.datasets.base import Dataset, Target

control = controls.register

MOMENT_SAMPLES = 100_000


@control("oracle")
def oracle(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """Fresh samples of the truth: the best that any model can score at this n."""
    return dataset.sample(n, rng)


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

    if len(dataset.event_shape) > 1:
        raise Skip("made for points, and these are images")
    real = dataset.sample(MOMENT_SAMPLES, rng).double()
    factor: Tensor = torch.linalg.cholesky(real.T.cov())
    normal = torch.randn(n, real.shape[1], generator=rng, dtype=torch.float64)
    return (real.mean(0) + normal @ factor.T).float().reshape(n, *dataset.event_shape)


@control("centres")
def centres(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """The truth without its spread: exact centres of the modes, or points on the curve itself."""
    return _target(dataset).sample(n, rng, spread=0.0)


@control("half-dropped")
def half_dropped(dataset: Dataset, n: int, rng: Generator) -> Tensor:
    """The truth with half of the modes dropped, every other one; of a curve, its outer half."""
    return _target(dataset).sample(n, rng, keep=0.5)


def _target(dataset: Dataset) -> Target:
    from genbench.datasets.base import Target

    if not isinstance(dataset, Target):
        raise Skip("the dataset's density is unknown")
    return dataset
