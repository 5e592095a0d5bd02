"""The errors genbench raises for input it can't use: what was given, what fits, what to type next."""

import difflib
from collections.abc import Iterable


class GenbenchError(Exception):
    """Input that genbench can't use. The command line prints the message and exits with 2."""


class UnknownName(GenbenchError):
    """A name that no registry holds; the message suggests the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], note: str = "") -> None:
        known = sorted(set(known))
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known) or 'none'}."
        super().__init__(f"No {kind} is named {name!r}. {hint}{' ' + note if note else ''}")


class BadParameter(GenbenchError):
    """A parameter that a registered thing doesn't have, or a value outside what it takes."""


class Skip(Exception):
    """Raised where something can't apply, say a mode metric on data without modes: a reason, not a failure."""


class Undefined(Skip):
    """Raised where a metric applies but the samples leave it nothing to measure: they are worse than any others."""
