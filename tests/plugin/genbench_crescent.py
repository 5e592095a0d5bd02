"""A plugin as anyone might write it: one dataset, one trainer that is no list of phases, one metric."""

from __future__ import annotations

import math

import torch
import torchmetrics

from genbench import api


class Crescent(api.Dataset):
    """Points along a half circle of radius 1, with Gaussian noise of `std` across and along."""

    event_shape = (2,)

    def __init__(self, std: float) -> None:
        self.std = std

    def sample(self, n: int, rng: torch.Generator) -> torch.Tensor:
        angle = math.pi * torch.rand(n, generator=rng, device=rng.device)
        noise = torch.randn(n, 2, generator=rng, device=rng.device)
        return torch.stack([angle.cos(), angle.sin()], 1) + self.std * noise


@api.dataset("crescent")
def crescent(*, std: api.Positive = 0.05) -> Crescent:
    """A half circle with noise around it."""
    return Crescent(std)


class Moments:
    """Follows the mean and the covariance of the data, and samples the Gaussian that has them."""

    updates_per_step = 1

    def __init__(self, features: int, batch: int, rate: float) -> None:
        self.batch, self.rate = batch, rate
        self.mean, self.cov = torch.zeros(features), torch.eye(features)

    def step(self, data, progress: float) -> dict[str, torch.Tensor]:
        real = data.next(self.batch)
        gap = (real.mean(0) - self.mean).square().sum()
        self.mean = self.mean.lerp(real.mean(0), self.rate)
        self.cov = self.cov.lerp(real.T.cov(), self.rate)
        return {"mean": gap}

    def sample(self, n: int, rng: torch.Generator) -> torch.Tensor:
        noise = torch.randn(n, len(self.mean), generator=rng, device=rng.device)
        return self.mean + noise @ torch.linalg.cholesky(self.cov).T

    def weights(self) -> dict[str, torch.Tensor]:
        return {"gaussian.mean": self.mean, "gaussian.cov": self.cov}

    def state_dict(self) -> dict[str, torch.Tensor]:
        return self.weights()

    def load_state_dict(self, state) -> None:
        self.mean, self.cov = state["gaussian.mean"], state["gaussian.cov"]


@api.trainer("moments")
def moments(problem: api.Problem, *, batch: api.Count = 64, rate: api.Positive = 0.1) -> api.Trainer:
    """One Gaussian, fitted by running averages of the data's mean and covariance."""
    return Moments(math.prod(problem.event_shape), batch, rate)


class MeanGap(torchmetrics.Metric):
    """The distance between the samples' mean and the reference's."""

    full_state_update = False

    def __init__(self, reference: torch.Tensor) -> None:
        super().__init__()
        self.target = reference.mean(0)
        self.add_state("total", torch.zeros_like(self.target), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, samples: torch.Tensor) -> None:
        self.total += samples.sum(0)
        self.count += len(samples)

    def compute(self) -> torch.Tensor:
        return (self.total / self.count - self.target).norm()


@api.metric("mean_gap", unit="data units", higher_is_better=False)
def mean_gap(truth, *, n: api.Count = 1_000) -> torchmetrics.Metric:
    """How far the samples' mean is from that of n reference samples."""
    return MeanGap(truth.reference(n))
