"""A CUDA device that isn't there: what runs on it is followed through by shapes, types and devices alone.

An operation between tensors of the host and of the device raises, as it would on a real one; so does what needs
numbers, for which the host would have to wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self
from unittest.mock import patch

import torch
import torchmetrics
from torch import Tensor

from genbench.contract.metric_case import apart
from genbench.engine.torch_internals import fake_tensors, replaced_beside_fakes
from genbench.metrics.observed import Observed, ObservedMetric

CUDA = torch.device("cuda")
MEMORY = 64 * 2**30


class FakeGenerator(torch.Generator):
    """A generator that says it is the device's that it was asked for."""

    _named: torch.device

    def __new__(cls, device: torch.device | str = "cpu") -> Self:
        made = super().__new__(cls)
        made._named = torch.device(device)
        return made

    def __init__(self, device: torch.device | str = "cpu") -> None:
        """The device is known already."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return self._named


@contextmanager
def fake_cuda() -> Iterator[None]:
    """Within, `cuda` is such a device, and `meta` another, on which torch can differentiate without the real one.

    What was made before stays as it is; what is made within is of no use after.
    """
    fakes: dict[str, Any] = {
        "torch.Generator": FakeGenerator,
        "torch.cuda.mem_get_info": lambda device=None: (MEMORY, MEMORY),
        "torch.cuda.synchronize": lambda device=None: None,
        **replaced_beside_fakes(),
        # Streams have no numbers either, and the process's own are none of a fake's business.
        "genbench.engine.global_streams.GlobalStreams.__init__": lambda self, seed, device="cpu": self._write({}),
        "genbench.engine.global_streams.GlobalStreams._read": lambda self: {},
        "genbench.engine.global_streams.GlobalStreams._write": lambda self, state: setattr(self, "_own", {}),
    }
    with ExitStack() as stack:
        for name, fake in fakes.items():
            stack.enter_context(patch(name, fake))
        stack.enter_context(fake_tensors())
        yield


def value_on_fake_cuda(metric: torchmetrics.Metric, samples: Tensor) -> Tensor:
    """What a copy of a metric makes of samples once both are moved there: a tensor without a number.

    One that takes several replicas' samples at once is given two as well.
    """
    metric = apart(metric)
    with fake_cuda():
        metric, there = metric.to(CUDA), samples.to(CUDA)
        if isinstance(metric, ObservedMetric):
            if metric.replicas:
                metric.of(Observed(torch.stack([there, there]), replicas=True))
            return metric.of(Observed(there))
        metric.update(there)
        value: Tensor = metric.compute()
        return value
