"""Trials small enough to train in a moment, and a place to register trainers for one test."""

import made_up
import pytest
import torch

from genbench import api
from genbench.engine import paths, stacked
from genbench.engine.training import Training
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial
from genbench.trials.resources import build_dataset


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


@pytest.fixture
def double():
    """Computes in double precision, where rounding stays far below every difference that a mistake could make."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def eager(monkeypatch):
    """Leaves the stacked path uncompiled, which is quick and says as much about its mathematics."""
    monkeypatch.setattr(stacked, "compiled", lambda update, arguments: update)
    monkeypatch.setattr(stacked, "_compiled", {})


@pytest.fixture
def assembled(forgetful, monkeypatch):
    """`assembled(build, engine=…, seeds=…)`: the training on ring8 of what `build(problem)` gives, ready to step."""
    monkeypatch.setattr(stacked, "_compiled", {})
    monkeypatch.setattr(paths, "_failures", {})

    def of(build, engine="plain", seeds=(0,), budget="steps=12", ema=None):
        @api.trainer("made-up")
        def made_up(problem: api.Problem) -> api.Method:
            return build(problem)

        trials = [
            Trial(
                dataset=Component.resolve(datasets, "ring8"),
                trainer=Component.resolve(trainers, "made-up"),
                budget=Budget.parse(budget),
                seed=seed,
                ema=ema,
            )
            for seed in seeds
        ]
        return Training(trials, build_dataset(trials[0].dataset), "cpu", engine)

    return of
