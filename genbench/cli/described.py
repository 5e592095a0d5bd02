"""What there is to know of a registered thing, as plain data: what `genbench show` prints, and gives as JSON."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from genbench.references import Value
    from genbench.registry import Entry

GIVEN = ("name", "version", "source", "added")
"""What a protocol has from its entry."""


def describe(entry: Entry, given: Mapping[str, Value] | None = None) -> dict[str, Any]:
    """Everything there is to know of an entry, as plain data; raises BadParameter for a given parameter it hasn't."""
    from genbench.parameters import explained

    defaults = entry.defaults
    values = entry.resolve(given) if given else {}
    described: dict[str, Any] = {
        "kind": entry.kind,
        "name": entry.name,
        "version": entry.version,
        "origin": entry.origin,
        "citation": entry.citation,
        "doc": entry.doc,
        "parameters": {
            key: {
                "type": type_name(annotation),
                **({"meaning": explained(annotation)} if explained(annotation) else {}),
                **({"default": defaults[key]} if key in defaults else {}),
                **({"value": values[key]} if key in values else {}),
            }
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
    from genbench.scoring.columns import uses
    from genbench.scoring.protocols import protocol

    if isinstance(entry, MetricEntry):
        own = {key: getattr(entry, key) for key in ("unit", "higher_is_better", "bounds", "whole")}
        columns = [use._asdict() for use in uses() if use.metric_name == entry.name]
        return own | {"columns": columns} | _measured(entry.name)
    if isinstance(entry, DatasetEntry):
        return {"protocol": entry.protocol}
    if isinstance(entry, ControlEntry):
        return {"dealt": entry.dealt}
    if entry.kind == "trainer":
        return _card(entry.name)
    if entry.kind == "protocol":
        return {"scores": {key: value for key, value in asdict(protocol(entry.name)).items() if key not in GIVEN}}
    return {"plan": entry.build().model_dump(mode="json")} if entry.kind == "suite" else {}


def _card(trainer: str) -> dict[str, Any]:
    """What was measured of a trainer that comes with genbench."""
    from genbench.report.method_cards import cards

    card = cards().get(trainer)
    return {} if card is None else {"card": card.model_dump(mode="json", exclude_none=True)}


def _measured(metric: str) -> dict[str, Any]:
    """The bands and the power cards of a metric's columns that ship with genbench."""
    from genbench.scoring.power_cards import cards_of
    from genbench.scoring.shipped import bands_of

    bands = [{"dataset": band.dataset, **band.score.model_dump(mode="json")} for band in bands_of(metric)]
    return {"bands": bands, "power": [card.model_dump(mode="json") for card in cards_of(metric)]}


def type_name(annotation: Any) -> str:
    """`int ≥ 1`, `float > 0`, `adam | sgd`: what a parameter takes."""
    from annotated_types import DocInfo

    from genbench.parameters import Home, named_in

    if typing.get_origin(annotation) is typing.Literal:
        return " | ".join(map(str, typing.get_args(annotation)))
    if typing.get_origin(annotation) is Annotated:
        kind, *marks = typing.get_args(annotation)
        bounds = [mark for mark in marks if not isinstance(mark, DocInfo)]
        if (held := named_in(annotation)) is not None:
            return " | ".join(entry.name for entry in held)
        if any(isinstance(mark, Home) for mark in bounds):
            return "path"
        signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
        limits = (
            [f"{signs[key]} {limit}" for b in bounds for key, limit in vars(b).items() if key in signs]
            if all(hasattr(b, "__dict__") for b in bounds)
            else [f"{signs[key]} {getattr(b, key)}" for b in bounds for key in signs if hasattr(b, key)]
        )
        return " ".join(filter(None, [type_name(kind), " and ".join(limits)]))
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " | ".join("none" if part is type(None) else type_name(part) for part in typing.get_args(annotation))
    return getattr(annotation, "__name__", str(annotation))
