"""The process's own random streams, torch's, NumPy's and Python's, lent to a trial and given back as they were.

genbench draws from none of them, but a method may: `torch.randn_like` in a loss, dropout in a network, a network made
outside `problem.initialised`. What it draws is then decided by the trial's seed like everything else.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

State = dict[str, Tensor]
"""The state of each stream by its library's name."""


class GlobalStreams:
    """What a trial's global streams are at: seeded once, and going on each time that they are entered.

    Args:
        seed: in [0, 2⁶³).
        device: where the trial trains; torch has a stream of its own for each device.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self._device = torch.device(device)
        before = self._read()
        torch.default_generator.manual_seed(seed)
        if self._device.type == "cuda":
            with torch.cuda.device(self._device):
                torch.cuda.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002  # what a method may call is this one
        random.seed(seed)
        self._own = self._read()
        self._write(before)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Within, the global streams are the trial's; afterwards they are what they were, whatever happened."""
        outside = self._read()
        self._write(self._own)
        try:
            yield
        finally:
            self._own = self._read()
            self._write(outside)

    def state(self) -> State:
        """What a checkpoint keeps."""
        return dict(self._own)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        self._own = dict(state)

    def equals(self, state: Mapping[str, Tensor]) -> bool:
        """Whether nothing was drawn since the streams were in that state."""
        return all(torch.equal(value, state[name]) for name, value in self._own.items())

    def _read(self) -> State:
        return standing_now(self._device)

    def _write(self, state: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(state["torch"])
        _set_numpy(state["numpy"])
        _set_python(state["python"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self._device)


def standing_now(device: torch.device | str = "cpu") -> State:
    """The states of the process's global streams, and of that of a CUDA device."""
    state = {"torch": torch.get_rng_state(), "numpy": _numpy(), "python": _python()}
    if torch.device(device).type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


@contextmanager
def seeded(seed: int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Within, the global streams start from `seed`; afterwards they are what they were."""
    with GlobalStreams(seed, device).entered():
        yield


def _numpy() -> Tensor:
    """Key, place, and the second half of the last pair of normal numbers, if it hasn't been given out."""
    state: Any = np.random.get_state()  # noqa: NPY002
    _, key, place, held, normal = state
    return torch.from_numpy(np.array([*key.tolist(), place, held, _bits(normal)], np.int64))


def _set_numpy(state: Tensor) -> None:
    *key, place, held, normal = state.tolist()
    np.random.set_state(("MT19937", np.array(key, np.uint32), place, held, _number(normal)))  # noqa: NPY002


def _python() -> Tensor:
    """Version, key and place, and the second half of the last pair of normal numbers, if it hasn't been given out."""
    version, key, normal = random.getstate()
    return torch.tensor([version, *key, normal is not None, _bits(normal or 0.0)], dtype=torch.int64)


def _set_python(state: Tensor) -> None:
    version, *key, held, normal = state.tolist()
    random.setstate((version, tuple(key), _number(normal) if held else None))


def _bits(number: float) -> int:
    return int(np.float64(number).view(np.int64))


def _number(bits: int) -> float:
    return float(np.int64(bits).view(np.float64))
