"""The average of weights along training, which often makes better samples than the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from genbench.engine.stack import Stack, below
from genbench.engine.torch_internals import copy_each, lerp_each


class Average:
    """An exponential moving average, of each replica, of what makes samples: w̄ ← decay·w̄ + (1 − decay)·w.

    arXiv:1806.04498. It starts from the initial weights. What isn't learnt, a normalisation's statistics, stays as the
    networks have it.
    """

    def __init__(self, stack: Stack, decay: float) -> None:
        self.decay = decay
        self._live = [stack.makers(replica) for replica in range(stack.size)]
        self._mean = [{name: value.clone() for name, value in live.items()} for live in self._live]

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the weights as they are after a step."""
        for mean, live in zip(self._mean, self._live, strict=True):
            lerp_each([*mean.values()], [*live.values()], 1 - self.decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within, the stack's weights are the averaged ones."""
        own = [{name: value.clone() for name, value in live.items()} for live in self._live]
        try:
            self._put(self._mean)
            yield
        finally:
            self._put(own)

    def weights(self, replica: int) -> dict[str, Tensor]:
        """A replica's averaged parameters, as `network.parameter`."""
        return dict(self._mean[replica])

    def state(self, replica: int) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {f"average.{name}": value for name, value in self._mean[replica].items()}

    def restore(self, replica: int, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        for name, value in below(state, "average.").items():
            self._mean[replica][name].copy_(value)

    @torch.no_grad()
    def _put(self, weights: list[dict[str, Tensor]]) -> None:
        for live, values in zip(self._live, weights, strict=True):
            copy_each([*live.values()], [*values.values()])
