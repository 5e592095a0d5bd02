"""The checks of each kind of thing, and how one thing is checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genbench.contract import controls, datasets, entries, metrics, plans, targets, trainers
from genbench.contract.findings import Broken, Checked, examined, finding
from genbench.contract.metric_case import MetricCase, on_few
from genbench.contract.streams import global_streams_left_alone
from genbench.contract.trained import TrainerCase
from genbench.errors import UnknownName
from genbench.executors.process import run_conditions
from genbench.plugins import load_plugin, load_plugins
from genbench.references import Reference
from genbench.registry import REGISTRIES, Entry
from genbench.registry import datasets as registered_datasets
from genbench.spec import Component

CHECKS: dict[str, tuple[Any, ...]] = {
    "trainer": trainers.CHECKS,
    "dataset": (*datasets.CHECKS, *targets.CHECKS),
    "metric": metrics.CHECKS,
    "control": controls.CHECKS,
    "suite": plans.SUITE_CHECKS,
    "protocol": plans.PROTOCOL_CHECKS,
}
"""By kind, the checks in the order in which they are run: cheap ones first."""

PATIENCE = 30.0
"""Seconds that a trainer may take to learn a Gaussian."""


def loaded(plugin: str) -> Checked:
    """Loads a plugin, and tells whether its import left the global random streams alone. Raises GenbenchError."""
    load_plugins()
    name = "loading leaves global state alone"
    try:
        with global_streams_left_alone(f"Importing {plugin}"):
            load_plugin(plugin)
    except Broken as broken:
        return Checked(name, "failed", str(broken))
    return Checked(name, "passed", f"{plugin} was loaded and the global random streams are as they were.")


def named(reference: str, kind: str | None = None) -> list[Entry]:
    """What is registered under a reference's name, of that kind alone or of all; raises UnknownName."""
    name = Reference.parse(reference).name
    if kind is not None and kind not in (kinds := [registry.kind for registry in REGISTRIES]):
        raise UnknownName("kind", kind, kinds)
    registries = [registry for registry in REGISTRIES if kind in (None, registry.kind)]
    entries = [registry[name] for registry in registries if name in registry]
    if not entries:
        wanted = " or ".join(registry.kind for registry in registries)
        raise UnknownName(wanted, name, [entry.name for registry in registries for entry in registry])
    return entries


def check(entry: Entry, reference: str, dataset: str | None = None, patience: float = PATIENCE) -> Iterator[Checked]:
    """Checks one registered thing, check by check, each as it is asked for.

    Args:
        entry: the thing.
        reference: the same with parameters, as people type it.
        dataset: what a trainer, metric or control is checked on, where its own choice doesn't do.
        patience: seconds that a trainer may take to learn a Gaussian.

    Raises GenbenchError, before the first check, for parameters that the thing doesn't have or a dataset that is none.
    """
    given = Reference.parse(reference).parameters
    on_few(entry, given) if entry.kind == "metric" else entry.resolve(given)
    if dataset is not None:
        Component.resolve(registered_datasets, dataset)
    yield from examined(entries.CHECKS, entry)
    with run_conditions():
        made: list[Any] = []

        def can_be_built() -> str:
            made.append(_case(entry.kind, reference, dataset, patience))
            return "It can be built."

        built = finding("can be built", can_be_built)
        if not made:
            yield built
            return
        yield from examined(CHECKS.get(entry.kind, ()), made[0])


def _case(kind: str, reference: str, dataset: str | None, patience: float) -> Any:
    """What the checks of a kind look at."""
    match kind:
        case "trainer":
            return TrainerCase(reference, dataset, patience)
        case "dataset":
            return datasets.DatasetCase(reference)
        case "metric":
            return MetricCase(reference, dataset)
        case "control":
            return controls.ControlCase(reference, dataset)
        case "suite":
            return plans.SuiteCase(reference)
        case "protocol":
            return plans.ProtocolCase(reference)
    return None
