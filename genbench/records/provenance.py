"""Where a record came from: code, packages, machine, command. None of it decides a trial's identity."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import genbench
from genbench import portable

PACKAGES = (
    "genbench", "torch", "torchvision", "torchmetrics", "numpy", "scipy", "POT", "pandas", "pillow", "pydantic",
    "safetensors",
)  # fmt: skip

PACKAGE = Path(genbench.__file__).resolve().parent
NO_COMMIT: dict[str, Any] = {"commit": None, "dirty": None}

CUBLAS_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
"""The environment variable from which cuBLAS takes its buffers as CUDA starts."""


def gather(device: str, command: str) -> dict[str, Any]:
    """The provenance of something made now, on `device`, by `command`."""
    import torch

    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        **git_state(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": packages(),
        "torch_build": {"cuda": torch.version.cuda, "debug": torch.version.debug},
        "device": device_name(device),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "flags": flags(device),
    }


def flags(device: str = "cpu") -> dict[str, Any]:
    """The settings that decide bits: torch's defaults, precisions of float32, whether results repeat, and where."""
    import torch

    cudnn: Any = torch.backends.cudnn
    return {
        "dtype": str(torch.get_default_dtype()).removeprefix("torch."),
        "default_device": str(torch.get_default_device()),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "cudnn_conv_precision": cudnn.conv.fp32_precision,
        "cudnn_rnn_precision": cudnn.rnn.fp32_precision,
        "cudnn_deterministic": cudnn.deterministic,
        "cudnn_benchmark": cudnn.benchmark,
        "cublas_workspace": os.environ.get(CUBLAS_WORKSPACE),
        "portable": portable.told(device),
    }


def packages() -> dict[str, str | None]:
    """The version of each package that results depend on; None where it isn't installed."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return versions


@cache
def git_state() -> dict[str, Any]:
    """The commit of genbench's own checkout, where it runs from one, and whether tracked files differ from it."""
    try:
        if Path(_git("rev-parse", "--show-toplevel")) != PACKAGE.parent:
            return NO_COMMIT
        return {
            "commit": _git("rev-parse", "HEAD"),
            "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return NO_COMMIT


def device_name(device: str) -> str:
    """What people call the device: the processor's or the accelerator's model."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _git(*arguments: str) -> str:
    """What git says of genbench's own folder, wherever the command was given; it starts nothing to watch files."""
    command = ["git", "-C", str(PACKAGE), "-c", "core.fsmonitor=false", *arguments]
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10, env=own)
    return result.stdout.strip()
