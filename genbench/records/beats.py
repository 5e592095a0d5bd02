"""What runs are at, as they say every few seconds in a file beside their results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from genbench.records import atomic, process, reading
from genbench.records.record import Count, Number
from genbench.spec import Frozen

NAME = ".run-{}.json"
EVERY_SECONDS = 5.0
SILENT_SECONDS = 60.0
"""From a run of another machine that has said nothing for so long nothing more is to be expected."""


class Running(Frozen):
    """A task of a run: the share of it that is done, generator steps, and the time that it still needs, in words."""

    name: str
    share: Number
    steps: Count
    rate: str


class Beat(Frozen):
    """A run that goes on: `finished` of `total` trials have ended, so many in each of the `statuses`.

    `started` and `written` are seconds since 1970, `left` is how long the rest will take, in words.
    """

    run: str
    suite: str
    command: str
    started: Number
    written: Number
    total: Count
    finished: Count = 0
    statuses: dict[str, Count] = {}
    left: str = ""
    running: tuple[Running, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether its process is known to be gone."""
        return process.is_gone(self.run)


def path_of(root: Path, run: str) -> Path:
    """Where a run of that name says what it is at."""
    return root / NAME.format(run)


def write(root: Path, beat: Beat) -> None:
    """Says what a run is at; raises OSError where that can't be written."""
    atomic.write_model(path_of(root, beat.run), beat)


def read(root: Path) -> Iterator[Beat]:
    """The runs of a results folder that have said what they are at and not that they have ended."""
    for path in sorted(root.glob(NAME.format("*"))):
        try:
            yield Beat.model_validate(reading.payload(path))
        except (OSError, ValueError, RecursionError, ValidationError):
            continue
