"""What a trial has used so far, and the one definition of its seconds.

A trial's train seconds are its share of the time for which its stack trained: elapsed time over the stack's size, read
when the device has done all that it was given. Compiling (tracing, code generation, the first call, capturing a graph)
is metered beside them in the same way and never counts as training. Neither holds what measuring takes. The meter, a
curve's `seconds`, what is displayed, a record's cost and a budget in seconds are all of these seconds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch


@dataclass
class Meter:
    """What a trial has used so far, in every unit that a budget can have; seconds of compiling apart."""

    steps: int = 0
    updates: int = 0
    samples: int = 0
    seconds: float = 0.0
    compile_seconds: float = 0.0

    def used(self, kind: str) -> float:
        """The amount of a budget's unit."""
        return float(getattr(self, kind))

    @property
    def units(self) -> dict[str, int | float]:
        """The amount of every unit that a budget can have, by its name."""
        return {"steps": self.steps, "updates": self.updates, "samples": self.samples, "seconds": self.seconds}


class Clock:
    """Tells the time once a device has done all that it was given; a processor always has.

    `waits` says that looking makes the host wait for the device, so nobody should look at every step without need.
    """

    def __init__(self, device: torch.device | str) -> None:
        self._device = torch.device(device)
        self.waits = self._device.type == "cuda"

    def now(self) -> float:
        """Seconds since some fixed moment."""
        if self.waits:
            torch.cuda.synchronize(self._device)
        return time.perf_counter()
