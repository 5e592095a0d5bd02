"""What a run has to do: the suite's trials less what the store holds already."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from genbench.errors import GenbenchError
from genbench.executors.task import Context, Keep, Task
from genbench.records.layout import RECORD
from genbench.records.reading import Version, version
from genbench.records.record import Record
from genbench.records.store import Found, Store
from genbench.registry import controls, metrics
from genbench.scoring.protocols import ways
from genbench.spec import Budget, Component, Suite, Trial, canonical_json
from genbench.trials.unscored import Unscored


@dataclass
class Plan:
    """A suite's trials, sorted by what becomes of them, and the datasets whose controls are missing.

    Those that are done may be `unscored`; `found` says by its id which version of its record there was of each.
    """

    suite: Suite
    unscored: Unscored = field(init=False)
    run: list[Trial] = field(default_factory=list)
    done: list[Trial] = field(default_factory=list)
    failed: list[Trial] = field(default_factory=list)
    stale: list[Trial] = field(default_factory=list)
    controls: list[Component] = field(default_factory=list)
    replaced: dict[str, list[Path]] = field(default_factory=dict)
    found: dict[str, Version] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.unscored = Unscored(self.suite)

    def tasks(self, context: Context, keep: Keep, stack: int = 1) -> list[Task]:
        """The datasets' controls that are missing, which come first, and the trials to run, up to `stack` a task."""
        from genbench.trials.controls import ControlTask
        from genbench.trials.trial import TrialTask

        draws = self.suite.control_draws
        return [
            *(ControlTask(context, dataset, draws, control_key(self.suite, dataset)) for dataset in self.controls),
            *(
                TrialTask(context, trials, self.suite.checkpoints, keep, self._found(trials))
                for trials in self.stacks(stack)
            ),
        ]

    def _found(self, trials: Sequence[Trial]) -> dict[str, Version]:
        return {trial.id: self.found[trial.id] for trial in trials if trial.id in self.found}

    def stacks(self, size: int) -> list[tuple[Trial, ...]]:
        """The trials to run, those that differ in their seeds alone together, `size` at the most.

        Where the budget is in seconds each is alone, since seconds are a trial's own whatever trains beside it.
        """
        cells: dict[tuple[Component, Component, Budget], list[Trial]] = {}
        for trial in self.run:
            cells.setdefault((trial.dataset, trial.trainer, trial.budget), []).append(trial)
        stacks = {cell: list(_parts(of, _most(cell[-1], size))) for cell, of in cells.items()}
        # Seed by seed, so that an early stop leaves whole comparisons behind.
        return [stack for row in zip_longest(*stacks.values()) for stack in row if stack is not None]

    def check_places(self, store: Store) -> None:
        """Raises GenbenchError where what is to be a trial's folder is none, or behind a link out of the results."""
        trials = (store.folder(self.suite.name, trial) for trial in self.run)
        for place in (*trials, *(folder for of in self.replaced.values() for folder in of)):
            store.check_own(place)
            if place.exists() and not place.is_dir():
                raise GenbenchError(f"{place} is no folder, and a trial's is to be there. Move it out of the way.")

    def remove_stale(self, record: Record) -> None:
        """Takes away the stale folders that a fresh result replaces; a failure replaces nothing."""
        for folder in self.replaced.get(record.id, ()) if record.status == "done" else ():
            shutil.rmtree(folder, ignore_errors=True)


def make_plan(suite: Suite, store: Store, rerun: Collection[str] = (), trials: Sequence[Trial] | None = None) -> Plan:
    """Sorts a suite's trials, or some: finished ones are skipped, failed and stale ones too unless `rerun` names them.

    A trial is stale where the store holds one of the same plan, made by another version or source of what trains.
    """
    plan = Plan(suite)
    stored: dict[str, list[Found]] = {}
    for held in store.trials(suite.name):
        stored.setdefault(held.record.trial.plan_key, []).append(held)
    everything = "all" in rerun
    trials = suite.trials() if trials is None else trials
    for dataset in dict.fromkeys(trial.dataset for trial in trials):
        measured = store.read_controls(suite.name, dataset)
        if measured is None or measured.key != control_key(suite, dataset):
            plan.controls.append(dataset)
    for trial in trials:
        versions = stored.get(trial.plan_key, [])
        current = [held for held in versions if held.record.id == trial.id]
        if current and (there := version(current[0].folder / RECORD)) is not None:
            plan.found[trial.id] = there
        others = [held.folder for held in versions if held.record.id != trial.id]
        if not current and not others:
            plan.run.append(trial)
        elif not current:
            _sort(plan, trial, plan.stale, everything or "stale" in rerun, others)
        elif current[0].record.status == "done":
            _sort(plan, trial, plan.done, everything, others)
            if not everything:
                plan.unscored.look_at(trial, current[0])
        else:
            _sort(plan, trial, plan.failed, everything or "failed" in rerun, others)
    return plan


def control_key(suite: Suite, dataset: Component) -> str:
    """Everything that decides a dataset's stored controls: with an equal key they need not be measured again."""
    protocols = ways(suite.protocols, suite.metrics)
    along = protocols[0].along()
    columns = {metric: Component.resolve(metrics, metric) for way in protocols for metric in way.columns.values()}
    behind = {metric: of.source for metric, of in columns.items() if of.source}
    return canonical_json(
        {
            "dataset": dataset.identity,
            "draws": suite.control_draws,
            "controls": [
                [control.name, control.version, *([control.source] if control.source else [])] for control in controls
            ],
            "along": [along.name, along.n, dict(along.columns)],
            "protocols": [
                [p.name, p.version, p.n, dict(p.columns), *([p.source] if p.source else [])] for p in protocols
            ],
            **({"sources": behind} if behind else {}),
        }
    )


def _most(budget: Budget, size: int) -> int:
    """How many trials of a budget may be trained as one stack."""
    return 1 if budget.kind == "seconds" else size


def _parts(trials: Sequence[Trial], size: int) -> Iterator[tuple[Trial, ...]]:
    """The trials in order, `size` at a time."""
    return (tuple(trials[i : i + size]) for i in range(0, len(trials), size))


def _sort(plan: Plan, trial: Trial, kept: list[Trial], again: bool, folders: list[Path]) -> None:
    if again:
        plan.run.append(trial)
        plan.replaced[trial.id] = folders
    else:
        kept.append(trial)
