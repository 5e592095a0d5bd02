"""The columns that tables have: which protocols have one of a name, by which metric, and what is scored so."""

from __future__ import annotations

from typing import NamedTuple

from genbench.references import Reference
from genbench.registry import datasets, protocols
from genbench.scoring.protocols import protocol

LIKELIHOODS = ("nll", "nll_gap", "bits_per_dim")
OF_TRIALS = (*LIKELIHOODS, "first_coverage", "sustained_coverage", "evaluations")
"""The metrics that say something of a trial and not of its samples, so that these are not enough to score by them."""


class Use(NamedTuple):
    """A column of a protocol: the `metric` behind it, as a reference, and the datasets scored so by default."""

    column: str
    protocol: str
    metric: str
    datasets: tuple[str, ...]

    @property
    def metric_name(self) -> str:
        """The metric without its parameters."""
        return Reference.parse(self.metric).name


def uses() -> list[Use]:
    """Every column of every protocol."""
    return [
        Use(column, way.name, metric, tuple(dataset.name for dataset in datasets if dataset.protocol == way.name))
        for way in (protocol(entry.name) for entry in protocols)
        for column, metric in way.columns.items()
    ]
