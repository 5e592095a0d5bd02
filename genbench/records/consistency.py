"""Whether a stored trial is what it says: its number, its names and its folder all follow from its plan."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from genbench.errors import BadParameter
from genbench.records.record import Record, Scores
from genbench.references import Reference, format_value
from genbench.registry import NAME
from genbench.spec import Component


def of_record(record: Record, folder: Path) -> str | None:
    """What is wrong with a record that lies in a folder; None for nothing."""
    trial = record.trial
    if NAME.fullmatch(record.suite) is None:
        return f"its suite is called {record.suite!r}, which is no name of one"
    # The first version's budgets in seconds were those of whole stacks, and were changed as they were read.
    if record.id != trial.id and not (trial.budget.kind == "seconds" and record.cost.compile_seconds is None):
        return f"its id is {record.id}, and the plan in it is that of {trial.id}"
    if folder.name != f"seed-{trial.seed}-{record.id}":
        return f"a record of seed {trial.seed}, {record.id}, in a folder that is named otherwise"
    for component in (trial.dataset, trial.trainer):
        if not _fits(component):
            return f"its label {component.label!r} is not that of {component.name} with the parameters in it"
    return None


def of_scores(scores: Scores, record: Record) -> str | None:
    """What is wrong with scores that lie beside a record; None for nothing."""
    return None if scores.id == record.id else f"scores of another trial, {scores.id}"


def _fits(component: Component) -> bool:
    """Whether a label names a component, and no other value of a parameter than it has."""
    said, of = _said(component.label), component.parameters
    if said is None:
        return False
    # A recipe's name is none of the parameters, which it stands for.
    return said.name == component.name and all(
        value in (str(of[key]), format_value(of[key])) for key, value in said.parameters.items() if key in of
    )


@lru_cache
def _said(label: str) -> Reference | None:
    """What a label says, which is that of many trials; None where it says nothing."""
    try:
        return Reference.parse(label)
    except BadParameter:
        return None
