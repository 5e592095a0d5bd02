"""Protocols: named, versioned ways of scoring. Values of different protocols never share a column."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

from genbench.errors import GenbenchError
from genbench.registry import protocols
from genbench.scoring.protocols import images, points
from genbench.scoring.protocols.base import Protocol


def protocol(name: str) -> Protocol:
    """The protocol of that name; raises UnknownName, and GenbenchError for one that isn't as it should be."""
    entry = protocols[name]
    return _built(entry.build, entry.name, entry.version, tuple(entry.source.items()))


def ways(names: Iterable[str], metrics: Iterable[str] = ()) -> tuple[Protocol, ...]:
    """The protocols of those names, the first of them with the metrics that were added: tables and curves show it."""
    first, *others = map(protocol, names)
    return first.adding(metrics), *others


@cache
def _built(build: Callable[[], Protocol], name: str, version: int, source: tuple[tuple[str, str], ...]) -> Protocol:
    try:
        made = build()
    except GenbenchError as error:
        raise GenbenchError(f"The protocol {name!r}: {error}") from None
    if not isinstance(made, Protocol):
        raise GenbenchError(f"The protocol {name!r} gave {made!r}. Let it return an api.Protocol.")
    if not made.columns:
        raise GenbenchError(f"The protocol {name!r} has no columns. Name some: columns={{'hq': 'hq'}}.")
    return replace(made, name=name, version=version, source=dict(source))


__all__ = ["Protocol", "images", "points", "protocol", "ways"]
