"""What a check has to say: kept, broken or not applicable, and a sentence in plain words."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from genbench.errors import GenbenchError, Skip

Outcome = Literal["passed", "failed", "not applicable"]
Subject = TypeVar("Subject")
Check = Callable[[Subject], str]
"""Looks at one thing and says in a sentence what it found; raises Broken, or Skip where it doesn't apply."""


@dataclass(frozen=True)
class Checked:
    """What one check found: its name, whether the promise is kept, and a sentence that says why."""

    check: str
    outcome: Outcome
    told: str

    @property
    def failed(self) -> bool:
        """Whether a promise is broken."""
        return self.outcome == "failed"

    def __str__(self) -> str:
        return f"{self.check}: {self.outcome}. {self.told}"


class Broken(Exception):
    """A promise that isn't kept; the message says in plain words which one, and perhaps what to do."""


def require(kept: bool, told: str) -> None:
    """Raises Broken, which says `told`, unless the promise is kept."""
    if not kept:
        raise Broken(told)


def finding(name: str, look: Callable[[], str]) -> Checked:
    """Runs one look at something; whatever a stranger's code raises is a finding too."""
    try:
        return Checked(name, "passed", look())
    except Skip as skip:
        return Checked(name, "not applicable", _sentence(str(skip)))
    except (Broken, GenbenchError) as error:
        return Checked(name, "failed", _sentence(str(error)))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return Checked(name, "failed", _sentence(f"{type(error).__name__}: {error} ({place})"))


def examine(check: Check[Subject], subject: Subject) -> Checked:
    """Runs one check."""
    return finding(check.__name__.replace("_", " "), lambda: check(subject))


def examined(checks: Sequence[Check[Subject]], subject: Subject) -> Iterator[Checked]:
    """Runs checks one after the other, each as it is asked for."""
    return (examine(check, subject) for check in checks)


def number(value: float) -> str:
    """A number as sentences show it."""
    return f"{value:.3g}" if math.isfinite(value) else str(value)


def _sentence(text: str) -> str:
    """One line that ends with a full stop, and begins with a capital unless with a name of code."""
    line = " ".join(text.split())
    if line.partition(" ")[0].isalpha():
        line = f"{line[:1].upper()}{line[1:]}"
    return line if line.endswith((".", "!", "?")) else f"{line}."
