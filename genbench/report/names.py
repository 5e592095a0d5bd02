"""What things are called, and in which order: by their labels and, where several carry one, by what differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from genbench.report.frame import Facts, Thing

WIDE = 20
"""More digits than a number in a name has."""


def names(things: Iterable[Thing], order: Sequence[str]) -> dict[Thing, str]:
    """A name for each thing, in the order of labels: its label, and what not all things under it share."""
    of_label: dict[str, set[Thing]] = {}
    for thing in things:
        of_label.setdefault(thing.label, set()).add(thing)
    named = {}
    for label in in_order(of_label, order):
        several = sorted(of_label[label], key=lambda thing: [*map(_natural, thing.said)])
        shared = set.intersection(*(set(thing.said) for thing in several))
        known = dict.fromkeys(fact for thing in several for fact in thing.said if fact not in shared)
        for thing in several:
            differing = apart(thing.said, tuple(shared)) or f"without {', '.join(known)}"
            named[thing] = f"{label} ({differing})" if known else label
    return named


def in_order(labels: Iterable[str], order: Sequence[str]) -> list[str]:
    """Each label once: those in `order` as they stand there, then the others by the alphabet and by number."""
    places = {label: place for place, label in enumerate(order)}
    return sorted(set(labels), key=lambda label: (places.get(label, len(places)), _natural(label)))


def apart(one: Facts, other: Facts) -> str:
    """The facts of one that the other doesn't share, in words."""
    return ", ".join(fact for fact in one if fact not in other)


def _natural(text: str) -> list[str]:
    """By what texts are sorted so that numbers in them stand in order."""
    return [part.zfill(WIDE) if part.isdigit() else part for part in re.split(r"(\d+)", text)]
