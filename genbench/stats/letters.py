"""A compact display of which pairs differ."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable, Sequence

LETTERS = string.ascii_lowercase + string.ascii_uppercase


def letters(labels: Sequence[str], differ: Callable[[str, str], bool]) -> dict[str, str]:
    """Letters such that two labels share one exactly if they don't differ (Piepho, 2004).

    Labels come in order; the first has an `a`. What comes after the 52nd letter is a number in brackets.
    """
    groups: list[set[str]] = [set(labels)]
    for one, other in itertools.combinations(labels, 2):
        if differ(one, other):
            split = [group for group in groups if {one, other} <= group]
            groups = [group for group in groups if group not in split]
            for group in (part for whole in split for part in (whole - {other}, whole - {one})):
                if not any(group <= kept for kept in groups):
                    groups = [kept for kept in groups if not kept <= group] + [group]
    groups.sort(key=lambda group: [label not in group for label in labels])
    return {label: "".join(_letter(i) for i, group in enumerate(groups) if label in group) for label in labels}


def _letter(i: int) -> str:
    return LETTERS[i] if i < len(LETTERS) else f"({i + 1})"
