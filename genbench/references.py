"""References: how people name a registered thing with its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from genbench.errors import BadParameter

Value = bool | int | float | str | None
"""What a parameter may be."""


@dataclass(frozen=True)
class Reference:
    """A name with parameters, as people type it: `wgan-gp[penalty=1,critic_steps=3]`."""

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Reads `name` or `name[key=value,…]`; raises BadParameter where the text is neither."""
        match = re.fullmatch(r"\s*([^\[\]\s]+)\s*(?:\[(.*)\])?\s*", text, re.DOTALL)
        if match is None:
            raise BadParameter(f"{text!r} is not a reference. Write name or name[key=value,key=value].")
        name, inside = match.groups()
        parameters: dict[str, Value] = {}
        for pair in filter(None, map(str.strip, (inside or "").split(","))):
            key, equals, value = map(str.strip, pair.partition("="))
            if not (key and equals and value):
                raise BadParameter(f"{pair!r} in {text!r} is not a parameter. Write {name}[key=value].")
            if key in parameters:
                raise BadParameter(f"{text!r} gives {key} twice.")
            parameters[key] = parse_value(value)
        return cls(name, parameters)

    def __str__(self) -> str:
        inside = ",".join(f"{key}={format_value(value)}" for key, value in sorted(self.parameters.items()))
        return f"{self.name}[{inside}]" if inside else self.name


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
    """The inverse of `parse_value`, with whole floats written without a fraction."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def split_references(text: str) -> list[str]:
    """Splits `gan,wgan-gp[penalty=1,lr=2e-3]` at the commas outside brackets."""
    return [part.strip() for part in re.split(r",(?![^\[]*\])", text) if part.strip()]
