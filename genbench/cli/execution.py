"""A plan's tasks on their way: how many at once, and what is told while they run and at the end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from genbench.cli.options import command_line

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.executors.chosen import Executor
    from genbench.executors.task import Context, Task
    from genbench.records.store import Store
    from genbench.spec import Suite
    from genbench.trials.plan import Plan

PROCESSOR_STACK = 5
"""More seeds at once than this gain nothing on a processor."""

STACKS_A_JOB = 2
"""So many stacks a process, or some processes would wait for the last ones."""


def try_first(tried: Task | None, context: Context, timeout: float | None) -> None:
    """Does a task on whose success all others depend; raises GenbenchError where it has none."""
    from genbench.errors import GenbenchError
    from genbench.executors.chosen import executor_for

    tasks = [tried] if tried else []
    for outcome in executor_for(tasks, 1, context.plugins, timeout).run(tasks, lambda word: None):
        if outcome.error is not None:
            raise GenbenchError(outcome.error)


def execute(
    console: Console, plan: Plan, tasks: list[Task], executor: Executor, store: Store, statuses: Counter[str]
) -> list[str]:
    """Runs the plan's tasks; counts in `statuses` how trials ended, and returns what could not be done."""
    from genbench.cli.display import display
    from genbench.cli.heartbeat import beating
    from genbench.records.layout import RECORD

    errors: dict[str, None] = {}
    fallen: dict[str, str] = {}
    places: list[Path] = []
    try:
        with (
            display(console, len(plan.run)) as on_console,
            beating(on_console, store.root, plan.suite.name, command_line(), len(plan.run)) as shown,
        ):
            for outcome in executor.run(tasks, shown.notify):
                if outcome.error is not None:
                    errors.setdefault(outcome.error)
                shown.finish(outcome)
                for record in outcome.records:
                    statuses[record.status] += 1
                    if record.status == "done":
                        places.append(store.folder(record.suite, record.trial) / RECORD)
                    plan.remove_stale(record)
                    engine = record.provenance.get("engine", {})
                    if engine.get("fell_back"):
                        fallen.setdefault(record.trial.trainer.label, f"trained plainly: {engine['reason']}")
                    if engine.get("lowered_from"):
                        least = f"{engine['stack']} at once, as {engine['lowered_from']} didn't fit into memory"
                        fallen[record.trial.trainer.label] = f"trained its seeds {least}"
    except KeyboardInterrupt:
        console.print("Interrupted. Finished trials and checkpoints are kept; to go on:")
        console.print(f"  {command_line()}", markup=False, soft_wrap=True)
        raise
    for trainer, reason in fallen.items():
        console.print(f"{trainer} {reason}", markup=False, soft_wrap=True, style="yellow")
    if statuses:
        console.print(", ".join(f"{count} {status}" for status, count in statuses.most_common()))
    if gone := sum(not place.exists() for place in places):
        errors.setdefault(f"{gone} of {len(places)} records are gone from {store.root}. To make them: {command_line()}")
    return list(errors)


def jobs_for(asked: int | None, device: str, plan: Plan) -> int:
    """How many processes to run: on a processor one a core, on a device one, which trains all seeds together."""
    from genbench import cores, devices

    processes = asked or (1 if devices.resolve(device).startswith("cuda") else cores.available())
    return min(processes, max(len(plan.run), len(plan.controls), 1))


def stack_size(plan: Plan, device: str, jobs: int) -> int:
    """How many seeds to train together: on CUDA all, on a processor as many as leave every process enough to do.

    That is two at the least, since a lone one is computed beside its double.
    """
    from genbench import devices
    from genbench.engine.paths import ALIKE

    most = most_at_once(plan.suite, device)
    if devices.resolve(device).startswith("cuda"):
        return most
    return max(ALIKE, min(most, len(plan.run) // (STACKS_A_JOB * jobs)))


def most_at_once(suite: Suite, device: str) -> int:
    """More seeds than so many gain nothing by being trained together."""
    from genbench import devices

    return len(suite.seeds) if devices.resolve(device).startswith("cuda") else PROCESSOR_STACK
