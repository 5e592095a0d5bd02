"""`genbench`: the commands and what their errors look like."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from genbench import __version__
from genbench.cli import check, compare, data, doctor, figures, list_, new, report, rescore, run, score, show, time_
from genbench.errors import GenbenchError

OK, SOME_FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="genbench",
    help="A benchmark of generative models: which way of training covers the distribution, and which collapses?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command("run")(run.run)
app.command("score")(score.score)
app.command("rescore")(rescore.rescore)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("figures")(figures.figures)
app.command("list")(list_.list_)
app.command("show")(show.show)
app.command("new")(new.new)
app.command("check")(check.check)
app.command("time")(time_.time_)
app.add_typer(data.app, name="data")
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Runs the command line. Exit codes: 0 all well, 1 some trials failed, 2 bad usage, 3 worse, 130 interrupted."""
    try:
        app()
    except GenbenchError as error:
        typer.secho(f"genbench: {error}", fg="red", err=True)
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
