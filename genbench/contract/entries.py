"""What everything in a registry keeps to, whatever its kind."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Literal, get_args, get_origin

from genbench.contract.findings import require
from genbench.errors import BadParameter, Skip
from genbench.parameters import Home, named_in
from genbench.references import Value
from genbench.registry import Entry

SHORTEST_SUMMARY = 20
"""Letters of a docstring's first paragraph."""


def documents_itself(entry: Entry) -> str:
    """A docstring whose first paragraph is a sentence; `genbench list` and `show` print it."""
    require(bool(entry.doc), f"{entry.name} has no docstring, which is what genbench show prints.")
    require(
        entry.summary.endswith((".", ":", "?")),
        f"The docstring of {entry.name} must begin with a sentence that ends with a full stop, not {entry.summary!r}.",
    )
    require(
        len(entry.summary) > SHORTEST_SUMMARY,
        f"The docstring of {entry.name} must say what it is in more than {SHORTEST_SUMMARY} letters, not just "
        f"{entry.summary!r}.",
    )
    return entry.summary


def has_a_version(entry: Entry) -> str:
    """A whole number from 1 on, which rises with what comes out."""
    require(
        type(entry.version) is int and entry.version >= 1,
        f"version={entry.version!r} of {entry.name} must be a whole number from 1 on.",
    )
    return f"It is version {entry.version}."


def parameters_fit_their_types(entry: Entry) -> str:
    """Every default is a value that its parameter takes, and stays as it is."""
    if not entry.annotations:
        raise Skip("it has no parameters")
    for key, default in entry.defaults.items():
        resolved = entry.resolve(_needed(entry) | {key: default})[key]
        require(
            resolved == default and type(resolved) is type(default),
            f"The default {key}={default!r} of {entry.name} is not what its type makes of it: {resolved!r}.",
        )
    return f"It has {len(entry.annotations)}: {', '.join(entry.annotations)}."


def nonsense_is_refused(entry: Entry) -> str:
    """A value that doesn't fit, or a parameter that there isn't, is refused by name before anything runs."""
    if not entry.annotations:
        raise Skip("it has no parameters")
    for key, kind in entry.annotations.items():
        if not _is_free(kind) and not _takes_any(kind):
            require(
                _refuses(entry, {key: "nonsense"}),
                f"The parameter {key} of {entry.name} takes the text 'nonsense'. Give it a narrower type.",
            )
    require(_refuses(entry, {"unheard_of": 1}), f"{entry.name} takes a parameter that it doesn't have.")
    return "Values that don't fit are refused by the parameter's name."


CHECKS = (documents_itself, has_a_version, parameters_fit_their_types, nonsense_is_refused)


def _is_free(kind: Any) -> bool:
    """Whether a type takes any text."""
    return kind in (str, Annotated[str, Home()])


def _refuses(entry: Entry, given: dict[str, Value]) -> bool:
    try:
        entry.resolve(_needed(entry) | given)
    except BadParameter:
        return True
    return False


def _needed(entry: Entry) -> dict[str, Value]:
    """Something for each parameter without a default."""
    kinds = {key: kind for key, kind in entry.annotations.items() if key not in entry.defaults}
    return {key: _example(kind) for key, kind in kinds.items()}


def _example(kind: Any) -> Value:
    if (held := named_in(kind)) is not None:
        return str(next(iter(held)).name)
    return get_args(kind)[0] if get_origin(kind) is Literal else "1"


def _takes_any(kind: Any) -> bool:
    """Whether a type has room for any text."""
    return named_in(kind) is None and (kind is inspect.Parameter.empty or str in get_args(kind))
