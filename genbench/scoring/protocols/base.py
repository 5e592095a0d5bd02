"""What a protocol is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from genbench.errors import BadParameter, GenbenchError, UnknownName
from genbench.plugins import Source
from genbench.references import Reference, Value
from genbench.registry import metrics


@dataclass(frozen=True)
class Protocol:
    """Which metrics score how many samples.

    Args:
        n: how many samples are scored.
        columns: from a column's name to the reference of its metric; a metric with a parameter `n` of its own looks at
            that many of the first samples, any other at all `n`.
        headline: the columns of a printed table, where the dataset has them.
        deciding: the column that the verdict goes by, or where a dataset hasn't got it, the next.
        curve: the columns that are cheap enough for every checkpoint, on the first `curve_n` samples.
        curve_n: by default `n`.
        added: the columns that aren't the protocol's own, which `adding` gave it.
        name: that, the version and the source behind it, a plugin's, are those it is registered with.

    Raises GenbenchError for numbers, metrics, parameters and columns that there are not.
    """

    n: int
    columns: Mapping[str, str]
    headline: tuple[str, ...]
    deciding: tuple[str, ...]
    curve: tuple[str, ...] = ()
    curve_n: int | None = None
    added: tuple[str, ...] = ()
    name: str = ""
    version: int = 1
    source: Source = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in ("n", "curve_n"):
            given = getattr(self, key)
            if key == "curve_n" and given is None:
                continue
            if isinstance(given, bool) or not isinstance(given, int) or given < 1:
                raise GenbenchError(f"{key}={given!r} is no number of samples. Give a whole one of at least 1.")
        if self.curve_n is not None and self.curve_n > self.n:
            raise GenbenchError(f"curve_n={self.curve_n} is more than the {self.n} samples there are. Give at most n.")
        for column, reference in self.columns.items():
            wanted = looks_at(reference, f"The column {column!r}: ")
            if wanted is not None and wanted > self.n:
                raise GenbenchError(
                    f"The column {column!r}: {reference} looks at {wanted} samples and there are {self.n}. "
                    "Give n=… to the metric, or more samples to the protocol."
                )
        for part in ("headline", "deciding", "curve"):
            names = getattr(self, part)
            if isinstance(names, str):
                raise GenbenchError(f"{part}={names!r} is one text. Write {part}=({names!r},).")
            for name in names:
                if name not in self.columns:
                    raise UnknownName(f"column in {part}", name, self.columns)
            if len(set(names)) < len(names):
                raise GenbenchError(f"{part} names a column twice: {', '.join(names)}.")

    def __hash__(self) -> int:
        return hash((self.name, self.version, self.n, *self.columns.items()))

    def wanted(self, column: str) -> int:
        """How many samples a column looks at."""
        return looks_at(self.columns[column]) or self.n

    def adding(self, given: Iterable[str]) -> Protocol:
        """The protocol with a column for each of the given metrics that it hasn't got, after its own.

        A column is called what its metric is in its shortest form, or with all parameters where a column of another
        metric is called so. It is a main one and decides nothing. Raises GenbenchError for a metric that there isn't,
        that looks at more samples than there are, or whose column can't be told from another.
        """
        columns, known = dict(self.columns), {_resolved(metric) for metric in self.columns.values()}
        for metric in given:
            resolved = _resolved(metric)
            if resolved in known:
                continue
            known.add(resolved)
            spelled = str(Reference(resolved[0], dict(resolved[1])))
            names = [name for name in (metrics.label(metric), spelled) if name not in columns]
            if not names:
                raise GenbenchError(
                    f"The metric {metric} would be called as the column {spelled} of {self.name}, which is "
                    f"{columns[spelled]}. Register it under another name."
                )
            columns[names[0]] = metric
        added = tuple(name for name in columns if name not in self.columns)
        return replace(self, columns=columns, headline=(*self.headline, *added), added=(*self.added, *added))

    def only(self, names: Collection[str]) -> Protocol:
        """The protocol with the columns of those names alone, in its own order."""
        kept: dict[str, Any] = {
            part: tuple(name for name in getattr(self, part) if name in names)
            for part in ("headline", "deciding", "curve", "added")
        }
        return replace(self, columns={name: self.columns[name] for name in self.columns if name in names}, **kept)

    def along(self) -> Protocol:
        """The protocol as it scores at checkpoints."""
        n = self.curve_n or self.n
        columns = {name: _of_at_most(n, self.columns[name]) for name in self.curve}
        return replace(self.only(self.curve), n=n, columns=columns)


def _resolved(metric: str) -> tuple[str, tuple[tuple[str, Value], ...]]:
    """A metric with all parameters; raises UnknownName and BadParameter."""
    reference = Reference.parse(metric)
    return reference.name, tuple(sorted(metrics[reference.name].resolve(reference.parameters).items()))


def looks_at(metric: str, place: str = "") -> int | None:
    """How many samples a metric looks at if it says so itself; raises GenbenchError for a reference that is none.

    The error says in which `place` the reference stands.
    """
    try:
        reference = Reference.parse(metric)
        build = metrics[reference.name].build
        return _own_n(build, reference.name, tuple(reference.parameters.items()))
    except (BadParameter, UnknownName) as error:
        raise GenbenchError(f"{place}{error}") from None


@cache
def _own_n(build: Callable[..., Any], name: str, parameters: tuple[tuple[str, Value], ...]) -> int | None:
    """`build` is what the name stands for, which another plugin's may stand for later."""
    own = metrics[name].resolve(dict(parameters)).get("n")
    return own if isinstance(own, int) else None


def _of_at_most(n: int, metric: str) -> str:
    """The reference of the same metric on no more than `n` samples."""
    reference = Reference.parse(metric)
    own = looks_at(metric)
    return str(Reference(reference.name, {**reference.parameters, "n": min(own, n)})) if own else metric
