"""What the trials of a process share: their device, datasets and scorers, each made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from genbench.datasets.base import Dataset, Finite, check_dataset
from genbench.features import named_weights
from genbench.references import Reference
from genbench.registry import datasets, metrics
from genbench.scoring.protocols import Protocol
from genbench.scoring.scorer import Scorer
from genbench.spec import Component


@lru_cache(maxsize=8)
def build_dataset(component: Component) -> Dataset:
    """The dataset of a component, kept for the trials that follow; raises GenbenchError if its files changed since."""
    dataset = check_dataset(component.label, datasets[component.name].build(**component.parameters))
    component.check_files(datasets)
    return dataset


@lru_cache(maxsize=8)
def dataset_on(component: Component, device: str) -> Dataset:
    """The dataset of a component on a device: one copy, for all seeds and for those who judge them."""
    return build_dataset(component).to(device)


def scorer(component: Component, protocol: Protocol, device: str = "cpu", curve: bool = False) -> Scorer:
    """A dataset's scorer under a protocol, kept for the trials that follow; it judges on `device`.

    A metric that is registered anew, and weights that are named anew, make another.
    """
    names = (Reference.parse(metric).name for metric in protocol.columns.values())
    return _scorer(component, protocol, device, curve, tuple(metrics[name].build for name in names), named_weights())


@lru_cache(maxsize=16)
def _scorer(
    component: Component,
    protocol: Protocol,
    device: str,
    curve: bool,
    builders: tuple[Callable[..., Any], ...],
    weights: tuple[str | None, ...],
) -> Scorer:
    dataset = build_dataset(component)
    # A target draws on the processor, so that its reference is the same for all devices.
    place = dataset_on(component, device) if isinstance(dataset, Finite) else dataset
    return Scorer(place, protocol.along() if curve else protocol, device=device)
