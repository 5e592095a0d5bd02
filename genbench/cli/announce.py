"""What `genbench run` says before it begins: what is to be done, and what isn't and why."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.records.store import Store
    from genbench.report.frame import Facts
    from genbench.spec import Trial
    from genbench.trials.plan import Plan
    from genbench.trials.unscored import Way


def announce(console: Console, plan: Plan, store: Store, folder: str, plugins: Sequence[str]) -> None:
    """Prints what is to be done, and what isn't and why; commands that mend it load the same `plugins`."""
    suite = plan.suite
    size = f"{len(suite.trainers)} trainers × {len(suite.datasets)} datasets × {len(suite.seeds)} seeds"
    if len(suite.budgets) > 1:
        size += f" × {len(suite.budgets)} budgets"
    budgets = ", ".join(map(str, suite.budgets))
    console.print(f"{suite.name}: {size}, {budgets}, into {folder}", markup=False, soft_wrap=True)
    console.print(f"{len(plan.run)} trials to run, {len(plan.done)} done already")
    if plan.failed:
        console.print(f"{len(plan.failed)} failed before")
    if plan.stale:
        console.print(f"{len(plan.stale)} stale, of another version, source or data; to renew them: --rerun stale")
    for way, trials in plan.unscored.renewable.items():
        again = shlex.join(["genbench", "rescore", folder, "--suite", suite.name, *way.options, *plugins])
        what = "renew" if way.protocol else "add"
        console.print(f"{_lack(trials, way)}; to {what} that: {again}", markup=False, soft_wrap=True)
    for (protocol, columns), trials in plan.unscored.lost.items():
        console.print(
            f"{len(trials)} of those done keep too few samples for {', '.join(columns)} of {protocol} as it is now; to "
            "train all again: --rerun all",
            markup=False,
            soft_wrap=True,
        )
    held = [of.label for of in plan.controls if store.read_controls(suite.name, of)]
    if held:
        console.print(
            f"Controls to measure anew, since something of them has changed: {', '.join(held)}",
            markup=False,
            soft_wrap=True,
        )
    for path, reason in store.unreadable:
        console.print(f"Unreadable: {path}: {reason}", markup=False, soft_wrap=True, style="yellow")
    for path, of in store.copies.values():
        console.print(f"A copy of {of}, left alone: {path}", markup=False, soft_wrap=True, style="yellow")


def announce_arithmetic(console: Console, plan: Plan, store: Store, asked: Facts) -> None:
    """Prints how many of the finished trials were computed otherwise than is asked for now."""
    from genbench.report.frame import Thing
    from genbench.report.names import apart

    done = {trial.id for trial in plan.done}
    found = (Thing.behind(each.record).arithmetic for each in store.trials(plan.suite.name) if each.record.id in done)
    for computed, count in Counter(found).items():
        if computed != asked:
            told = f"{count} of those done were computed with {apart(computed, asked)}, not {apart(asked, computed)}"
            console.print(f"{told}; to train all again: --rerun all", soft_wrap=True)


def _lack(trials: Sequence[Trial], way: Way) -> str:
    """That so many finished trials lack scores."""
    are = "it is" if len(way.names) == 1 else "they are"
    return f"{len(trials)} of those done aren't scored by {', '.join(way.names)} as {are} now"
