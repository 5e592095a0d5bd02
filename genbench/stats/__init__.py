"""Statistics over seeds and datasets. Each formula names its source; what draws has a stream of its own.

A method's *runs* are numbers of which less is better, one a seed; a run that failed is infinitely bad. So failures take
part in whatever compares: medians, ranks, tests and odds. Distributions are `scipy.special`'s; `scipy.stats`, which the
tests are held against, takes two thirds of a small report's time to import.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genbench import seeding

CONFIDENCE = 0.95
LEVEL = 0.05
POWER = 0.8
"""How often an effect that is called detectable is found."""

Values = Sequence[float]
Strata = Sequence[Values]
"""Scores on several datasets, a sequence each: none is drawn for another."""

Floats = NDArray[np.float64]


def stream(role: str) -> np.random.Generator:
    """The random stream of one of the statistics that draw, the same at every call."""
    return np.random.Generator(np.random.PCG64(seeding.derive(0, f"statistics, {role}")))
