"""`genbench run --dry-run`: how long a plan will take, from a short rehearsal of each trainer."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

from rich.console import Console
from rich.markup import escape

from genbench.cli.display import duration
from genbench.engine.training import Stopped, Training
from genbench.executors.plan import Plan
from genbench.executors.process import run_conditions
from genbench.executors.resources import build_dataset, resolve_device
from genbench.spec import Trial

WARM_UP_STEPS = 10
REHEARSAL_STEPS = 40


def estimate(console: Console, plan: Plan, jobs: int, device: str) -> None:
    """Prints how long each cell's training will take, and the whole."""
    console.print(f"A rehearsal of {REHEARSAL_STEPS} steps a cell says:")
    total = 0.0
    cells = Counter((trial.trainer.label, trial.dataset.label) for trial in plan.run)
    for (trainer, dataset), count in cells.items():
        trial = next(t for t in plan.run if (t.trainer.label, t.dataset.label) == (trainer, dataset))
        seconds = rehearse(trial, device)
        total += seconds * count
        console.print(f"  {escape(trainer)} on {escape(dataset)}: {count} × {duration(seconds)}")
    console.print(
        f"About [bold]{duration(total / jobs)}[/] of training with {jobs} at once on the plain path, less where "
        "compiling pays; controls and scoring come on top."
    )


def rehearse(trial: Trial, device: str) -> float:
    """The seconds that the whole of `trial` would train on the plain path, from its first few steps."""
    if trial.budget.kind == "seconds":
        return trial.budget.amount
    with run_conditions():
        training = Training([trial], build_dataset(trial.dataset), resolve_device(device), "plain")
        _run_to(training, WARM_UP_STEPS)
        seconds, share = training.meter.seconds, training.progress
        _run_to(training, WARM_UP_STEPS + REHEARSAL_STEPS)
        if training.progress == share:  # the budget is smaller than the warm-up
            return training.meter.seconds
        return (training.meter.seconds - seconds) / (training.progress - share)


def _run_to(training: Training, steps: int) -> None:
    with suppress(Stopped):
        training.run(until=1.0, stop=lambda meter: meter.steps >= steps)
