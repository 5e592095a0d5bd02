"""`genbench show`: what a name stands for, that is registered or that a table prints."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from genbench.cli.described import describe
from genbench.cli.options import AsJson, Plugins, load
from genbench.cli.streams import document

if TYPE_CHECKING:
    from genbench.registry import Entry
    from genbench.scoring.columns import Use


WIDTH = 80
AVERAGED = ", EMA "
"""Before the decay, in the label of a row of averaged weights."""

METHODS = "docs/methods.md"
HEADED = ("name", "version")
"""What of a plan the heading says."""

NULL_BAND = (
    "null band, a row of tables: where 95 % of the truth's own values lie at the same number of samples. "
    "For a metric's: genbench show METRIC"
)


def show(
    name: Annotated[
        str,
        typer.Argument(help="Whatever is registered or a table names: a trainer, a metric, a column, a control, …"),
    ],
    as_json: AsJson = False,
    plugin: Plugins = None,
) -> None:
    """Show what a name stands for: a registered thing with its parameters, a table's column, or a row of it."""
    load(plugin)
    looked_up = _look_up(name.strip())
    if as_json:
        document(json.dumps([described for _, described in looked_up.entries], indent=1, ensure_ascii=False))
        return
    for line in looked_up.lines:
        typer.echo(textwrap.fill(line, WIDTH, break_on_hyphens=False))
    for i, (entry, described) in enumerate(looked_up.entries):
        if i or looked_up.lines:
            typer.echo()
        _print(entry, described)


class _LookedUp(NamedTuple):
    """What a name stands for: lines about itself, and the entries behind it with what is to be known of each."""

    lines: list[str]
    entries: list[tuple[Entry, dict[str, Any]]]


def _look_up(name: str) -> _LookedUp:
    """Raises UnknownName for what neither is registered nor stands in a table, BadParameter for wrong parameters."""
    from genbench.errors import BadParameter, UnknownName
    from genbench.registry import REGISTRIES, metrics
    from genbench.scoring.columns import uses

    columns = [use for use in uses() if use.column == name]
    entries: dict[int, tuple[Entry, dict[str, Any]]] = {}
    lines, wrong = [], None
    try:
        entries = _registered(name)
    except BadParameter as error:
        wrong = error
    behind = dict.fromkeys(sorted((use.metric_name for use in columns), key=lambda metric: metric != name))
    for metric in behind:
        entries.setdefault(id(metrics[metric]), (metrics[metric], describe(metrics[metric])))
        lines += _column(name, metric, [use for use in columns if use.metric_name == metric])
    lines += [] if entries else _row(name)
    if not entries and not lines:
        known = [*(e.name for r in REGISTRIES for e in r), *(use.column for use in uses())]
        raise wrong or UnknownName("thing, column or row", name, known)
    return _LookedUp(lines, [*entries.values()])


def _registered(name: str) -> dict[int, tuple[Entry, dict[str, Any]]]:
    """What is registered under the name that a reference begins with, with the parameters that it gives.

    Raises BadParameter and UnknownName where nothing of that name takes them.
    """
    from genbench.errors import BadParameter, UnknownName
    from genbench.references import Reference
    from genbench.registry import REGISTRIES, extractors

    reference = Reference.parse(name.partition(AVERAGED)[0])
    named = [registry[reference.name] for registry in REGISTRIES if reference.name in registry]
    named += [entry for entry in extractors if name == f"{entry.name}-{entry.version}"]
    entries, wrong = {}, None
    for entry in named:
        try:
            entries[id(entry)] = (entry, describe(entry, reference.parameters))
        except (BadParameter, UnknownName) as error:  # of a suite and a dataset of one name, the dataset has parameters
            wrong = error
    if wrong is not None and not entries:
        raise wrong
    return entries


def _column(name: str, metric: str, used: Sequence[Use]) -> list[str]:
    """Which protocols call a metric so, and what they score."""
    scored = dict.fromkeys(dataset for use in used for dataset in use.datasets)
    by_default = f"; so {', '.join(scored)} {'are' if len(scored) > 1 else 'is'} scored by default" if scored else ""
    return [f"{name}, a column, is the metric {metric} under {', '.join(use.protocol for use in used)}{by_default}."]


def _row(name: str) -> list[str]:
    """What a row is that nothing registered stands behind: the null band, or the literature's numbers."""
    from genbench.report import published

    return [NULL_BAND] * (name == "null band") + [
        f"{name}, published: {entry.metric} {entry.value:g} on {entry.dataset}, {entry.source}"
        for entry in published.printed()
        if entry.method == name
    ]


def _print(entry: Entry, described: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    article = "an" if entry.kind[0] in "aeiou" else "a"
    console.print(f"[bold]{entry.name}[/], {article} {entry.kind}, version {entry.version}, from {entry.origin}")
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
        **{key: _plain(value) for key, value in described.get("plan", {}).items() if key not in HEADED},
        **{key: _plain(value) for key, value in described.get("scores", {}).items() if value and key != "columns"},
    }
    rows = {key: value for key, value in facts.items() if value}
    if rows:
        console.print()
        console.print(_table(rows, Table, Text))
    if described.get("columns"):
        console.print("\n[bold]columns[/]")
        console.print(_table(_columns(described["columns"]), Table, Text))
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
        console.print(_parameters(described["parameters"], Table, Text))
    if "card" in described and (card := _card(entry.name)):
        console.print("\n[bold]measured with its defaults[/]")
        console.print(_table(card, Table, Text))
    if entry.recipes:
        console.print("\n[bold]recipes[/]")
        console.print(_table({name: _recipe(entry, name) for name in entry.recipes}, Table, Text))
        console.print(f"\nTo use one: {entry.name}[recipe={next(iter(entry.recipes))}]", markup=False)


def _card(trainer: str) -> dict[str, str]:
    """What was measured of a trainer that comes with genbench: its search, its cost, how it ends and where it fails."""
    from genbench.report.method_cards import cards

    card = cards()[trainer]
    failures = "; ".join(f"{failure} on {', '.join(on)}" for failure, on in card.failures.items())
    lines = {
        "searched": str(card.searched or ""),
        "step": f"{card.step_cost:.3g} × one of gan" if card.step_cost is not None else "",
        **{outcome.dataset: str(outcome) for outcome in card.outcomes},
        "fails": failures or "on none of these",
        "why": card.why or "",
        "pictures": METHODS,
    }
    return {name: line for name, line in lines.items() if line}


def _columns(used: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A metric's columns, and the protocols that have each."""
    names: dict[str, list[str]] = {}
    for use in used:
        names.setdefault(use["column"], []).append(use["protocol"])
    return {column: ", ".join(protocols) for column, protocols in names.items()}


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
    from genbench.references import format_value

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


def _table(rows: Mapping[str, object], table_type: Any, text_type: Any) -> Any:
    """A line for each name, with what stands beside it."""
    return _lines([(key, str(value)) for key, value in rows.items()], table_type, text_type)


def _parameters(described: Mapping[str, Mapping[str, Any]], table_type: Any, text_type: Any) -> Any:
    """A line for each parameter: its name, its value, and what it means and takes."""
    rows = []
    for key, parameter in described.items():
        meaning = " ".join(filter(None, [parameter.get("meaning"), f"({parameter['type']})"]))
        rows.append((key, _value_of(parameter), meaning))
    return _lines(rows, table_type, text_type)


def _lines(rows: Sequence[tuple[str, ...]], table_type: Any, text_type: Any) -> Any:
    """A name and what stands beside it, in columns of which the last one wraps."""
    table = table_type(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in rows[0][:-1]:
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, *beside in rows:
        table.add_row(text_type(f"  {name}"), *map(text_type, beside))
    return table


def _plain(value: Any) -> str:
    """A part of a plan as people type it: a name, a number, a budget, or several of them."""
    from genbench.spec import Budget

    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    if value is None:
        return ""
    return str(Budget.model_validate(value) if isinstance(value, dict) else value)


def _value_of(parameter: Mapping[str, Any]) -> str:
    """What a parameter was given, or else its default."""
    from genbench.references import format_value

    given = {"default", "value"} & parameter.keys()
    return format_value(parameter.get("value", parameter.get("default"))) if given else "required"
