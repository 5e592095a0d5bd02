"""Trials small enough to train in a moment, and a place to register trainers for one test."""

import made_up
import pytest

from genbench.engine.training import Training
from genbench.executors.resources import build_dataset
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial


@pytest.fixture
def forgetful():
    with made_up.forgetful_registries():
        yield


@pytest.fixture
def training():
    """A function from a trainer's reference to its training, ready to step."""

    def ready(trainer="gan[width=8,batch=16]", dataset="ring8", budget="steps=12", seed=0):
        trial = Trial(
            dataset=Component.resolve(datasets, dataset),
            trainer=Component.resolve(trainers, trainer),
            budget=Budget.parse(budget),
            seed=seed,
        )
        return Training([trial], build_dataset(trial.dataset))

    return ready
