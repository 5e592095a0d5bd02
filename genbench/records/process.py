"""Which process wrote something, and whether it is still there: names that hold on one machine and beyond."""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from functools import cache
from pathlib import Path

NAME = re.compile(r"([A-Za-z0-9_-]*)-(\d+)-(\d+)")
"""Machine, process and when it started, in ticks since the machine did."""


def here() -> str:
    """The name of this process: no other had it, has it or will have it on this machine since it was started."""
    return _named(os.getpid())


def is_here(name: str) -> bool:
    """Whether a process of that name runs on this machine, whatever it does or has been stopped from doing."""
    match = NAME.fullmatch(name)
    return match is not None and match[1] == _machine() and not is_gone(name)


def is_gone(name: str) -> bool:
    """Whether the process of that name is known to have ended; of other machines' nothing is known."""
    match = NAME.fullmatch(name)
    return match is not None and match[1] == _machine() and _started(int(match[2])) != int(match[3])


@cache
def _named(pid: int) -> str:
    return f"{_machine()}-{pid}-{_started(pid)}"


@cache
def _machine() -> str:
    """The machine, its boot and the container, in another of which the same number is another process."""
    boot = space = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
        space = str(Path("/proc/self/ns/pid").readlink())
    return re.sub(r"[^A-Za-z0-9]+", "_", f"{platform.node()}_{boot}_{space}").strip("_")


def _started(pid: int) -> int:
    """When a process started, 0 where that can't be told, -1 where there is none, or one that has ended unnoticed."""
    try:
        # The command's name, in brackets, may hold anything.
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return -1 if state[0] in "ZX" else int(state[19])
    except (OSError, ValueError, IndexError):
        return 0 if _is_alive(pid) else -1


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
