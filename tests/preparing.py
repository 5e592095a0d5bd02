"""Decoding into the cache, also in other processes, which import it under the name that it has here."""

from pathlib import Path

from genbench.datasets import cache
from genbench.datasets.decoding import Transform
from genbench.datasets.sources import open_source

TRANSFORM = Transform(16)


def quiet(done, total):
    pass


def prepared(path, transform=TRANSFORM, progress=quiet):
    return cache.prepare("made-up", open_source(path), transform, progress)


def prepare_and_count(path):
    """Where the entry is, and how often this process heard of progress."""
    heard = []
    entry = prepared(Path(path), progress=lambda done, total: heard.append(done))
    return str(entry.folder), len(heard)
