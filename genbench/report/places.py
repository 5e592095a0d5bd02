"""Which trials are held together: the tables and, in each, the rows they stand in, and what these are called.

Trials of one table share dataset and budget, those of one row what they are made by as well, to the bit but for the
seed. Both are named by labels; where a suite's results hold several things under one label, the names say what differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from genbench.records.record import Record
from genbench.records.store import Found
from genbench.spec import Suite

EXACT = "highest"
"""The precision of records that don't say theirs."""

ARITHMETIC = 2
"""So many facts, the last of a trainer's, are of how numbers are held and multiplied."""

WIDE = 20
"""More digits than a number in a name has."""

Facts = tuple[str, ...]
"""What decides the bits of what carries a label, each in words."""


class Thing(NamedTuple):
    """A dataset or trainer as it was in some trials."""

    label: str
    facts: Facts


Rows = dict[str, list[Found]]
"""Trials by the name of their row."""

Places = dict[tuple[str, str], Rows]
"""The rows of every table, by the name of its dataset and its budget."""


def placed(trials: Iterable[Found], plan: Suite | None) -> Places:
    """A suite's trials, finished or not, by table and row, in the plan's order; planned rows without trials as well."""
    cells: dict[tuple[Thing, str], dict[Thing, list[Found]]] = {}
    for found in trials:
        trial = found.record.trial
        data = Thing(trial.dataset.label, facts(trial.dataset.identity))
        trainer = Thing(trial.trainer.label, making(found.record))
        cells.setdefault((data, str(trial.budget)), {}).setdefault(trainer, []).append(found)
    cells = {cell: _settled(of) for cell, of in cells.items()}
    datasets = _names((data for data, _ in cells), plan.datasets if plan else ())
    trainers = _names((trainer for of in cells.values() for trainer in of), plan.trainers if plan else ())
    budgets = in_order((budget for _, budget in cells), [str(budget) for budget in plan.budgets] if plan else ())
    return {
        (dataset, budget): _rows(cells[data, budget], trainers, _planned(plan, data.label, budget))
        for data, dataset in datasets.items()
        for budget in budgets
        if (data, budget) in cells
    }


def is_planned(plan: Suite, dataset: str, budget: str) -> bool:
    """Whether a plan has trials on the dataset of that label under the budget."""
    return dataset in plan.datasets and budget in map(str, plan.budgets)


def finished(rows: Rows) -> Rows:
    """The rows that have finished trials, with those alone."""
    done = {name: [found for found in of if found.record.status == "done"] for name, of in rows.items()}
    return {name: of for name, of in done.items() if of}


def trainers(places: Places) -> list[str]:
    """The names of all tables' rows, each once, finished or not."""
    return list(dict.fromkeys(name for rows in places.values() for name in rows))


def in_order(names: Iterable[str], order: Sequence[str]) -> list[str]:
    """Each of the names once: those in `order` as they stand there, then the others by the alphabet and by number."""
    return sorted(set(names), key=lambda name: (order.index(name) if name in order else len(order), _natural(name)))


def facts(identity: Mapping[str, Any]) -> Facts:
    """A component's identity: name, version, parameters, files and source; of hashes, the beginning."""
    parameters = (f"{name}={value}" for name, value in sorted(identity["parameters"].items()))
    files = (f"{name} {sha256[:8]}…" for name, sha256 in sorted(identity["files"].items()))
    source = (
        f"{of.replace('sha256', 'source')} {told[:8]}…" if of.endswith("sha256") else f"{of} {told}"
        for of, told in identity.get("source", {}).items()
    )
    return (identity["name"], f"version {identity['version']}", *parameters, *files, *source)


def making(record: Record) -> Facts:
    """What decides a trial's bits beside its dataset, seed and budget; the last ARITHMETIC ones say how it computes."""
    trial, engine, flags = record.trial, record.provenance.get("engine", {}), record.provenance.get("flags", {})
    return (
        *facts(trial.trainer.identity),
        f"engine {trial.engine}",
        "no EMA" if trial.ema is None else f"EMA {trial.ema}",
        f"precision {'bf16' if engine.get('autocast') else flags.get('matmul_precision', EXACT)}",
        f"channels {'last' if engine.get('channels_last') else 'first'}",
    )


def apart(one: Facts, other: Facts) -> str:
    """The facts of one that the other doesn't share, in words."""
    return ", ".join(fact for fact in one if fact not in other)


def _planned(plan: Suite | None, dataset: str, budget: str) -> Sequence[str]:
    return plan.trainers if plan and is_planned(plan, dataset, budget) else ()


def _settled(of: Mapping[Thing, list[Found]]) -> dict[Thing, list[Found]]:
    """A table's trials, those that failed before they could say how they compute in the only row that may be theirs."""
    settled = {thing: [*found] for thing, found in of.items()}
    for thing in [thing for thing, found in of.items() if all(map(_is_silent, found))]:
        own = thing.facts[:-ARITHMETIC]
        alike = [each for each in settled if each.label == thing.label and each.facts[:-ARITHMETIC] == own]
        if len(alike) == 2:
            (other,) = (each for each in alike if each != thing)
            settled[other] += settled.pop(thing)
    return settled


def _is_silent(found: Found) -> bool:
    origin = found.record.provenance
    return found.record.status != "done" and not (origin.get("engine") or origin.get("flags"))


def _rows(of: Mapping[Thing, list[Found]], names: Mapping[Thing, str], planned: Sequence[str]) -> Rows:
    """A table's trials by their rows' names; what is planned has its place even where nothing is there of it."""
    rows: Rows = {}
    for label in in_order([*planned, *(thing.label for thing in names)], planned):
        there = {name: of[thing] for thing, name in names.items() if thing.label == label and thing in of}
        rows |= there or ({label: []} if label in planned else {})
    return rows


def _names(things: Iterable[Thing], order: Sequence[str]) -> dict[Thing, str]:
    """A name for each thing, in the order of labels: its label, and what not all things under it share."""
    of_label: dict[str, set[Thing]] = {}
    for thing in things:
        of_label.setdefault(thing.label, set()).add(thing)
    names = {}
    for label in in_order(of_label, order):
        several = sorted(of_label[label], key=lambda thing: [*map(_natural, thing.facts)])
        shared = set.intersection(*(set(thing.facts) for thing in several))
        known = dict.fromkeys(fact for thing in several for fact in thing.facts if fact not in shared)
        for thing in several:
            differing = apart(thing.facts, tuple(shared)) or f"without {', '.join(known)}"
            names[thing] = f"{label} ({differing})" if known else label
    return names


def _natural(name: str) -> list[str]:
    """By what names are sorted so that numbers in them stand in order."""
    return [part.zfill(WIDE) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
