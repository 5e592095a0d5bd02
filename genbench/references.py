"""References: how people name a registered thing with its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from unicodedata import category

from genbench.errors import BadParameter

Value = bool | int | float | str | None
"""What a parameter may be."""

QUOTED = re.compile(r"""\s*("(?:[^"]|"")*"|'(?:[^']|'')*')""")
"""A text in quotes, in which the quote itself is doubled."""

SPECIAL = re.compile(r""",|^["'\s]|\s$|^$|=\s*["']""")
"""What a value has to have to need quotes, but for brackets that don't pair."""


class Spelled(str):
    """A value as someone wrote it, which its parameter's own type makes something of (`genbench.registry`)."""


@dataclass(frozen=True)
class Reference:
    """A name with parameters, as people type it: `wgan-gp[penalty=1,critic_steps=3]`."""

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Reads `name` or `name[key=value,…]`, each value as it is `Spelled`; raises BadParameter for other texts.

        A value with a comma, or with brackets that don't pair, stands in quotes: `images[path="a,b"]`.
        """
        match = re.fullmatch(r"\s*([^\[\]\s]+)\s*(?:\[(.*)\])?\s*", text, re.DOTALL)
        if match is None:
            raise BadParameter(f"{text!r} is not a reference. Write name or name[key=value,key=value].")
        name, inside = match.groups()
        parameters: dict[str, Value] = {}
        for pair in filter(None, map(str.strip, _at_commas(inside or ""))):
            key, equals, value = map(str.strip, pair.partition("="))
            if not (key and equals and value):
                raise BadParameter(
                    f"{pair!r} in {text!r} is not a parameter. Write {name}[key=value], a value with a comma in quotes."
                )
            if key in parameters:
                raise BadParameter(f"{text!r} gives {key} twice.")
            parameters[key] = _unquoted(value, key)
        return cls(name, parameters)

    def __str__(self) -> str:
        inside = ",".join(f"{key}={format_value(value)}" for key, value in sorted(self.parameters.items()))
        return f"{self.name}[{inside}]" if inside else self.name


def printable(text: str) -> str:
    """A text that is one line and that UTF-8 can hold: what of a file's name is neither is written as its number."""
    shown = (c.encode("unicode_escape").decode() if category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return "".join(shown).encode("utf-8", "backslashreplace").decode()


def parse_value(text: str) -> Value:
    """`3` is an int, `3.5` and `1e-4` floats, `true`/`false` bools, `none` None; the rest is text."""
    constants: dict[str, Value] = {"true": True, "false": False, "none": None}
    if text.lower() in constants:
        return constants[text.lower()]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text


def format_value(value: Value) -> str:
    """A value as it is written in a reference: whole floats without a fraction, text in quotes where it needs them."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and (SPECIAL.search(value) or not _pairs(value)):
        doubled = value.replace('"', '""')
        return f'"{doubled}"'
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def split_references(text: str) -> list[str]:
    """Splits `gan,wgan-gp[penalty=1,lr=2e-3]` at the commas outside brackets and quotes."""
    return list(filter(None, map(str.strip, _at_commas(text))))


def _at_commas(text: str) -> list[str]:
    """The parts of a text between commas outside brackets and quotes; a quoted value follows its equals sign."""
    parts, start, depth, place = [], 0, 0, 0
    while place < len(text):
        letter = text[place]
        if letter == "=" and (quoted := QUOTED.match(text, place + 1)):
            place = quoted.end()
            continue
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth <= 0:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    return [*parts, text[start:]]


def _unquoted(value: str, key: str) -> Spelled:
    """What a value says; raises BadParameter where its quotes or brackets don't pair."""
    if QUOTED.fullmatch(value):
        return Spelled(value[1:-1].replace(value[0] * 2, value[0]))
    if value[0] in "\"'" or not _pairs(value):
        raise BadParameter(f'The value of {key} can\'t be told from what follows it. Put it in quotes: {key}="…"')
    return Spelled(value)


def _pairs(value: str) -> bool:
    """Whether every bracket in a value has its other one."""
    depth = 0
    for letter in value:
        depth += (letter == "[") - (letter == "]")
        if depth < 0:
            return False
    return depth == 0
