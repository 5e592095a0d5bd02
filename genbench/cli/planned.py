"""The suite that a run's options ask for: a registered one with other values, or one of trainers and datasets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genbench.cli.options import own_protocol

if TYPE_CHECKING:
    from genbench.spec import Suite

CUSTOM_BUDGET = "steps=6000"
CUSTOM_SEEDS = "0-4"


def planned(
    suite: str | None,
    trainer: list[str] | None,
    dataset: list[str] | None,
    seeds: str | None,
    budgets: list[str] | None,
    ema: float | None,
    checkpoints: int | None,
) -> Suite:
    """The suite with the options in the place of its own values."""
    from genbench.errors import GenbenchError
    from genbench.registry import suites
    from genbench.spec import Budget, Suite, parse_seeds

    if ema is not None and not 0 < ema < 1:
        raise GenbenchError(f"An average can't have the decay {ema:g}. Give one between 0 and 1, say --ema 0.999")
    read = {
        "trainers": None if trainer is None else _references("--trainer", trainer),
        "datasets": None if dataset is None else _references("--dataset", dataset),
        "seeds": None if seeds is None else parse_seeds(seeds),
        "budgets": None if budgets is None else tuple(map(Budget.parse, budgets)),
        "ema": ema,
        "checkpoints": checkpoints,
    }
    given = {key: value for key, value in read.items() if value is not None}
    if suite is not None:
        registered: Suite = suites[suite].build()
        return registered.model_copy(update=given)
    if "trainers" not in given or "datasets" not in given:
        known = ", ".join(entry.name for entry in suites)
        raise GenbenchError(f"Nothing to run. Give --suite ({known}), or both --trainer and --dataset.")
    defaults = {
        "seeds": parse_seeds(CUSTOM_SEEDS),
        "budgets": (Budget.parse(CUSTOM_BUDGET),),
        "protocols": _protocols(given["datasets"]),  # type: ignore[arg-type]
    }
    return Suite(name="custom", version=1, **{**defaults, **given})  # type: ignore[arg-type]


def _references(option: str, texts: Sequence[str]) -> tuple[str, ...]:
    """The references that an option lists; raises GenbenchError where it lists none."""
    from genbench.errors import GenbenchError
    from genbench.references import split_references

    found = tuple(part for text in texts for part in split_references(text))
    if not found:
        raise GenbenchError(f"{option} {' '.join(map(repr, texts))} names nothing. Give a name, or leave it out.")
    return found


def _protocols(references: Sequence[str]) -> tuple[str, ...]:
    """The protocols that datasets are scored under where no suite says so."""
    from genbench.references import Reference

    return tuple(dict.fromkeys(own_protocol(Reference.parse(reference).name) for reference in references))
