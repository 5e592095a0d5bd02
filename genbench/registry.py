"""A registry for each kind of thing that genbench is made of.

A registered thing is a function that is cheap to import. Its keyword-only arguments are its parameters, its
docstring is its page, and it imports what is heavy (torch) only when it is called. genbench's own datasets,
metrics, controls, suites and baselines come through the entry-point group `genbench.plugins` like anyone else's.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from genbench.errors import BadParameter, GenbenchError, UnknownName
from genbench.plugins import Source, broken_plugins, is_own, load_plugins, module_of, source_of

Value = bool | int | float | str | None
Built = TypeVar("Built", bound=Callable[..., Any])

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


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


@dataclass(frozen=True)
class Entry:
    """One registered thing: the function that builds it, and what people read about it.

    `origin` is the function's module, and `source` what stands behind it if that is a plugin's. `notes` say of each
    recipe where it comes from and where it departs from there.
    """

    kind: str
    name: str
    version: int
    build: Callable[..., Any]
    origin: str
    source: Source = field(default_factory=dict)
    citation: str = ""
    recipes: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        """Whether it is part of genbench."""
        return is_own(self.origin)

    @property
    def doc(self) -> str:
        """What `genbench show` prints."""
        return inspect.getdoc(self.build) or ""

    @property
    def summary(self) -> str:
        """The docstring's first paragraph as one line."""
        return " ".join(self.doc.partition("\n\n")[0].split())

    @property
    def defaults(self) -> dict[str, Value]:
        """Every parameter with its default; a parameter without one is absent."""
        return {key: p.default for key, p in self._parameters() if p.default is not p.empty}

    @property
    def annotations(self) -> dict[str, Any]:
        """Every parameter's type, evaluated; names only type checkers see are never parameters' types."""
        scope = getattr(self.build, "__globals__", {})
        try:
            return {
                key: eval(p.annotation, scope) if isinstance(p.annotation, str) else p.annotation
                for key, p in self._parameters()
            }
        except NameError as error:
            raise GenbenchError(f"The {self.kind} {self.name!r}: a parameter's type can't be found: {error}.") from None

    def resolve(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """All parameters with their values: defaults, over them the recipe's, over them the given ones.

        Raises BadParameter for a parameter the thing doesn't have, a missing one, or a value that doesn't fit.
        """
        explicit = dict(given)
        recipe = explicit.pop("recipe", "default") if self.recipes else "default"
        if recipe != "default" and recipe not in self.recipes:
            raise UnknownName(f"recipe of {self.name}", str(recipe), ["default", *self.recipes])
        chosen = dict(self.recipes.get(str(recipe), {})) | explicit
        unknown = sorted(set(chosen) - set(self.annotations))
        if unknown:
            offered = [*self.annotations, *(["recipe"] if self.recipes else [])]
            try:
                raise UnknownName(f"parameter of {self.kind} {self.name}", unknown[0], offered)
            except UnknownName as error:
                raise BadParameter(f"{error} See: genbench show {self.name}") from None
        return self._validate(chosen)

    def label(self, given: Mapping[str, Value]) -> str:
        """The shortest reference that says the same: what the defaults or the recipe say already is left out."""
        values = self.resolve(given)
        recipe = given.get("recipe", "default") if self.recipes else "default"
        said = {**self.defaults, **self.recipes.get(str(recipe), {})}
        kept = {key: value for key, value in values.items() if key in given and value != said.get(key, ...)}
        return str(Reference(self.name, kept if recipe == "default" else {"recipe": recipe, **kept}))

    def _parameters(self) -> Iterator[tuple[str, inspect.Parameter]]:
        for key, parameter in inspect.signature(self.build).parameters.items():
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                yield key, parameter

    def _validate(self, chosen: Mapping[str, Value]) -> dict[str, Value]:
        import pydantic

        defaults = self.defaults
        fields: dict[str, Any] = {key: (kind, defaults.get(key, ...)) for key, kind in self.annotations.items()}
        model = pydantic.create_model(
            self.name,
            __config__=pydantic.ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False),
            **fields,
        )
        try:
            values: dict[str, Value] = model(**chosen).model_dump()
            return values
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            got = "is missing" if first["type"] == "missing" else f"can't be {format_value(first['input'])}"
            raise BadParameter(
                f"{self.kind} {self.name}: parameter {key} {got} ({first['msg'].lower()}). "
                f"See: genbench show {self.name}"
            ) from None


class Registry:
    """Names of one kind of thing, in the order in which they were registered.

    Args:
        kind: what people call it.
        takes: what a function that builds one is given, by position, before its parameters.
    """

    def __init__(self, kind: str, *, takes: str = "") -> None:
        self.kind, self.takes = kind, takes
        self._entries: dict[str, Entry] = {}

    def add(self, entry: Entry) -> None:
        """Registers `entry`; raises GenbenchError where the name is taken by another origin."""
        if NAME.fullmatch(entry.name) is None:
            raise GenbenchError(f"{entry.name!r} can't name a {self.kind}: use a-z, 0-9, '-', '_' and '.'.")
        taken = self._entries.get(entry.name)
        if taken is not None and taken.origin != entry.origin:
            raise GenbenchError(
                f"The {self.kind} {entry.name!r} of {entry.origin} is already registered by {taken.origin}. Rename one."
            )
        self._entries[entry.name] = entry

    def register(self, name: str, *, version: int = 1, **details: Any) -> Callable[[Built], Built]:
        """The decorator behind `@trainer`, `@dataset`, `@metric`, `@control` and `@suite`.

        It raises GenbenchError for a function whose parameters can't be told, or checked, by name.
        """

        def decorate(build: Built) -> Built:
            self._check_signature(name, build)
            entry = Entry(self.kind, name, version, build, module_of(build), source=source_of(build), **details)
            self.add(entry)
            return build

        return decorate

    def _check_signature(self, name: str, build: Callable[..., Any]) -> None:
        given = [word.strip() for word in self.takes.split(",") if word]
        by_position = []
        for key, parameter in inspect.signature(build).parameters.items():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise GenbenchError(f"The {self.kind} {name!r} takes {parameter}: name its parameters one by one.")
            if parameter.kind is not parameter.KEYWORD_ONLY:
                by_position.append(key)
            elif parameter.annotation is parameter.empty:
                raise GenbenchError(
                    f"The {self.kind} {name!r}: its parameter {key} has no type. Write {key}: int, say."
                )
        begins = ", ".join([*given, "*"])
        if len(by_position) > len(given):
            extra = by_position[len(given)]
            raise GenbenchError(
                f"The {self.kind} {name!r}: its parameter {extra} must come by name: ({begins}, {extra}). "
                "Put a * before it."
            )
        if len(by_position) < len(given):
            raise GenbenchError(f"The {self.kind} {name!r} is given {self.takes}: let it begin with ({begins}, …).")

    def __getitem__(self, name: str) -> Entry:
        load_plugins()
        if name not in self._entries:
            broken = ", ".join(plugin.name for plugin in broken_plugins)
            note = f"These plugins failed to load: {broken}; see genbench doctor." if broken else ""
            raise UnknownName(self.kind, name, self._entries, note)
        return self._entries[name]

    def __iter__(self) -> Iterator[Entry]:
        load_plugins()
        return iter(self._entries.values())

    def __contains__(self, name: object) -> bool:
        load_plugins()
        return name in self._entries

    def label(self, reference: str) -> str:
        """`reference` in its shortest form; raises UnknownName or BadParameter."""
        parsed = Reference.parse(reference)
        return self[parsed.name].label(parsed.parameters)

    def build(self, reference: str, *args: Any) -> Any:
        """Builds the thing that `reference` names, passing `args` before its parameters."""
        parsed = Reference.parse(reference)
        entry = self[parsed.name]
        return entry.build(*args, **entry.resolve(parsed.parameters))


trainers = Registry("trainer", takes="problem")
datasets = Registry("dataset")
metrics = Registry("metric", takes="truth")
controls = Registry("control", takes="dataset, n, rng")
suites = Registry("suite")
panels = Registry("panel", takes="content")
REGISTRIES = (trainers, datasets, metrics, suites, controls)
