"""Ctrl-C, politely: the first asks running tasks to keep their checkpoints and stop, the second stops at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

STOPPING = b"\nStopping where it can go on from; once more to stop at once.\n"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(asked: Callable[[], bool] = lambda: False) -> Iterator[Callable[[], bool]]:
    """Within, SIGINT and SIGTERM say so and set a flag; yields the question whether it is set, or it is `asked`.

    A second signal raises KeyboardInterrupt where the program stands. Outside the main thread, which alone may
    handle signals, the flag is never set.
    """
    flag = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if flag.is_set():
            raise KeyboardInterrupt
        flag.set()
        # Not by print, which may be what was interrupted.
        with suppress(OSError):
            os.write(2, STOPPING)

    def is_to_stop() -> bool:
        return flag.is_set() or asked()

    if threading.current_thread() is not threading.main_thread():
        yield is_to_stop
        return
    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield is_to_stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
