"""Samples where they were made, and on their way to the host."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

RAW = ""
"""Begins the names of stored tensors of the generator as trained, as `AVERAGED` does those of its average."""


@dataclass
class Drawn:
    """Samples of every replica as they are stored, `(replicas, n, *event)`, on the device that made them."""

    there: Tensor

    def __post_init__(self) -> None:
        self._arrived: torch.cuda.Event | None = None
        self._here = self.there
        if self.there.device.type == "cuda":
            # Once, and while the device goes on: what is judged there is judged meanwhile.
            self._here = torch.empty(self.there.shape, dtype=self.there.dtype, pin_memory=True)
            self._here.copy_(self.there, non_blocking=True)
            self._arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._arrived.record(torch.cuda.current_stream(self.there.device))

    @cached_property
    def here(self) -> Tensor:
        """The same on the host."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._here


Samples = dict[str, Drawn]
"""By such a beginning."""
