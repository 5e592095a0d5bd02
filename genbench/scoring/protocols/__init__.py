"""Protocols: named, versioned ways of scoring. Values of different protocols never share a column."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

from genbench.errors import GenbenchError
from genbench.registry import metrics, protocols
from genbench.scoring.protocols import images, points
from genbench.scoring.protocols.base import Protocol
from genbench.spec import Component


def protocol(name: str) -> Protocol:
    """The protocol of that name; raises UnknownName, and GenbenchError for one that isn't as it should be."""
    entry = protocols[name]
    return _built(entry.build, entry.name, entry.version, tuple(entry.source.items()))


def ways(names: Iterable[str], added: Iterable[str] = ()) -> tuple[Protocol, ...]:
    """The protocols of those names, the first of them with the metrics that were added: tables and curves show it."""
    first, *others = map(protocol, names)
    return first.adding(added), *others


def are_ours(names: Iterable[str], added: Iterable[str] = ()) -> bool:
    """Whether of those `ways` neither the protocols nor any metrics come from a plugin."""
    used = ways(names, added)
    columns = (Component.resolve(metrics, metric) for way in used for metric in way.columns.values())
    return not any(way.source for way in used) and not any(column.source for column in columns)


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


__all__ = ["Protocol", "are_ours", "images", "points", "protocol", "ways"]
