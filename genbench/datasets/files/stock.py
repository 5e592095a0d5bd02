"""What a dataset of images is made of: where it lies, what it becomes, and whether it is sound. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from genbench.datasets.files import cache, splits
from genbench.datasets.files.cache import Cached
from genbench.datasets.files.sources import Source, open_source
from genbench.datasets.files.splits import Split
from genbench.datasets.files.transforms import Progress, Transform
from genbench.errors import GenbenchError

LEAST_IMAGES = 50


class Stock(Protocol):
    """A dataset's images, before anything is built of them."""

    @property
    def where(self) -> Path:
        """The folder or file that is, or would be, read."""

    @property
    def present(self) -> bool:
        """Whether it is there."""

    def fingerprints(self) -> dict[str, str]:
        """What of the data decides a trial, as hashes; raises GenbenchError where the data is missing."""

    def find(self) -> Cached | None:
        """The decoded images, if they are in the cache."""

    def prepare(self, progress: Progress) -> Cached:
        """The decoded images, decoded now if need be."""

    @property
    def left_out(self) -> str:
        """What lies there and is no image, and why, in words; empty where nothing is."""

    def check(self, progress: Progress) -> list[str]:
        """Reads all that there is to read; raises GenbenchError for what is wrong with it, and returns what to know."""


@dataclass(frozen=True)
class Pictures:
    """A stock of image files: the first of `places` that is there, else `missing` says what to do.

    `name` is what people call its entry in the cache, `key` what its fingerprint goes by, and `partition` a file that
    gives the split.
    """

    name: str
    key: str
    places: tuple[Path, ...]
    missing: str
    transform: Transform
    partition: Path | None = None

    @cached_property
    def where(self) -> Path:
        return next((place for place in self.places if place.exists()), self.places[0])

    @property
    def present(self) -> bool:
        return self.where.exists()

    @cached_property
    def source(self) -> Source:
        """The images; raises GenbenchError where they are missing or too few."""
        if not self.present:
            raise GenbenchError(self.missing)
        source = open_source(self.where)
        if len(source.names) < LEAST_IMAGES:
            raise GenbenchError(
                f"{self.where} holds {len(source.names)} images, and at least {LEAST_IMAGES} are needed to train with "
                "some and measure with others. Add more."
            )
        return source

    @cached_property
    def split(self) -> Split:
        """Which part each image is in."""
        names = self.source.names
        given = splits.listed(names, self.partition) if self.partition and self.partition.exists() else None
        return given or splits.by_name(names)

    def fingerprints(self) -> dict[str, str]:
        split = {"split": self.split.fingerprint} if self.partition else {}
        return {self.key: self.source.fingerprint} | split

    def find(self) -> Cached | None:
        return cache.find(cache.key_of(self.name, self.source, self.transform))

    def prepare(self, progress: Progress) -> Cached:
        return cache.prepare(self.name, self.source, self.transform, progress)

    @property
    def left_out(self) -> str:
        return self.source.left_out

    def check(self, progress: Progress) -> list[str]:
        """How many images and classes there are, what is left out, and whether it is all as it was when last read."""
        from genbench.datasets.files.decoding import decode_all

        source = self.source
        changed = source.has_changed()
        seen = decode_all(source, self.transform, lambda pixels: None, progress)
        seen.check_light(source.path)
        classes = f" in {len(source.classes)} classes" if source.classes else ""
        return [
            f"{len(source.names):,} images{classes}",
            *(["changed since it was last read"] if changed else []),
            *([f"of {seen.several:,} with several frames the first is read"] if seen.several else []),
            *([f"left out: {source.left_out}"] if source.left_out else []),
        ]


def silent(done: int, total: int) -> None:
    """Hears of progress and keeps it to itself."""
