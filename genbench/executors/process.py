"""What a process that trains and scores is set up to."""

from __future__ import annotations

import ctypes
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import torch

from genbench.engine import Precision
from genbench.records.provenance import CUBLAS_WORKSPACE

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Options of the C library's `mallopt`."""

KEPT_BYTES = 2**30
FIXED_WORKSPACE = ":4096:8"
"""Eight buffers of 4 MiB: with these cuBLAS gives the same bits each time."""


class Flags(NamedTuple):
    """Settings of torch that change bits or the time that they take.

    `products`, `convolutions` and `recurrences` are the precisions of float32: of products in the words of
    `torch.set_float32_matmul_precision`, of what cuDNN computes `ieee`, `tf32`, or `none` where torch is to choose.
    """

    threads: int
    products: str
    convolutions: str
    recurrences: str
    deterministic: bool
    benchmark: bool


@contextmanager
def run_conditions(precision: Precision = "highest") -> Iterator[None]:
    """Runs torch on one thread, since trials go side by side and threads would change the bits; keeps freed memory.

    `precision` is that of float32 products; cuDNN may use TF32 where it is `high` or `medium`. cuDNN takes algorithms
    that give the same bits each time and tries none out. torch's settings are as before afterwards; cuBLAS's fixed
    workspace stays, since it is read once, when CUDA starts.
    """
    _keep_freed_memory()
    _fix_workspace()
    before = _flags()
    tf32 = "tf32" if precision in ("high", "medium") else "ieee"
    products = "highest" if precision == "bf16" else precision
    _set(Flags(1, products, tf32, tf32, deterministic=True, benchmark=False))
    try:
        yield
    finally:
        _set(before)


def _flags() -> Flags:
    cudnn: Any = torch.backends.cudnn
    return Flags(
        torch.get_num_threads(),
        torch.get_float32_matmul_precision(),
        cudnn.conv.fp32_precision,
        cudnn.rnn.fp32_precision,
        cudnn.deterministic,
        cudnn.benchmark,
    )


def _set(flags: Flags) -> None:
    cudnn: Any = torch.backends.cudnn
    torch.set_num_threads(flags.threads)
    torch.set_float32_matmul_precision(flags.products)
    with warnings.catch_warnings():
        # The older name of the same switch. Some versions of torch call it deprecated; Inductor reads it, and torch
        # refuses to say where the two disagree.
        warnings.simplefilter("ignore")
        cudnn.allow_tf32 = flags.convolutions == "tf32"
    cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision = flags.convolutions, flags.recurrences
    cudnn.deterministic, cudnn.benchmark = flags.deterministic, flags.benchmark


def _fix_workspace() -> None:
    """Has cuBLAS work in fixed buffers, unless the user chose others or CUDA runs already, which is then too late."""
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        os.environ.setdefault(CUBLAS_WORKSPACE, FIXED_WORKSPACE)


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
