"""`genbench report`: tables and pictures from stored results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from genbench.cli import stored
from genbench.cli.options import Plugins, load, no_garbage
from genbench.cli.streams import document

if TYPE_CHECKING:
    from genbench.records.store import Store
    from genbench.report.content import Content
    from genbench.report.model import Table

PAGE = "index.html"
Format = Literal["terminal", "md", "csv", "json", "latex", "parquet"]


def report(
    results: Annotated[Path, typer.Argument(help="A results folder.")] = Path("results"),
    suite: Annotated[str | None, typer.Option(help="One suite; all that have results by default.")] = None,
    protocol: Annotated[str | None, typer.Option(help="The way of scoring; the suite's first by default.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="How to print the tables.")] = "terminal",
    all_metrics: Annotated[bool, typer.Option("--all-metrics", help="Every column, not the main ones alone.")] = False,
    file: Annotated[
        Path | None, typer.Option(help="Write the tables to this file rather than print them; parquet needs one.")
    ] = None,
    figures: Annotated[bool, typer.Option(help="Draw the pictures.")] = True,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the page, index.html, and the pictures there. Without it, pictures: RESULTS/report."),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Write the page and show it in a browser.")] = False,
    plugin: Plugins = None,
) -> None:
    """Print tables of results, with intervals over seeds and all controls, draw the pictures, and write the page.

    Reads what is stored and nothing else. Where RESULTS holds no runs but RESULTS/reference does, reports those.
    """
    from genbench.records.atomic import check_within

    _check(results, format_, file)
    with no_garbage():
        load(plugin)
        store = stored.results(results)
        folder = out or results / "report"
        contents = _contents(store, suite, protocol)
        for content in contents:
            check_within(out or results, folder / content.suite)
        _tables(store, contents, protocol, format_, all_metrics, file)
        with _writing_to(folder):
            if out is not None or open_:
                _page(contents, folder, figures)
            elif figures:
                _draw(contents, folder)
        if open_:
            import webbrowser

            webbrowser.open((folder / PAGE).resolve().as_uri())
        stored.tell_planless(store, (content.suite for content in contents))
        stored.tell_unreadable(store)


def _contents(store: Store, suite: str | None, protocol: str | None) -> list[Content]:
    from genbench.errors import UnknownName
    from genbench.records.layout import PLAN
    from genbench.records.store import Unreadable
    from genbench.report.content import Content

    names = stored.suites(store, suite)
    known = []
    for name in names:
        try:
            stored.protocol(store, name, protocol)
        except UnknownName as error:
            if len(names) == 1 or protocol is not None:
                raise
            store.unreadable.append(Unreadable(store.home(name) / PLAN, str(error)))
        else:
            known.append(name)
    return [Content(store, name, protocol) for name in known]


def _tables(
    store: Store, contents: list[Content], protocol: str | None, format_: Format, all_metrics: bool, file: Path | None
) -> None:
    from genbench.registry import protocols
    from genbench.report import formats
    from genbench.report.guard import may_fail
    from genbench.report.table import external_tables
    from genbench.scoring.protocols import protocol as protocol_named

    ways = [stored.protocol(store, content.suite, protocol).name for content in contents]
    tables: list[Table] = []
    for content, way in zip(contents, ways, strict=True):
        with may_fail(store, store.home(content.suite), "tables"):
            tables += content.under(way)
    if not contents:
        shown = [entry.name for entry in protocols] if protocol is None else [protocol]
        tables = external_tables(store, {name: protocol_named(name) for name in shown})
    if not all_metrics and format_ in ("terminal", "md", "latex"):
        tables = [table.headline() for table in tables]
    if format_ == "terminal":
        formats.terminal(tables)
    else:
        _write(formats.WRITTEN[format_](tables), file)


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """Within, a folder that nothing may be written to becomes a GenbenchError that says what else to do."""
    from genbench.errors import GenbenchError

    try:
        yield
    except OSError as error:
        if error.filename is None:  # it is about no file
            raise
        raise GenbenchError(
            f"Can't write to {folder} ({error.strerror}). Name another folder, --out DIR, or draw nothing: --no-figures"
        ) from error


def _page(contents: list[Content], folder: Path, figures: bool) -> None:
    """Writes the page, and the pictures that are in it beside it."""
    from genbench.report.figures.style import write
    from genbench.report.guard import may_fail
    from genbench.report.page import page

    for content in contents:
        for picture in content.pictures if figures else ():
            with may_fail(content.store, content.store.home(content.suite), picture.name):
                typer.echo(f"{write(picture, folder / content.suite).path}", err=True)
    _write(page(contents), folder / PAGE)
    typer.echo(f"{folder / PAGE}", err=True)


def _check(results: Path, format_: Format, file: Path | None) -> None:
    from genbench.errors import GenbenchError

    if format_ == "parquet" and file is None:
        raise GenbenchError(
            f"Parquet is for programs to read, not to print: genbench report {results} --format parquet --file FILE"
        )
    if format_ == "terminal" and file is not None:
        raise GenbenchError(f"--file {file} needs a format: --format md, csv, json, latex or parquet.")


def _write(content: str | bytes, file: Path | None) -> None:
    """Writes to a file, or prints; raises GenbenchError where a file can't be written."""
    from genbench.errors import GenbenchError
    from genbench.records.atomic import write_atomically

    if file is None:
        assert isinstance(content, str)
        document(content)
        return
    try:
        write_atomically(file, content.encode() if isinstance(content, str) else content, follow=True)
    except OSError as error:
        raise GenbenchError(f"Can't write {file} ({error.strerror}). Give another: --file FILE") from None


def _draw(contents: list[Content], folder: Path) -> None:
    from genbench.report.figures.catalogue import draw

    for content in contents:
        for drawn in draw(content, folder / content.suite):
            typer.echo(f"{drawn.path}", err=True)
