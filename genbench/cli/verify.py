"""`genbench verify`: whether results are whole, are what they say, and come out again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli import stored
from genbench.cli.options import (
    DataFolder,
    Device,
    Dinov2Weights,
    InceptionWeights,
    Plugins,
    load,
    use_data,
    use_weights,
)

if TYPE_CHECKING:
    from genbench.records.audit import Fault
    from genbench.records.store import Store


def verify(
    results: Annotated[Path, typer.Argument(help="A results folder.")] = Path("results"),
    suite: Annotated[str | None, typer.Option(help="One suite; all that have results by default.")] = None,
    scores: Annotated[bool, typer.Option(help="Score stored samples again and compare.")] = True,
    retrain: Annotated[int, typer.Option(min=0, help="Train so many trials of each suite again and compare.")] = 0,
    repair: Annotated[
        bool, typer.Option("--repair", help="Move what is broken into RESULTS/aside, so that a run makes it again.")
    ] = False,
    device: Device = "auto",
    data: DataFolder = None,
    inception_weights: InceptionWeights = None,
    dinov2_weights: Dinov2Weights = None,
    plugin: Plugins = None,
) -> None:
    """Check every file's SHA-256, schema, id and folder, score stored samples again, and train some trials again.

    On like hardware a trial that is trained again has the same bits; elsewhere its score has to lie among those of the
    stored seeds as they lie among each other. Nothing is ever removed.

    Exit code: 0 all well, 1 something is wrong, 2 bad usage.
    """
    load(plugin)
    use_data(data)
    use_weights(inception=inception_weights, dinov2=dinov2_weights)
    from genbench import devices
    from genbench.records.audit import absent, audit, left_out, put_aside
    from genbench.records.reading import text

    devices.check(device)
    store = stored.results(results)
    wrong = 0
    for name in stored.suites(store, suite):
        problems = list(audit(store, name))
        trials = list(store.trials(name))
        without = f", {bare} of them without samples or weights" if (bare := left_out(trials)) else ""
        more = f"; {left} of its plan's are not there" if (left := absent(store, name, trials)) else ""
        typer.echo(text(f"{name}: {len(trials)} trials read{without}{more}"))
        if scores:
            problems += _scored(store, name, devices.resolve(device))
        if retrain:
            problems += _retrained(store, name, devices.resolve(device), retrain, plugin or ())
        for problem in problems:
            typer.echo(text(f"  {problem.path}: {problem.what}"))
        wrong += len(problems)
        for problem in problems if repair else ():
            if (place := put_aside(store, problem)) is not None:
                typer.echo(text(f"  moved to {place}"))
    if repair and wrong:
        typer.echo("To make again what was moved: the command of the run, and for scores genbench rescore.")
    typer.echo("All is whole." if not wrong else f"{wrong} things are wrong.")
    if wrong:
        raise typer.Exit(1)


def _scored(store: Store, suite: str, device: str) -> list[Fault]:
    from genbench import cores
    from genbench.errors import GenbenchError
    from genbench.executors.process import run_conditions
    from genbench.records.audit import Fault
    from genbench.scoring.protocols import ways
    from genbench.trials.rechecking import controls_again, scores_again

    plan = store.plan(suite)
    try:
        protocols = ways(plan.protocols, plan.metrics) if plan else [stored.protocol(store, suite, None)]
    except GenbenchError as error:
        return [Fault(store.home(suite), f"nothing can be scored: {error}")]
    trials = list(store.trials(suite))
    datasets = dict.fromkeys(trial.record.trial.dataset for trial in trials)
    with run_conditions(), cores.spared(cores.available() - 1):
        scored = [found for _, found in scores_again(trials, protocols, device)]
        controls = [found for _, found in controls_again(store, suite, datasets, protocols, device)]
    typer.echo(f"  {len(scored)} trials' samples scored again, and the controls of {len(controls)} datasets")
    return [problem for found in (*scored, *controls) for problem in found]


def _retrained(store: Store, suite: str, device: str, n: int, plugins: Sequence[str]) -> list[Fault]:
    from genbench.errors import GenbenchError
    from genbench.records.audit import Fault
    from genbench.scoring.protocols import protocol as protocol_named
    from genbench.trials.retraining import ODD, chosen, come_out_otherwise, trained_again

    plan = store.plan(suite)
    if plan is None:
        raise GenbenchError(f"{suite} has no plan, so nothing says how its trials were measured. Leave --retrain out.")
    (column, *_) = protocol_named(plan.protocols[0]).headline
    trials = list(store.trials(suite))
    made = []
    problems = []
    again = trained_again(chosen(trials, n), trials, plan, device, column, lambda word: None, plugins)
    for each in again:
        made.append(each)
        alike = "the same bits" if each.same else "other bits"
        elsewhere = "" if each.alike else ", as on other hardware or with other packages they may be"
        typer.echo(f"  {each.trial.record.trial}: {alike}{elsewhere}")
        if each.alike and not each.same:
            problems.append(Fault(each.trial.folder, "trained again on like hardware, it has other weights"))
    p = come_out_otherwise(made)
    if p is not None:
        typer.echo(f"  {column} of those that were made elsewhere comes from where the stored does: p = {p:.2g}")
        if p < ODD:
            problems.append(Fault(store.home(suite), f"trained again elsewhere, {column} comes out otherwise"))
    return problems
