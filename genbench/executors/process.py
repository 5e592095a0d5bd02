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

from genbench import portable
from genbench.engine import Precision
from genbench.plugins import left_alone
from genbench.records.provenance import CUBLAS_WORKSPACE

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Options of the C library's `mallopt`."""

KEPT_BYTES = 2**30
FIXED_WORKSPACE = ":4096:8"
"""Eight buffers of 4 MiB: with these cuBLAS gives the same bits each time."""


class Flags(NamedTuple):
    """Settings of torch that change bits or the time that they take, and that any code may change for all others.

    `products`, `convolutions` and `recurrences` are the precisions of float32: of products in the words of
    `torch.set_float32_matmul_precision`, of what cuDNN computes `ieee`, `tf32`, or `none` where torch is to choose.
    `dtype` and `device` are what new tensors are by default, `strict` is whether an operation raises that has no
    deterministic way.
    """

    threads: int
    products: str
    convolutions: str
    recurrences: str
    deterministic: bool
    benchmark: bool
    dtype: torch.dtype = torch.float32
    device: str = "cpu"
    gradients: bool = True
    anomalies: bool = False
    strict: bool = False


@contextmanager
def run_conditions(precision: Precision = "highest") -> Iterator[None]:
    """Runs torch on one thread, since trials go side by side and threads would change the bits; keeps freed memory.

    `precision` is that of float32 products; cuDNN may use TF32 where it is `high` or `medium`. cuDNN takes algorithms
    that give the same bits each time and tries none out. New tensors are float32 and on the processor by default.
    Afterwards torch's settings are as before, and so is all else of the process that code within may have changed for
    whatever comes next (`left_alone`); cuBLAS's fixed workspace stays, since it is read once, when CUDA starts.
    """
    _keep_freed_memory()
    _fix_workspace()
    if portable.is_pinned():
        portable.round_roots()
    before = _flags()
    tf32 = "tf32" if precision in ("high", "medium") else "ieee"
    products = "highest" if precision == "bf16" else precision
    _set(Flags(1, products, tf32, tf32, deterministic=True, benchmark=False))
    try:
        with left_alone():
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
        torch.get_default_dtype(),
        str(torch.get_default_device()),
        torch.is_grad_enabled(),
        torch.is_anomaly_enabled(),
        torch.are_deterministic_algorithms_enabled(),
    )


def _set(flags: Flags) -> None:
    cudnn: Any = torch.backends.cudnn
    torch.set_num_threads(flags.threads)
    torch.set_default_dtype(flags.dtype)
    if flags.device != str(torch.get_default_device()):  # setting it makes each operation slower, even to the same
        torch.set_default_device(None if flags.device == "cpu" else flags.device)
    torch.set_grad_enabled(flags.gradients)
    torch.autograd.set_detect_anomaly(flags.anomalies)
    if flags.strict != torch.are_deterministic_algorithms_enabled():
        torch.use_deterministic_algorithms(flags.strict)
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
