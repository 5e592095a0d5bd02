"""A CUDA device that isn't there, and what travels between it and the host."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from genbench.contract.fake_cuda import fake_cuda


@pytest.fixture
def device():
    """Within a test, `cuda` is a device on which a tensor of the host can't be met."""
    with fake_cuda():
        yield


class Travels(TorchDispatchMode):
    """Notes each tensor that goes from one device to another, and each operation that takes such from both.

    torch lets a tensor of the host index one of a device: it travels without a word.
    """

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor) and each.dim()]
        places = [each.device.type for each in given]
        if function is torch.ops.aten._to_copy.default and given:
            places.append(made.device.type)
        if len(set(places)) > 1:
            self.seen.append((str(function), *places))
        return made


@pytest.fixture
def travels():
    """`with travels() as seen:` lists the tensors that changed devices."""

    class Noted:
        def __enter__(self):
            self.mode = Travels()
            self.mode.__enter__()
            return self.mode.seen

        def __exit__(self, *error):
            self.mode.__exit__(*error)

    return Noted
