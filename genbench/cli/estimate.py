"""`genbench run --dry-run`: how long a plan will take, from a short rehearsal of each trainer."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

from rich.console import Console
from rich.markup import escape

from genbench import devices
from genbench.cli.display import duration
from genbench.engine.training import Stopped, Training
from genbench.executors.process import run_conditions
from genbench.spec import Trial
from genbench.trials.plan import Plan
from genbench.trials.resources import build_dataset

WARM_UP_STEPS = 10
REHEARSAL_STEPS = 40


def estimate(console: Console, plan: Plan, jobs: int, device: str) -> None:
    """Prints how long each cell's training will take, and the whole."""
    console.print(f"A rehearsal of {REHEARSAL_STEPS} steps a cell says:")
    total = 0.0
    several = len({trial.budget for trial in plan.run}) > 1
    for trial, count in Counter(map(_cell, plan.run)).items():
        seconds = rehearse(trial, device)
        total += seconds * count
        name = f"{trial.trainer.label} on {trial.dataset.label}" + (f", {trial.budget}" if several else "")
        console.print(f"  {escape(name)}: {count} × {duration(seconds)}")
    console.print(
        f"About [bold]{duration(total / jobs)}[/] of training with {jobs} at once on the plain path, less where "
        "compiling pays; controls and scoring come on top."
    )


def _cell(trial: Trial) -> Trial:
    """What is rehearsed for all trials that differ from it in their seed alone."""
    return trial.model_copy(update={"seed": 0})


def rehearse(trial: Trial, device: str) -> float:
    """The seconds that the whole of `trial` would train on the plain path, from its first few steps."""
    if trial.budget.kind == "seconds":
        return trial.budget.amount
    with run_conditions():
        training = Training([trial], build_dataset(trial.dataset), devices.resolve(device), "plain")
        _run_to(training, WARM_UP_STEPS)
        seconds, share = training.meter.seconds, training.progress
        _run_to(training, WARM_UP_STEPS + REHEARSAL_STEPS)
        if training.progress == share:  # the budget is smaller than the warm-up
            return training.meter.seconds
        return (training.meter.seconds - seconds) / (training.progress - share)


def _run_to(training: Training, steps: int) -> None:
    with suppress(Stopped):
        training.run(until=1.0, stop=lambda meter: meter.steps >= steps)
