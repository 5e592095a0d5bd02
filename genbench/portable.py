"""Arithmetic that doesn't depend on whose x86-64 processor computes it: docs/portable.md says where that holds.

Libraries choose their code by the processor as they are loaded. Variables of the environment hold all of them to AVX2
and FMA, which nearly every processor has since 2015, so they are set before torch and NumPy are imported; processes
that are started then have them as well.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genbench.errors import GenbenchError

if TYPE_CHECKING:
    from torch import Tensor

PINNED = {
    "ATEN_CPU_CAPABILITY": "avx2",  # torch's own loops
    "MKL_CBWR": "COMPATIBLE",  # products, LAPACK and functions of numbers: MKL's one path that all makers share
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # convolutions
    "TORCHINDUCTOR_CPP_MARCH": "x86-64-v3",  # compiled updates
    "NPY_ENABLE_CPU_FEATURES": "X86_V3",
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy's and SciPy's linear algebra
    "OPENBLAS_NUM_THREADS": "1",  # by default one a core, and sums in another order
}
"""What libraries read as they are loaded."""

OPPOSED = ("NPY_DISABLE_CPU_FEATURES",)
"""What can't be set as well."""

VECTOR_BITS = 256
"""The width of the vectors in code that Inductor writes."""

INSTRUCTIONS = ("avx2", "fma", "f16c", "bmi1", "bmi2")
"""What a processor must have, in the words of Linux."""

NUMPY = (2, 4)
"""The first NumPy that calls its instructions so."""


def pin() -> None:
    """Holds this process, and those that it starts, to portable arithmetic.

    Raises GenbenchError where the processor lacks it, and where torch or NumPy have been loaded without it.
    """
    if lacking := lacks():
        raise GenbenchError(f"Portable arithmetic can't be had here: {lacking}. Leave --portable out.")
    if not is_pinned() and (loaded := [name for name in ("torch", "numpy") if name in sys.modules]):
        raise GenbenchError(
            f"{' and '.join(loaded)} chose code for this processor before --portable could hold them. Give it to "
            "genbench run in a shell, or call genbench.portable.pin() before all imports."
        )
    _hold()


@contextmanager
def pinned() -> Iterator[None]:
    """Processes that are started within are held to portable arithmetic; this one is not."""
    before = {name: os.environ.get(name) for name in (*PINNED, *OPPOSED)}
    _hold()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def is_pinned() -> bool:
    """Whether this process is held to portable arithmetic."""
    return all(os.environ.get(name) == value for name, value in PINNED.items())


def lacks() -> str | None:
    """Why there can be no portable arithmetic here, or None."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return f"it needs Linux on x86-64, and this is {platform.system()} on {platform.machine()}"
    if missing := [each for each in INSTRUCTIONS if each not in _instructions()]:
        return f"the processor has no {', '.join(missing)}"
    if tuple(int(part) for part in version("numpy").split(".")[:2]) < NUMPY:
        return f"it needs NumPy {'.'.join(map(str, NUMPY))} or later, and this is {version('numpy')}"
    return None


def told(device: str) -> dict[str, Any] | None:
    """What decides portable bits besides packages, for a record; None where a device's or a processor's own decide."""
    if not is_pinned() or device != "cpu":
        return None
    return {
        "instructions": PINNED["ATEN_CPU_CAPABILITY"],
        "libc": " ".join(platform.libc_ver()),
        "compiler": _compiler(),
    }


@cache
def round_roots() -> None:
    """Has torch take square roots on the processor as IEEE 754 rounds them, from here on in this process.

    Of MKL's portable roots of float32 one of five is off by a bit, and which one depends on the processor's estimates.
    """
    import warnings

    import torch

    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there was a way before
        for name, kernel in (("sqrt", _root), ("sqrt_", _root_in_place), ("sqrt.out", _root_into)):
            library.impl(name, kernel, "CPU")  # type: ignore[no-untyped-call]
    _libraries.append(library)


_libraries: list[Any] = []
"""Torch forgets what is registered when nobody holds it."""


def _root(x: Tensor) -> Tensor:
    import numpy as np
    import torch

    if x.is_complex():
        size = x.abs()
        half = torch.complex(_root((size + x.real).clamp(min=0) / 2), _root((size - x.real).clamp(min=0) / 2))
        return torch.where(x.imag < 0, half.conj(), half)
    if x.dtype not in (torch.float32, torch.float64):
        into = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        return _root(x.to(torch.float32 if x.is_floating_point() else into)).to(into)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(np.asarray(np.sqrt(x.detach().numpy())))


def _root_in_place(x: Tensor) -> Tensor:
    return x.copy_(_root(x))


def _root_into(x: Tensor, *, out: Tensor) -> Tensor:
    if out.shape != x.shape:
        out.resize_(x.shape)
    return out.copy_(_root(x))


def _hold() -> None:
    os.environ.update(PINNED)
    for name in OPPOSED:
        os.environ.pop(name, None)


def _instructions() -> set[str]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return set(next((line.partition(":")[2] for line in lines if line.startswith("flags")), "").split())


@cache
def _compiler() -> str | None:
    """The version of the compiler that updates are compiled by; None without one."""
    try:
        command = [os.environ.get("CXX", "g++"), "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return None
