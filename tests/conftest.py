"""What every test needs."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Torch on one thread, as in a run: results and timings are those of one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
