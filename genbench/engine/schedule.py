"""Learning-rate schedules over the used share of the budget."""

import math

from genbench.engine.method import ScheduleName

FLOOR = 0.05
"""The share of the learning rate at which the linear and the cosine schedule end."""


def schedule(name: ScheduleName, progress: float) -> float:
    """The learning rate's factor at `progress` in [0, 1): constant, or falling to 5 % by a line or a half cosine."""
    if name == "linear":
        return max(1 - progress, FLOOR)
    if name == "cosine":
        return FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * progress)) / 2
    return 1.0
