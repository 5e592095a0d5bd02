"""What the trials of a process share: their device, datasets and scorers, each made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch

from genbench.datasets.base import Dataset, check_dataset
from genbench.features import named_weights
from genbench.references import Reference
from genbench.registry import datasets, metrics
from genbench.scoring.protocols import Protocol
from genbench.scoring.scorer import Scorer
from genbench.spec import Component


def resolve_device(device: str) -> str:
    """`auto` is the accelerator where torch finds one, else the processor."""
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


@lru_cache(maxsize=8)
def build_dataset(component: Component) -> Dataset:
    """The dataset of a component, kept for the trials that follow; raises GenbenchError if its files changed since."""
    dataset = check_dataset(component.label, datasets[component.name].build(**component.parameters))
    component.check_files(datasets)
    return dataset


def scorer(component: Component, protocol: Protocol, curve: bool = False) -> Scorer:
    """A dataset's scorer under a protocol, kept for the trials that follow.

    A metric that is registered anew, and weights that are named anew, make another.
    """
    names = (Reference.parse(metric).name for metric in protocol.columns.values())
    return _scorer(component, protocol, curve, tuple(metrics[name].build for name in names), named_weights())


@lru_cache(maxsize=16)
def _scorer(
    component: Component,
    protocol: Protocol,
    curve: bool,
    builders: tuple[Callable[..., Any], ...],
    weights: tuple[str | None, ...],
) -> Scorer:
    return Scorer(build_dataset(component), protocol.along() if curve else protocol)
