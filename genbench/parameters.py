"""The types of parameters: what a person spelled is read by them, and paths and names are marked and checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import DocInfo

from genbench.errors import UnknownName
from genbench.references import Spelled, Value, parse_value, printable

if TYPE_CHECKING:
    from genbench.registry import Entry, Registry


@dataclass(frozen=True)
class Home:
    """Marks a parameter that is a path, in which `~` is somebody's home: `Annotated[str, Home()]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(_at_home, handler(source))


def _at_home(path: str) -> str:
    """A path that records can hold, with a home in it expanded."""
    from pydantic_core import PydanticCustomError

    if printable(path) != path:
        raise PydanticCustomError("not_utf8", "it is no UTF-8, which records are written in: rename it, or link to it")
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError as error:
        raise PydanticCustomError("no_home", "nobody knows the home in it: write the path in full") from error


@dataclass(frozen=True, eq=False)
class NameOf:
    """Marks a parameter that names something registered, and checks it: `Annotated[str, NameOf(registry)]`."""

    registry: Registry[Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, name: str) -> str:
        from pydantic_core import PydanticCustomError

        try:
            entry: Entry = self.registry[name]
            return entry.name
        except UnknownName as error:
            raise PydanticCustomError("unknown_name", "{why}", {"why": str(error).removesuffix(".")}) from None


def named_in(annotation: Any) -> Registry[Any] | None:
    """The registry that values of a type are names in, where they are."""
    return next((mark.registry for mark in get_args(annotation)[1:] if isinstance(mark, NameOf)), None)


def explained(annotation: Any) -> str:
    """What `annotated_types.doc` says of a parameter in its type; empty where nobody does."""
    return next((mark.documentation for mark in get_args(annotation)[1:] if isinstance(mark, DocInfo)), "")


def _takes_text(annotation: Any) -> bool:
    """Whether a parameter's type is that of texts, say a path or one of some words."""
    if get_origin(annotation) is Annotated:
        return _takes_text(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return all(isinstance(word, str) for word in get_args(annotation))
    return annotation is str


def _read(text: Spelled, annotation: Any) -> Value:
    """What a text says, read by a parameter's type: `007` is a number only where numbers are taken."""
    if _takes_text(annotation):
        return str(text)
    value = parse_value(text)
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    others = [part for part in parts if not _takes_text(part)]
    return str(text) if len(others) < len(parts) and not any(_takes(part, value) for part in others) else value


def _takes(annotation: Any, value: Value) -> bool:
    import pydantic

    try:
        _adapter(annotation).validate_python(value, strict=True)
    except pydantic.ValidationError:
        return False
    return True


def validated(value: Value, annotation: Any) -> Value:
    """A value as a parameter of a type takes it; raises pydantic's ValidationError where it doesn't fit."""
    taken: Value = _adapter(annotation).validate_python(
        _read(value, annotation) if isinstance(value, Spelled) else value
    )
    return taken


@cache
def _adapter(annotation: Any) -> Any:
    """What checks values of a type; numbers must be finite."""
    import pydantic

    return pydantic.TypeAdapter(annotation, config=pydantic.ConfigDict(allow_inf_nan=False))
