"""`genbench rescore`: stored samples scored again, under another protocol or by mended metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli import stored
from genbench.cli.options import DataFolder, InceptionWeights, Plugins, load, use_data, use_inception

if TYPE_CHECKING:
    from genbench.records.record import Score
    from genbench.records.store import Store
    from genbench.spec import Component
    from genbench.trials.rescoring import Rescorer


def rescore(
    results: Annotated[Path, typer.Argument(help="A results folder.")],
    protocol: Annotated[str, typer.Option(help="The way of scoring, say pacgan2018.")],
    suite: Annotated[str | None, typer.Option(help="One suite; all that have results by default.")] = None,
    data: DataFolder = None,
    inception_weights: InceptionWeights = None,
    plugin: Plugins = None,
) -> None:
    """Score the stored samples of finished trials under a protocol, without training.

    Scores of that protocol are replaced, those of others stay, and the datasets' controls get theirs. A metric that
    wants more samples than are stored is skipped, with the reason, unless it has a score from when there were enough.

    Exit code: 0 all well, 1 some trials could not be scored, 2 bad usage.
    """
    load(plugin)
    use_data(data)
    use_inception(inception_weights)
    from genbench.errors import GenbenchError
    from genbench.records.store import Store
    from genbench.scoring.protocols import protocol as protocol_named

    way = protocol_named(protocol)
    store = Store(results)
    if not store.suites():
        raise GenbenchError(
            f"{results} holds no results. Give a results folder: genbench rescore results --protocol genbench1"
        )
    wanted = stored.suites(store, suite)
    store.check_writable()
    from genbench.executors.process import run_conditions
    from genbench.trials.rescoring import Rescorer

    rescorer = Rescorer(way.name)
    with run_conditions():
        refused = sum(_suite(store, name, rescorer) for name in wanted)
    stored.tell_unreadable(store, "left alone")
    if refused or store.unreadable:
        raise typer.Exit(1)


def _suite(store: Store, suite: str, rescorer: Rescorer) -> int:
    """Scores a suite's trials and says what it did; returns how many finished ones could not be scored."""
    from genbench.errors import GenbenchError

    done = refused = failed = stayed = 0
    skipped: Counter[tuple[str, str]] = Counter()
    datasets: dict[Component, None] = {}
    for found in store.trials(suite):
        if found.record.status != "done":
            failed += 1
            continue
        try:
            rescored = rescorer.trial(found)
        except (GenbenchError, OSError) as error:
            refused += 1
            typer.secho(f"{found.record.trial}: {error}", fg="yellow", err=True)
            continue
        done += 1
        stayed += bool(rescored.stayed)
        skipped.update(_skipped(rescored.scores))
        datasets[found.record.trial.dataset] = None
    typer.echo(f"{suite}: {_trials(done)} scored again under {rescorer.protocol}")
    for dataset in datasets:
        if rescorer.controls(store, suite, dataset):
            typer.echo(f"  The controls on {dataset.label} have scores and null bands under it now, too.")
    for (names, reason), count in skipped.items():
        typer.echo(f"  Skipped in {_trials(count)}, since {reason}: {names}")
    if stayed:
        typer.echo(f"  Scores of more samples than are stored stayed in {_trials(stayed)}.")
    if failed:
        typer.echo(f"  {_trials(failed)} had failed, and left no samples.")
    if refused:
        typer.echo(f"  {_trials(refused)} could not be scored.")
    return refused


def _skipped(scores: Sequence[Score]) -> list[tuple[str, str]]:
    """The names of a trial's skipped scores, in one text, and their reason: a pair a reason."""
    names: dict[str, dict[str, None]] = {}
    for score in scores:
        if score.state != "ok":
            names.setdefault(str(score.reason), {})[score.name] = None
    return [(", ".join(of), reason) for reason, of in names.items()]


def _trials(count: int) -> str:
    return f"{count} trial{'' if count == 1 else 's'}"
