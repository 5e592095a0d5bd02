"""Results that commands read: the folder a user names, and the protocol that its tables are under."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from genbench.records.store import Store
    from genbench.scoring.protocols import Protocol


def results(folder: Path) -> Store:
    """The results, or the reference inside them where there are no others."""
    from genbench.errors import GenbenchError
    from genbench.records.layout import REFERENCE
    from genbench.records.store import Store

    if not folder.is_dir():
        raise GenbenchError(f"{folder} is not a folder. Give a results folder, or make one: genbench run --suite toy2d")
    store = Store(folder)
    if store.suites() or any(store.externals()):
        return store
    reference = Store(folder / REFERENCE)
    if reference.suites():
        typer.secho(f"{folder} holds no runs of yours; this is {reference.root}.", err=True)
        return reference
    raise GenbenchError(f"{folder} holds no results. Make some: genbench run --suite toy2d --out {folder}")


def suites(store: Store, suite: str | None) -> list[str]:
    """The suites with results, or the one that is asked for; raises UnknownName where it has none."""
    from genbench.errors import UnknownName

    names = store.suites()
    if suite is not None and suite not in names:
        raise UnknownName("suite with results", suite, names)
    return [name for name in names if suite in (None, name)]


def protocol(store: Store, suite: str, name: str | None) -> Protocol:
    """The protocol of that name; without one, the suite's first."""
    from genbench.registry import DEFAULT_PROTOCOL
    from genbench.scoring.protocols import protocol as protocol_named

    plan = store.plan(suite)
    stored = (score.identity.protocol for trial in store.trials(suite) if trial.scores for score in trial.scores.scores)
    return protocol_named(name or (plan.protocols[0] if plan else next(stored, DEFAULT_PROTOCOL)))


def tell_planless(store: Store, suites: Iterable[str]) -> None:
    """Names on standard error the suites whose plan is gone, so that nobody knows which trials are missing."""
    from genbench.records.layout import PLAN

    for name in suites:
        if not (store.home(name) / PLAN).exists():
            typer.secho(
                f"{store.root / name / PLAN} is missing, so nothing says which trials are; genbench run writes it.",
                fg="yellow",
                err=True,
            )


def tell_unreadable(store: Store, fate: str = "left out") -> None:
    """Names on standard error what couldn't be read and what is there twice, once, and what became of it."""
    from genbench.records.reading import text

    for path, reason in dict.fromkeys(store.unreadable):
        typer.secho(text(f"Unreadable, {fate}: {path}: {reason}"), fg="yellow", err=True)
    for path, of in store.copies.values():
        typer.secho(text(f"A copy of {of}, {fate}: {path}"), fg="yellow", err=True)
