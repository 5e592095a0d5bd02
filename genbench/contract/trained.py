"""A trainer as its checks see it: trained for a few steps, on data that it takes, as often as they need."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

from torch import Tensor

from genbench.contract.blob import Blob
from genbench.contract.digits import digits
from genbench.datasets.base import Dataset
from genbench.engine import Engine
from genbench.engine.method import Method
from genbench.engine.paths import build
from genbench.engine.problem import Problem
from genbench.engine.training import Training
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial

STEPS, STEPS_OF_IMAGES = 20, 6
"""Of a short training, whose bits are compared."""

NOMINAL = "ring8"
"""What trials are told that their dataset is, where it is one of the contract's own, which nobody can name."""


class Ended(NamedTuple):
    """What a short training left behind."""

    sha256: str
    state: Mapping[str, Tensor]
    meter: Mapping[str, Any]


class TrainerCase:
    """A trainer and the data that it is checked on; trainings that several checks look at are run once.

    Args:
        reference: the trainer, perhaps with parameters.
        dataset: what it is trained on; by default a Gaussian in the plane, or printed digits where it takes images.
        patience: seconds that learning may take.
        seed: of the trainings; another is the next one.

    Raises GenbenchError where it can't be built for any of them.
    """

    def __init__(self, reference: str, dataset: str | None = None, patience: float = 30.0, seed: int = 0) -> None:
        self.component = Component.resolve(trainers, reference)
        self.patience, self.seed = patience, seed
        self._data = Component.resolve(datasets, dataset or NOMINAL)
        self.data = datasets.build(dataset) if dataset else self._fitting()
        self.steps = STEPS if len(self.data.event_shape) == 1 else STEPS_OF_IMAGES

    def training(self, *seeds: int, budget: str = "", engine: Engine = "plain") -> Training:
        """A fresh training of those seeds, or of the case's own."""
        trials = [
            Trial(
                dataset=self._data,
                trainer=self.component,
                budget=Budget.parse(budget or f"steps={self.steps}"),
                seed=seed,
            )
            for seed in seeds or (self.seed,)
        ]
        return Training(trials, self.data, engine=engine)

    def ended(self, seed: int) -> Ended:
        """A short training of that seed, run in one go."""
        training = self.training(seed)
        training.run(1.0)
        return left_by(training)

    @cached_property
    def whole(self) -> Ended:
        """The short training that others are held against."""
        return self.ended(self.seed)

    @cached_property
    def other(self) -> Ended:
        """The short training of another seed."""
        return self.ended(self.seed + 1)

    @cached_property
    def method(self) -> Method | None:
        """What it builds, where that is a list of phases."""
        built = build(self.component, self.problem_of(self.data))
        return built if isinstance(built, Method) else None

    def problem_of(self, data: Dataset) -> Problem:
        """What it is told of data, fresh."""
        return Problem(data.event_shape, self.seed, classes=len(data.classes))

    def _fitting(self) -> Dataset:
        """The Gaussian, or digits for a trainer that takes images alone."""
        try:
            build(self.component, self.problem_of(Blob()))
        except Exception as error:
            with suppress(Exception):  # what is wrong with images is no news to a trainer of points
                build(self.component, self.problem_of(digits()))
                return digits()
            raise error
        return Blob()


def left_by(training: Training) -> Ended:
    """What a training has left so far."""
    tensors, meter = training.state()
    return Ended(training.weights_sha256(), {name: value.clone() for name, value in tensors.items()}, meter)
