"""A registry for each kind of thing that genbench is made of.

A registered thing is a function that is cheap to import. Its keyword-only arguments are its parameters, its
docstring is its page, and it imports what is heavy (torch) only when it is called. genbench's own datasets,
metrics, controls, suites and baselines come through the entry-point group `genbench.plugins` like anyone else's.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Generic, TypeVar

from genbench.errors import BadParameter, GenbenchError, UnknownName
from genbench.parameters import named_in, validated
from genbench.plugins import Source, broken_plugins, is_own, load_plugins, module_of, source_of
from genbench.references import Reference, Value, format_value, printable

Built = TypeVar("Built", bound=Callable[..., Any])

SET_BY_REGISTERING = ("kind", "name", "version", "build", "origin", "source")
"""The fields of an entry that aren't details of what is registered."""

PLUGIN = "If it is a plugin's, give that too: --plugin FILE"
"""What may help where no entry has a name."""

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


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

    def sources(self, parameters: Mapping[str, Value]) -> Source:
        """What stands behind it and behind plugins' things that its parameters name: networks, or an extractor."""
        behind = dict(self.source)
        for key, annotation in self.annotations.items():
            if (held := named_in(annotation)) is not None:
                named = held[str(parameters[key])]
                behind |= {f"{key} {kind}": told for kind, told in named.source.items()}
                behind |= {f"{key} version": str(named.version)} if named.source and named.version > 1 else {}
        return behind

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

        given = self.defaults | dict(chosen)
        values: dict[str, Value] = {}
        for key, annotation in self.annotations.items():
            if key not in given:
                raise self._unfit(key, "is missing", "field required")
            try:
                values[key] = validated(given[key], annotation)
            except pydantic.ValidationError as error:
                reason = error.errors()[0]
                why = reason["msg"][:1].lower() + reason["msg"][1:]
                raise self._unfit(key, f"can't be {printable(format_value(reason['input']))}", why) from None
        return values

    def _unfit(self, key: str, what: str, why: str) -> BadParameter:
        return BadParameter(f"{self.kind} {self.name}: parameter {key} {what} ({why}). See: genbench show {self.name}")


Bounds = tuple[float | None, float | None]
"""The least and the greatest value that a metric can have on any dataset; None where there is no such bound."""


@dataclass(frozen=True, kw_only=True)
class MetricEntry(Entry):
    """A metric, with what is known of its values: see `genbench.metrics.catalogue.metric`."""

    unit: str
    higher_is_better: bool | None
    bounds: Bounds = (None, None)
    whole: bool = False


DEFAULT_PROTOCOL = "genbench1"
"""What is scored under where neither a plan nor a dataset says so."""


@dataclass(frozen=True, kw_only=True)
class DatasetEntry(Entry):
    """A dataset.

    `files` are its parameters that name files, which count by their content. `stock`, called with its parameters, is
    what it reads from the data folder, if anything (genbench.datasets.files.stock). `protocol` is how its samples are
    scored where nobody says so.
    """

    files: tuple[str, ...] = ()
    stock: Callable[..., Any] | None = None
    protocol: str = DEFAULT_PROTOCOL


@dataclass(frozen=True, kw_only=True)
class ControlEntry(Entry):
    """A control; one that is `dealt` is made of held-out samples, which each draw deals anew (see `Finite.dealt`)."""

    dealt: bool = False


@dataclass(frozen=True, kw_only=True)
class ExtractorEntry(Entry):
    """A feature extractor; `classes` of a dataset are told apart by each of its heads, none by default.

    `download` gives what `genbench data prepare` fetches for it, where its weights don't come with it. A `costly` one
    takes a processor hours for the thousands of images behind a null band, which is then left out.
    """

    classes: int = 0
    costly: bool = False
    download: Callable[[], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class PanelEntry(Entry):
    """A section of the page, under its `title`."""

    title: str


EntryOf = TypeVar("EntryOf", bound=Entry)


class Registry(Generic[EntryOf]):
    """Names of one kind of thing, in the order in which they were registered.

    Args:
        kind: what people call it.
        entry: what one of them is held as.
        takes: what a function that builds one is given, by position, before its parameters.
        parameters: whether it may have any.
        plural: what several are called.
    """

    def __init__(
        self, kind: str, entry: type[EntryOf], *, takes: str = "", parameters: bool = True, plural: str = ""
    ) -> None:
        self.kind, self.takes, self.parameters, self.plural = kind, takes, parameters, plural or f"{kind}s"
        self._entry = entry
        self._entries: dict[str, EntryOf] = {}

    def add(self, entry: EntryOf) -> None:
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
        """The decorator behind `@trainer`, `@dataset`, `@metric` and all others; `details` are the entry's own fields.

        It raises GenbenchError for a function whose parameters can't be told, or checked, by name, and for details
        that such a thing doesn't have.
        """
        self._check_details(name, details)

        def decorate(build: Built) -> Built:
            self._check_signature(name, build)
            self.add(self._entry(self.kind, name, version, build, module_of(build), source=source_of(build), **details))
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
            elif not self.parameters:
                raise GenbenchError(f"The {self.kind} {name!r}: a {self.kind} has no parameters. Leave {key} out.")
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

    def _check_details(self, name: str, details: Mapping[str, Any]) -> None:
        known = {each.name: each.default is MISSING and each.default_factory is MISSING for each in fields(self._entry)}
        known = {key: needed for key, needed in known.items() if key not in SET_BY_REGISTERING}
        for key in details:
            if key not in known:
                raise UnknownName(f"detail of the {self.kind} {name!r}", key, ["version", *known])
        for key, needed in known.items():
            if needed and key not in details:
                raise GenbenchError(f"The {self.kind} {name!r} doesn't say its {key}. Write {key}=… in its decorator.")

    def __getitem__(self, name: str) -> EntryOf:
        load_plugins()
        if name not in self._entries:
            broken = ", ".join(plugin.name for plugin in broken_plugins)
            note = f"These plugins failed to load: {broken}; see genbench doctor." if broken else PLUGIN
            raise UnknownName(self.kind, name, self._entries, note)
        return self._entries[name]

    def __iter__(self) -> Iterator[EntryOf]:
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


trainers = Registry("trainer", Entry, takes="problem")
datasets = Registry("dataset", DatasetEntry)
metrics = Registry("metric", MetricEntry, takes="truth")
protocols = Registry("protocol", Entry, parameters=False)
suites = Registry("suite", Entry, parameters=False)
controls = Registry("control", ControlEntry, takes="dataset, n, rng")
networks = Registry("pair of networks", Entry, parameters=False, plural="networks")
extractors = Registry("extractor", ExtractorEntry, parameters=False)
panels = Registry("panel", PanelEntry, takes="content", parameters=False)
REGISTRIES: tuple[Registry[Any], ...] = (
    trainers, datasets, metrics, protocols, suites, controls, networks, extractors, panels,
)  # fmt: skip
