"""A plugin for tests: printed digits as datasets, and a trainer of images that is no list of phases."""

from __future__ import annotations

import torch

from genbench import api
from genbench.contract.digits import digits
from genbench.datasets.images import ImageSet
from genbench.datasets.stacked import StackSet


@api.dataset("printed")
def printed() -> ImageSet:
    """Printed digits of ten classes."""
    return digits()


@api.dataset("printed-stacks")
def printed_stacks() -> StackSet:
    """Stacks of three printed digits."""
    return StackSet(digits())


@api.dataset("diary")
def diary() -> ImageSet:
    """Printed digits that are nobody else's business."""
    public = digits()
    return ImageSet(public.train, public.held_out, public.reference, classes=public.classes, private=True)


class Average:
    """Samples are the mean of the images so far, under noise."""

    updates_per_step = 1

    def __init__(self, event_shape):
        self.mean = torch.zeros(event_shape)

    def step(self, data, progress):
        self.mean = self.mean.lerp(data.next(8).mean(0), 0.5)
        return {"mean": self.mean.mean()}

    def sample(self, n, rng):
        return (self.mean + 0.1 * torch.randn(n, *self.mean.shape, generator=rng)).clamp(-1, 1)

    def weights(self):
        return {"average.mean": self.mean}

    def state_dict(self):
        return self.weights()

    def load_state_dict(self, state):
        self.mean = state["average.mean"]


@api.trainer("average")
def average(problem: api.Problem) -> api.Trainer:
    """A trainer whose samples are the mean image under noise."""
    return Average(problem.event_shape)
