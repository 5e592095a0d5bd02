"""The easiest target that there is: a single Gaussian in the plane."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from genbench.datasets.base import Dataset


class Blob(Dataset):
    """One Gaussian whose mean and spread differ by axis, so that mixed-up axes show.

    Its classes, for methods that ask for labels, are the two halves on either side of the mean.
    """

    event_shape: tuple[int, ...] = (2,)
    classes = ("left", "right")
    mean, std = (0.8, -0.4), (0.6, 0.3)

    def sample(self, n: int, rng: Generator) -> Tensor:
        normal = torch.randn(n, 2, generator=rng, device=rng.device)
        return normal.mul_(normal.new_tensor(self.std)).add_(normal.new_tensor(self.mean))

    def labelled(self, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        samples = self.sample(n, rng)
        return samples, (samples[:, 0] > self.mean[0]).long()

    def miss(self, samples: Tensor) -> tuple[float, tuple[float, float]]:
        """How far the mean of samples `(n, 2)` lies off, in stds of the worse axis, and the ratio of stds an axis."""
        mean, std = samples.new_tensor(self.mean), samples.new_tensor(self.std)
        across, down = (samples.std(0) / std).tolist()
        return float(((samples.mean(0) - mean) / std).abs().max()), (across, down)
