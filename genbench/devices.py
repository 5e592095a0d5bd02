"""The devices that samples and networks live on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench.errors import GenbenchError

if TYPE_CHECKING:
    import torch

NAMES = "auto, cpu, cuda or cuda:N"


def resolve(device: str) -> str:
    """`auto` is the accelerator where torch finds one, else the processor; one of several becomes torch's present one.

    Streams, events and graphs are the present device's, whatever tensors they are used with.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if ":" in device:
        torch.cuda.set_device(device)
    return device


def check(device: str) -> None:
    """Raises GenbenchError for a device that there is not."""
    if device in ("auto", "cpu"):
        return
    kind, _, index = device.partition(":")
    if kind != "cuda" or (":" in device and not index.isdigit()):
        raise GenbenchError(f"No device is named {device!r}. Give --device {NAMES}.")
    import torch

    count = torch.cuda.device_count()
    if int(index or 0) >= count:
        raise GenbenchError(f"torch finds {count} CUDA devices here, so {device} can't be used. Give --device cpu.")


def free_bytes(device: torch.device) -> int:
    """The memory of a CUDA device that nothing takes."""
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return free
