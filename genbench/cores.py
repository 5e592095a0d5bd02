"""Cores beside the one that a process works on: pieces of work side by side, to the same bits as one after the other.

torch computes every operation on one thread here (see `executors.process`), so no bits depend on how many cores there
are. What goes side by side are whole pieces, each computed as it would be alone. Without a core to spare a process does
all of them itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_pool: ThreadPoolExecutor | None = None
_spare = 0
_most: int | None = None


def available() -> int:
    """The cores that this process may run on."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return there if _most is None else min(there, _most)


@contextmanager
def limited(most: int) -> Iterator[None]:
    """Within, no more than so many cores are available, as where others of the machine are others'."""
    global _most
    before, _most = _most, most
    try:
        yield
    finally:
        _most = before


def are_spared() -> bool:
    """Whether this process has any beside its own now."""
    return _spare > 0


@contextmanager
def spared(count: int) -> Iterator[None]:
    """Within, so many cores beside its own are this process's to use."""
    global _pool, _spare
    before = _pool, _spare
    if count < 1:
        _pool, _spare = None, 0
        try:
            yield
        finally:
            _pool, _spare = before
        return
    pool = ThreadPoolExecutor(count, "aside", _on_one_thread)
    _pool, _spare = pool, count
    try:
        yield
    except KeyboardInterrupt:  # at once: what hasn't begun never will
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    finally:
        _pool, _spare = before
        pool.shutdown()


def _on_one_thread() -> None:
    """Has torch compute each operation on the thread that asks for it, as where the process itself works."""
    import torch

    torch.set_num_threads(1)


def side_by_side(function: Callable[[Item], Result], items: Sequence[Item], *, alone: bool = False) -> list[Result]:
    """`function` of each of the items, in their order; it must change nothing that another call reads.

    With `alone`, one after the other all the same: on a device, which does what it is given one after the other anyway,
    and where a stranger's code takes part.
    """
    if alone:
        return [function(item) for item in items]
    results: dict[int, Result] = {}
    places = iter(range(len(items)))  # each is taken by one thread alone

    def work() -> None:
        for place in places:
            results[place] = function(items[place])

    helpers = [_pool.submit(work) for _ in range(min(_spare, len(items) - 1))] if _pool is not None else []
    try:
        work()
    finally:
        for _ in places:  # after an error nothing more is begun
            pass
        running = [helper for helper in helpers if not helper.cancel()]
    for helper in running:
        helper.result()
    return [results[place] for place in range(len(items))]


def aside(work: Callable[[], Result]) -> Callable[[], Result]:
    """Begins the work on a spare core, or does it at once where there is none; gives what waits for its result.

    Work that nobody had time to begin by then is done by whoever asks for it.
    """
    if _pool is None:
        result = work()
        return lambda: result
    future: Future[Result] = _pool.submit(work)
    return lambda: work() if future.cancel() else future.result()
