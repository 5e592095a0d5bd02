"""Fixtures that build truths and metrics by their references."""

from functools import cache

import pytest
import torch

from genbench.metrics.truth import Truth
from genbench.registry import datasets, metrics


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    """Features of made-up images are remembered in a folder that nobody else reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def truth():
    """`truth("ring8")`: the truth about a dataset, built once."""
    return cache(lambda name: Truth(datasets.build(name)))


@pytest.fixture(scope="session")
def score():
    """`score("modes[rule=any]", truth, samples)`: the metric's value as a float."""

    def value(reference, about, samples):
        metric = metrics.build(reference, about)
        metric.update(samples)
        return metric.compute().item()

    return value


@pytest.fixture(scope="session")
def draw():
    """`draw(truth, n, seed, …)`: samples of a truth's dataset."""

    def samples(about, n, seed=0, **changes):
        return about.dataset.altered(n, torch.Generator().manual_seed(seed), **changes)

    return samples
