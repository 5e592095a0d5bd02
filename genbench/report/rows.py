"""Which trials of one dataset and budget are runs of the same, and so share a row, a line and a colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genbench.record import Record
from genbench.store import Found

EXACT = "highest"
"""The precision of records that don't say theirs."""

Rows = dict[str, list[Found]]
"""Trials by the label of their row, which is their trainer's; where several would share it, it says what differs."""


def rows(trials: Sequence[Found], order: Sequence[str] = ()) -> Rows:
    """The trials by row, the trainers in `order` first, and of those the ones without trials with none."""
    groups: dict[str, dict[frozenset[tuple[str, str]], list[Found]]] = {label: {} for label in order}
    for found in trials:
        alike = groups.setdefault(found.record.trial.trainer.label, {})
        alike.setdefault(frozenset(_facts(found.record)), []).append(found)
    placed: Rows = {}
    for label in in_order(groups, order):
        shared = frozenset.intersection(*groups[label]) if groups[label] else frozenset()
        apart = {}
        for of in groups[label].values():
            facts = ", ".join(f"{name} {value}" for name, value in _facts(of[0].record) if (name, value) not in shared)
            apart[f"{label} ({facts})" if facts else label] = of
        placed.update(sorted(apart.items()) or [(label, [])])
    return placed


def finished(placed: Rows) -> Rows:
    """The rows that have finished trials, with those alone."""
    done = {label: [found for found in of if found.record.status == "done"] for label, of in placed.items()}
    return {label: of for label, of in done.items() if of}


def in_order(names: Iterable[str], order: Sequence[str]) -> list[str]:
    """Each of the names once: those in `order` as they stand there, then the others by the alphabet."""
    return sorted(set(names), key=lambda name: (order.index(name) if name in order else len(order), name))


def _facts(record: Record) -> tuple[tuple[str, str], ...]:
    """What decides a trial's bits beside its seed and budget, by name; of files, the beginning of their hashes."""
    trial, engine = record.trial, record.provenance.get("engine", {})
    facts: list[tuple[str, object]] = [
        ("trainer", trial.trainer.version),
        ("data", trial.dataset.version),
        ("engine", trial.engine),
    ]
    for identity in (trial.trainer.identity, trial.dataset.identity):
        facts += identity["parameters"].items()
        facts += [(key, sha256[:8]) for key, sha256 in identity["files"].items()]
    facts.append(("ema", "none" if trial.ema is None else f"{trial.ema:g}"))
    precision = record.provenance.get("flags", {}).get("matmul_precision", EXACT)
    facts.append(("precision", "bf16" if engine.get("autocast") else precision))
    facts += [("channels last", "yes")] if engine.get("channels_last") else []
    return tuple((name, str(value)) for name, value in facts)
