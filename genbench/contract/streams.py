"""Random streams as checks need them: those of their own, and a look at the process's global ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Generator

from genbench import seeding
from genbench.contract.findings import Broken
from genbench.engine.global_streams import seeded, standing_now


def stream(seed: int = 0) -> Generator:
    """A fresh stream of the checks' own."""
    return seeding.stream(seed, seeding.CONTRACT)


@contextmanager
def global_streams_left_alone(what: str) -> Iterator[None]:
    """Raises Broken where the process's global streams are others afterwards: `what` drew from them or seeded them."""
    with seeded(seeding.derive(0, seeding.CONTRACT)):  # a state that nobody seeds them to
        before = standing_now()
        yield
        changed = [name for name, state in standing_now().items() if not state.equal(before[name])]
    if changed:
        raise Broken(
            f"{what} draws from, or seeds, a global random stream of the process: that of {', '.join(changed)}. "
            "Draw from the stream that is given."
        )
