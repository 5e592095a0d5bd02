"""`genbench report`: tables and pictures from stored results."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from genbench.report.model import Table
    from genbench.store import Store

Format = Literal["terminal", "md", "csv", "json"]


def report(
    results: Annotated[Path, typer.Argument(help="A results folder.")] = Path("results"),
    suite: Annotated[str | None, typer.Option(help="One suite; all that have results by default.")] = None,
    protocol: Annotated[str | None, typer.Option(help="The way of scoring; the suite's first by default.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="How to print the tables.")] = "terminal",
    all_metrics: Annotated[bool, typer.Option("--all-metrics", help="Every column, not the main ones alone.")] = False,
    figures: Annotated[bool, typer.Option(help="Draw the pictures.")] = True,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the page there, index.html, with the pictures; without it, these go to RESULTS/report."
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Write the page and show it in a browser.")] = False,
) -> None:
    """Print tables of results, with intervals over seeds and all controls, draw the pictures, and write the page.

    Reads what is stored and nothing else. Where RESULTS holds no runs but RESULTS/reference does, reports those.
    """
    with _no_garbage():
        folder = out or results / "report"
        store = _store(results)
        names = _report(store, suite, protocol, format_, all_metrics, folder if figures else None)
        if out is not None or open_:
            _write_page(store, names, protocol, folder / "index.html", open_)
        for path, reason in dict.fromkeys(store.unreadable):
            typer.secho(f"Unreadable, left out: {path}: {reason}", fg="yellow", err=True)


def _report(
    store: Store,
    suite: str | None,
    protocol: str | None,
    format_: Format,
    all_metrics: bool,
    pictures: Path | None,
) -> list[str]:
    """Prints the tables and draws the pictures; returns the suites that it is about."""
    from genbench.errors import UnknownName
    from genbench.report import render

    names = store.suites()
    if suite is not None and suite not in names:
        raise UnknownName("suite with results", suite, names)
    names = [name for name in names if suite in (None, name)]
    found = [table for name in names for table in _tables(store, name, protocol)]
    if not all_metrics and format_ in ("terminal", "md"):
        found = [table.headline() for table in found]
    if format_ == "terminal":
        render.terminal(found)
    else:
        text = {"md": render.markdown, "csv": render.comma_separated, "json": render.as_json}[format_](found)
        sys.stdout.write(text)
    if pictures is not None:
        _draw(store, names, pictures)
    return names


def _write_page(store: Store, suites: list[str], protocol: str | None, path: Path, show: bool) -> None:
    from genbench.report.page import page
    from genbench.store import write_atomically

    write_atomically(path, page(store, suites, protocol).encode())
    typer.echo(f"{path}", err=True)
    if show:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Looks for no garbage within: a report keeps nearly all that it makes, and looking takes a fifth of its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _store(results: Path) -> Store:
    """The results, or the reference inside them where there are no others."""
    from genbench.errors import GenbenchError
    from genbench.store import REFERENCE, Store

    if not results.is_dir():
        raise GenbenchError(
            f"{results} is not a folder. Give a results folder, or make one: genbench run --suite toy2d"
        )
    store = Store(results)
    if store.suites():
        return store
    reference = Store(results / REFERENCE)
    if reference.suites():
        typer.secho(f"{results} holds no runs of yours; this is {reference.root}.", err=True)
        return reference
    raise GenbenchError(f"{results} holds no results. Make some: genbench run --suite toy2d --out {results}")


def _tables(store: Store, suite: str, protocol: str | None) -> list[Table]:
    from genbench.protocols import protocol as protocol_named
    from genbench.report.table import tables

    plan = store.plan(suite)
    stored = (score.identity.protocol for found in store.trials(suite) if found.scores for score in found.scores.scores)
    name = protocol or (plan.protocols[0] if plan else next(stored, "genbench1"))
    return tables(store, suite, protocol_named(name))


def _draw(store: Store, suites: list[str], folder: Path) -> None:
    from genbench.report import figures

    for suite in suites:
        for drawn in figures.draw(store, suite, folder / suite):
            typer.echo(f"{drawn.path}", err=True)
