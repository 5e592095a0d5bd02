"""`genbench compare`: two results folders, or two trainers, held against each other; for people and for CI."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli import stored
from genbench.cli.options import AsJson, Plugins, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genbench.compare.changes import Change
    from genbench.compare.margins import Margin
    from genbench.compare.sides import Match, Sides

REGRESSION, NO_POWER = 3, 4
"""The exit codes where `--fail-on` found what it looks for, and where it could not have."""


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="The results that are compared with.")],
    second: Annotated[
        Path | None, typer.Argument(metavar="B", help="The results that may be worse; none with --against.")
    ] = None,
    suite: Annotated[str | None, typer.Option(help="One suite; all that both have by default.")] = None,
    protocol: Annotated[str | None, typer.Option(help="The way of scoring; the suite's first in A by default.")] = None,
    trainer: Annotated[str | None, typer.Option(help="One trainer; with --against, the one that may be worse.")] = None,
    against: Annotated[str | None, typer.Option(help="Compare --trainer with this one, both in the results A.")] = None,
    dataset: Annotated[str | None, typer.Option(help="One dataset.")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="One metric; may be given again. By default those of --fail-on, or else the protocol's main ones."
        ),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC[:±X[%]]",
            help="Exit with 3 where METRIC is told to be worse by over X, or X % of A's median; may be given again.",
        ),
    ] = None,
    allow_no_power: Annotated[
        bool, typer.Option("--allow-no-power", help="Pass although --fail-on could not have found anything.")
    ] = False,
    as_json: AsJson = False,
    plugin: Plugins = None,
) -> None:
    """Compare results A with results B, or two trainers in A: is B worse, and could these seeds tell?

    Exit codes: 0 nothing that --fail-on looks for, 2 bad usage or sides that can't be compared, 3 a metric of
    --fail-on is told to be worse beyond its margin or, with --fail-on, a trial failed in B that finished in A, 4 a
    --fail-on could not have found a difference: seeds are too few, B lacks what A has, or has what A has nothing like.
    """
    load(plugin)
    from genbench.compare import show
    from genbench.compare.changes import breaches, changes, gated
    from genbench.compare.margins import Margin

    margins = [Margin.parse(text) for text in fail_on or ()]
    sides = _sides(first, second, suite, protocol, trainer, against, dataset)
    wanted = list(dict.fromkeys([*(metric or ()), *(margin.metric for margin in margins)]))
    _check(sides.pairs, wanted, margins)
    compared = changes(sides.pairs, wanted)
    _check_directions(compared, margins)
    broken = breaches(sides.pairs, compared, margins)
    if as_json:
        sys.stdout.write(show.as_json(sides, compared, broken))
    else:
        show.terminal(sides, compared, broken)
    for warning in show.warnings(compared):
        typer.secho(f"Warning: {warning}", fg="yellow", err=True)
    if broken or (margins and sides.failed):
        raise typer.Exit(REGRESSION)
    of = {margin.metric: gated(sides.pairs, compared, margin) for margin in margins}
    blind = {name: [change for change in changed if change.powerless] for name, changed in of.items()}
    said = [show.powerless(changed, name) for name, changed in blind.items() if changed]
    lacking = [*sides.lacking, *(show.unscored(c) for changed in of.values() for c in changed if c.unscored)]
    said += [show.lacking(lacking)] if margins and lacking else []
    said += [show.unlike(sides.unlike)] if margins and sides.unlike else []
    if said and not allow_no_power:
        for line in said:
            typer.secho(line, fg="yellow", err=True)
        raise typer.Exit(NO_POWER)


def _sides(
    first: Path,
    second: Path | None,
    suite: str | None,
    protocol: str | None,
    trainer: str | None,
    against: str | None,
    dataset: str | None,
) -> Sides:
    from genbench.compare import sides
    from genbench.errors import GenbenchError

    if second is None and (trainer is None or against is None):
        raise GenbenchError(
            f"Compare {first} with what? Give another results folder: genbench compare {first} results/reference, or "
            f"two trainers: genbench compare {first} --trainer wgan-gp --against gan"
        )
    if second is not None and against is not None:
        raise GenbenchError(
            f"--against compares trainers of one folder, and there are two: leave {second} out, or --against."
        )
    store = stored.results(first)
    names = stored.suites(store, suite)
    if second is None:
        protocols = {name: stored.protocol(store, name, protocol) for name in names}
        assert trainer is not None and against is not None
        both = sides.two_trainers(store, protocols, trainer, against, dataset)
        stored.tell_unreadable(store)
        return both
    other = stored.results(second)
    others = stored.suites(other, suite)
    common = [name for name in names if name in others]
    if not common:
        raise GenbenchError(
            f"A and B have no suite in common: {', '.join(names)} in A, {', '.join(others)} in B. Run the same: "
            f"genbench run --suite {names[0]} --out {second}"
        )
    protocols = {name: stored.protocol(store, name, protocol) for name in common}
    both = sides.two_folders(store, other, protocols, trainer, dataset)
    for name in (name for name in names if name not in others):
        if sides.holds(store, name, stored.protocol(store, name, protocol), trainer, dataset):
            both.lacking.append(f"suite {name}")
            both.notes.append(f"In A alone: suite {name}.")
    for read in (store, other):
        stored.tell_unreadable(read)
    return both


def _check(pairs: Sequence[Match], wanted: Sequence[str], margins: Sequence[Margin]) -> None:
    """Raises for a metric that neither side has scores of, and for a margin that would fail on an improvement."""
    from genbench.errors import GenbenchError, UnknownName

    known = {column.name: column for pair in pairs for column in pair.columns()}
    if not known:
        names = ", ".join(sorted({pair.table.protocol.name for pair in pairs}))
        raise GenbenchError(f"Neither side has scores under {names}. Name a protocol that has: --protocol NAME")
    for name in wanted:
        if name not in known:
            raise UnknownName("metric with results", name, known)
    for margin in margins:
        margin.check(known[margin.metric])


def _check_directions(compared: Sequence[Change], margins: Sequence[Margin]) -> None:
    """Raises where nobody says which way is worse: neither the metric, nor the oracle, nor a sign."""
    from genbench.errors import GenbenchError

    for margin in (margin for margin in margins if margin.sign is None):
        of = [change for change in compared if change.column.name == margin.metric]
        if of and all(change.column.higher_is_better is None and change.worsening is None for change in of):
            raise GenbenchError(
                f"--fail-on {margin.text}: {margin.metric} has no better way, and there are no controls to measure it "
                f"by. Say which way is worse: --fail-on {margin.metric}:+10% or --fail-on {margin.metric}:-10%"
            )
