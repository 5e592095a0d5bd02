"""What a process that trains and scores is set up to."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

from genbench.engine import Precision

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Options of the C library's `mallopt`."""

KEPT_BYTES = 2**30


@contextmanager
def run_conditions(precision: Precision = "highest") -> Iterator[None]:
    """Runs torch on one thread, since trials go side by side and threads would change the bits; keeps freed memory.

    `precision` is that of float32 products.
    """
    _keep_freed_memory()
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("highest" if precision == "bf16" else precision)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_float32_matmul_precision(before[1])


@cache
def _keep_freed_memory() -> None:
    """Has the C library keep up to 1 GiB of freed memory, where it is one that can.

    An update frees and takes the same few blocks thousands of times a second. By default glibc gives larger ones back
    to the system, and getting them again, page by page, costs more than what is then computed in them.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
