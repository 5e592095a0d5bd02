"""Learning-rate schedules over the used share of the budget."""

import math
from typing import Literal

ScheduleName = Literal["constant", "linear", "cosine"]

FLOOR = 0.05
"""The share of the learning rate below which neither the linear nor the cosine schedule falls."""


def schedule(name: ScheduleName, progress: float) -> float:
    """The learning rate's factor once the share p = `progress`, in [0, 1), of the budget is used.

    `constant`: 1. `linear`: max(1 − p, 0.05), a line towards zero that reaches the floor at p = 0.95, so that the last
    twentieth of the budget is trained at 5 %. `cosine`: 0.05 + 0.95 · (1 + cos πp) / 2, half a cosine that is rescaled
    to end at the floor instead of zero (arXiv:1608.03983, eq. 5).
    """
    if name == "linear":
        return max(1 - progress, FLOOR)
    if name == "cosine":
        return FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * progress)) / 2
    return 1.0
