"""`genbench show`: one registered thing, its parameters and its recipes."""

from __future__ import annotations

import json
import typing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genbench.cli.options import AsJson, Plugins, load

if TYPE_CHECKING:
    from genbench.registry import Entry


GIVEN = ("name", "version", "source")
"""What a protocol has from its entry."""


def show(
    name: Annotated[
        str, typer.Argument(help="A trainer, dataset, metric, suite or control; [what stands in brackets] is left out.")
    ],
    as_json: AsJson = False,
    plugin: Plugins = None,
) -> None:
    """Show what a trainer, dataset, metric, suite or control is, and its parameters."""
    load(plugin)
    from genbench.errors import UnknownName
    from genbench.registry import REGISTRIES

    # What stands in brackets is a thing's parameters, or an extractor behind a column's name.
    bare = name.partition("[")[0]
    found = [registry[bare] for registry in REGISTRIES if bare in registry]
    if not found:
        raise UnknownName("trainer, dataset, metric, suite or control", name, [e.name for r in REGISTRIES for e in r])
    if as_json:
        typer.echo(json.dumps([describe(entry) for entry in found], indent=1, ensure_ascii=False))
        return
    for entry in found:
        _print(entry)


def describe(entry: Entry) -> dict[str, Any]:
    """Everything there is to know of an entry, as plain data."""
    defaults = entry.defaults
    described: dict[str, Any] = {
        "kind": entry.kind,
        "name": entry.name,
        "version": entry.version,
        "origin": entry.origin,
        "citation": entry.citation,
        "doc": entry.doc,
        "parameters": {
            key: {"type": _type_name(annotation), **({"default": defaults[key]} if key in defaults else {})}
            for key, annotation in entry.annotations.items()
        },
        "recipes": {key: dict(values) for key, values in entry.recipes.items()},
        "notes": dict(entry.notes),
    }
    return described | _of_kind(entry)


def _of_kind(entry: Entry) -> dict[str, Any]:
    """What is to be known of a thing of its kind alone."""
    from dataclasses import asdict

    from genbench.registry import ControlEntry, DatasetEntry, MetricEntry
    from genbench.scoring.protocols import protocol

    if isinstance(entry, MetricEntry):
        own = {key: getattr(entry, key) for key in ("unit", "higher_is_better", "bounds", "whole")}
        return own | _measured(entry.name)
    if isinstance(entry, DatasetEntry):
        return {"protocol": entry.protocol}
    if isinstance(entry, ControlEntry):
        return {"dealt": entry.dealt}
    if entry.kind == "protocol":
        return {"scores": {key: value for key, value in asdict(protocol(entry.name)).items() if key not in GIVEN}}
    return {"plan": entry.build().model_dump(mode="json")} if entry.kind == "suite" else {}


def _measured(metric: str) -> dict[str, Any]:
    """The bands and the power cards of a metric's columns that ship with genbench."""
    from genbench.scoring.power_cards import cards_of
    from genbench.scoring.shipped import bands_of

    bands = [{"dataset": band.dataset, **band.score.model_dump(mode="json")} for band in bands_of(metric)]
    return {"bands": bands, "power": [card.model_dump(mode="json") for card in cards_of(metric)]}


def _print(entry: Entry) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from genbench.registry import format_value

    console = Console(highlight=False)
    described = describe(entry)
    console.print(f"[bold]{entry.name}[/], a {entry.kind}, version {entry.version}, from {entry.origin}")
    console.print()
    paragraphs = (" ".join(paragraph.split()) for paragraph in entry.doc.split("\n\n"))
    console.print("\n\n".join(paragraphs), markup=False)
    facts = {
        "source": entry.citation,
        "unit": described.get("unit"),
        "best": {True: "higher", False: "lower", None: "the truth's own value"}[described["higher_is_better"]]
        if "higher_is_better" in described
        else None,
        "values": _range(*described["bounds"], whole=described["whole"]) if "bounds" in described else None,
        "protocol": described.get("protocol"),
        **{key: _plain(value) for key, value in described.get("plan", {}).items() if key not in ("name", "version")},
        **{key: _plain(value) for key, value in described.get("scores", {}).items() if value and key != "columns"},
    }
    rows = {key: value for key, value in facts.items() if value}
    if rows:
        console.print()
        console.print(_table(rows, Table, Text))
    if entry.kind == "metric" and (bands := _bands(entry.name)):
        console.print("\n[bold]where 95 % of the truth's own values lie[/]")
        console.print(_table(bands, Table, Text))
    for place, told in _power(entry.name).items() if entry.kind == "metric" else ():
        console.print(f"\n[bold]what it tells from the truth[/]: {place}")
        console.print(_table(told, Table, Text))
    if "scores" in described:
        console.print("\n[bold]columns[/]")
        console.print(_table(described["scores"]["columns"], Table, Text))
    if described["parameters"]:
        console.print("\n[bold]parameters[/]")
        lines = {
            key: f"{format_value(p['default']) if 'default' in p else 'required'}   ({p['type']})"
            for key, p in described["parameters"].items()
        }
        console.print(_table(lines, Table, Text))
    if entry.recipes:
        console.print("\n[bold]recipes[/]")
        console.print(_table({name: _recipe(entry, name) for name in entry.recipes}, Table, Text))
        console.print(f"\nTo use one: {entry.name}[recipe={next(iter(entry.recipes))}]", markup=False)


def _range(low: float | None, high: float | None, *, whole: bool) -> str:
    """Between which bounds a metric's values lie, in words."""
    kind = "whole numbers" if whole else "numbers"
    if low is not None and high is not None:
        return f"{kind} from {low:.3g} to {high:.3g}"
    if low is None and high is None:
        return f"{kind} without bounds"
    return f"{kind} of {low:.3g} or more" if low is not None else f"{kind} of {high:.3g} or less"


def _recipe(entry: Entry, name: str) -> str:
    """A recipe's parameters, and under them where it comes from and where it departs from there."""
    from genbench.registry import format_value

    values = ", ".join(f"{key}={format_value(value)}" for key, value in entry.recipes[name].items())
    return "\n".join(filter(None, [values, entry.notes.get(name)]))


def _bands(metric: str) -> dict[str, str]:
    """The null bands that ship with genbench, by dataset, protocol and column."""
    from genbench.scoring.shipped import bands_of

    lines = {}
    for dataset, band in bands_of(metric):
        place = f"{dataset}, {band.identity.protocol}, {band.name}, n = {band.identity.n}"
        held = f", holds {100 * band.null_coverage:.1f} %" if band.null_coverage is not None else ""
        lines[place] = f"{band.null_low:.3g} to {band.null_high:.3g}{held}"
    return lines


def _power(metric: str) -> dict[str, dict[str, str]]:
    """What a metric's columns tell from the truth, change by change, by dataset, protocol and column."""
    from genbench.scoring.power_cards import cards_of

    return {
        f"{card.dataset}, {card.identity.protocol}, {card.column}": {
            effect.change: effect.told for effect in card.effects
        }
        for card in cards_of(metric)
    }


def _table(rows: dict[str, Any], table_type: Any, text_type: Any) -> Any:
    table = table_type(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in rows.items():
        table.add_row(text_type(f"  {key}"), text_type(str(value)))
    return table


def _plain(value: Any) -> str:
    """A part of a plan as people type it: a name, a number, a budget, or several of them."""
    from genbench.spec import Budget

    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(Budget.model_validate(value) if isinstance(value, dict) else value)


def _type_name(annotation: Any) -> str:
    """`int ≥ 1`, `float > 0`, `adam | sgd`: what a parameter takes."""
    from genbench.registry import NameOf

    if typing.get_origin(annotation) is typing.Literal:
        return " | ".join(map(str, typing.get_args(annotation)))
    if typing.get_origin(annotation) is Annotated:
        kind, *bounds = typing.get_args(annotation)
        for named in (bound for bound in bounds if isinstance(bound, NameOf)):
            return " | ".join(entry.name for entry in named.registry)
        signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
        limits = (
            [f"{signs[key]} {limit}" for b in bounds for key, limit in vars(b).items() if key in signs]
            if all(hasattr(b, "__dict__") for b in bounds)
            else [f"{signs[key]} {getattr(b, key)}" for b in bounds for key in signs if hasattr(b, key)]
        )
        return " ".join([_type_name(kind), " and ".join(limits)])
    return getattr(annotation, "__name__", str(annotation))
