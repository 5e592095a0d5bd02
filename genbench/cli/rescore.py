"""`genbench rescore`: stored samples scored again, under another protocol or by mended metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from genbench.cli import stored
from genbench.cli.options import (
    DataFolder,
    Device,
    Dinov2Weights,
    InceptionWeights,
    Metrics,
    Plugins,
    load,
    metrics_given,
    use_data,
    use_weights,
)

if TYPE_CHECKING:
    from genbench.records.record import Score
    from genbench.records.store import Store
    from genbench.scoring.protocols import Protocol
    from genbench.spec import Component
    from genbench.trials.rescoring import Rescorer


def rescore(
    results: Annotated[Path, typer.Argument(help="A results folder.")],
    protocol: Annotated[str | None, typer.Option(help="The way of scoring, say pacgan2018.")] = None,
    metric: Metrics = None,
    suite: Annotated[str | None, typer.Option(help="One suite; all that have results by default.")] = None,
    device: Device = "auto",
    data: DataFolder = None,
    inception_weights: InceptionWeights = None,
    dinov2_weights: Dinov2Weights = None,
    plugin: Plugins = None,
) -> None:
    """Score the stored samples of finished trials under a protocol, or by a metric more, without training.

    With --protocol, scores of that protocol are replaced; without it, columns of --metric alone are scored, with as
    many samples as the suite's first protocol has. All others stay, and the datasets' controls get theirs. A metric
    that wants more samples than are stored is skipped, with the reason, unless it has a score from when there were
    enough, which stays, whatever version made it.

    Exit code: 0 all well, 1 some trials could not be scored, 2 bad usage.
    """
    load(plugin)
    use_data(data)
    use_weights(inception=inception_weights, dinov2=dinov2_weights)
    from genbench import cores, devices
    from genbench.errors import GenbenchError
    from genbench.records.store import Store
    from genbench.scoring.protocols import protocol as protocol_named

    added = metrics_given(metric)
    if protocol is None and not added:
        raise GenbenchError("By what? Give a way of scoring, say --protocol genbench1, or a metric: --metric NAME")
    store = Store(results)
    if protocol is not None:
        protocol_named(protocol)
    if not store.suites():
        raise GenbenchError(
            f"{results} holds no results. Give a results folder: genbench rescore results --protocol genbench1"
        )
    ways = {name: _way(store, name, protocol, added) for name in stored.suites(store, suite)}
    for name in ways:
        store.check_unpacked(name)
    devices.check(device)
    store.check_writable()
    from genbench.executors.process import run_conditions
    from genbench.trials.preflight import try_metrics
    from genbench.trials.rescoring import Rescorer

    place = devices.resolve(device)
    rescorers = {way: Rescorer(way, place) for way in ways.values()}
    with run_conditions(), cores.spared(cores.available() - 1):
        for name, way in ways.items():
            try_metrics(list(dict.fromkeys(each.record.trial.dataset for each in store.trials(name))), way, place)
        refused = sum(_suite(store, name, rescorers[way]) for name, way in ways.items())
    stored.tell_unreadable(store, "left alone")
    if refused or store.unreadable:
        raise typer.Exit(1)


def _way(store: Store, suite: str, protocol: str | None, added: Sequence[str]) -> Protocol:
    """What a suite's trials are scored by: the protocol with the metrics that are added, or without one those alone."""
    from genbench.errors import GenbenchError

    own = stored.protocol(store, suite, protocol)
    way = own.adding(added)
    if protocol is not None:
        return way
    if not way.added:
        raise GenbenchError(
            f"{own.name} of {suite} has {', '.join(added)} already. To score it again: --protocol {own.name}"
        )
    return way.only(way.added)


def _suite(store: Store, suite: str, rescorer: Rescorer) -> int:
    """Scores a suite's trials and says what it did; returns how many finished ones could not be scored."""
    from genbench.errors import GenbenchError

    done = refused = failed = stayed = outdated = blank = 0
    empty: Counter[_Empty] = Counter()
    datasets: dict[Component, None] = {}
    for trial in store.trials(suite):
        if trial.record.status != "done":
            failed += 1
            continue
        try:
            store.check_own(trial.folder)
            rescored = rescorer.trial(trial)
        except (GenbenchError, OSError) as error:
            refused += 1
            typer.secho(f"{trial.record.trial}: {error}", fg="yellow", err=True)
            continue
        done += 1
        blank += trial.scores is None
        stayed += bool(rescored.stayed)
        outdated += bool(rescored.outdated)
        empty.update(_empty(rescored.scores))
        datasets[trial.record.trial.dataset] = None
    typer.echo(f"{suite}: {_trials(done)} scored again under {rescorer.protocol.name}")
    for dataset in datasets:
        if store.read_controls(suite, dataset) is None:
            typer.echo(f"  There are no controls on {dataset.label}, which genbench run measures.")
        if rescorer.controls(store, suite, dataset):
            typer.echo(f"  The controls on {dataset.label} have scores and null bands under it now, too.")
    for (state, reason, names), count in empty.items():
        typer.echo(f"  {state.capitalize()} in {_trials(count)}, since {reason}: {names}")
    if blank:
        typer.echo(
            f"  {_trials(blank)} had no scores. Those of samples are made; a likelihood, where the trainer says one, "
            "comes with training alone."
        )
    if stayed:
        typer.echo(f"  Scores of more samples than are stored stayed in {_trials(stayed)}.")
    if outdated:
        typer.echo(
            f"  Those of {_trials(outdated)} are of another version, source or setting than now. To train again, give "
            "the run's command --rerun all."
        )
    if failed:
        typer.echo(f"  {_trials(failed)} had failed, and left no samples.")
    if refused:
        typer.echo(f"  {_trials(refused)} could not be scored.")
    return refused


class _Empty(NamedTuple):
    """Scores without a value for one reason: their state, the reason, and their names in one text."""

    state: str
    reason: str
    names: str


def _empty(scores: Sequence[Score]) -> list[_Empty]:
    """A trial's scores that have no value, one entry a state and reason."""
    names: dict[tuple[str, str], dict[str, None]] = {}
    for score in scores:
        if score.state != "ok":
            names.setdefault((score.state, str(score.reason)), {})[score.name] = None
    return [_Empty(*why, ", ".join(of)) for why, of in names.items()]


def _trials(count: int) -> str:
    return f"{count} trial{'' if count == 1 else 's'}"
