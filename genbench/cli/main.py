"""`genbench`: the commands and what their errors look like."""

from __future__ import annotations

import contextlib
import errno
import sys
from typing import Annotated

import typer

from genbench import __version__
from genbench.cli import (
    bench,
    check,
    compare,
    data,
    doctor,
    figures,
    list_,
    new,
    pack,
    report,
    rescore,
    run,
    score,
    show,
    status,
    streams,
    time_,
    verify,
)
from genbench.errors import GenbenchError
from genbench.records.reading import text

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
app.command("pack")(pack.pack)
app.command("status")(status.status)
app.command("verify")(verify.verify)
app.command("list")(list_.list_)
app.command("show")(show.show)
app.command("new")(new.new)
app.command("check")(check.check)
app.command("time")(time_.time_)
app.command("bench")(bench.bench)
app.add_typer(data.app, name="data")
app.command("doctor")(doctor.doctor)


ADVICE = {
    errno.EACCES: "Ask whoever may to let you, or name another file or folder.",
    errno.EPERM: "Ask whoever may to let you, or name another file or folder.",
    errno.EROFS: "Name a folder that can be written to.",
    errno.ENOSPC: "Make room, or name another folder.",
    errno.EDQUOT: "Make room, or name another folder.",
    errno.ENAMETOOLONG: "Give a shorter name.",
    errno.ELOOP: "A link leads to itself: mend it.",
    errno.EMFILE: "Close what else is open, or raise the limit: ulimit -n 4096",
}
"""What to do about an error that the system tells."""


def main() -> None:
    """Runs the command line. Exit codes: 0 all well, 1 some trials failed, 2 bad usage, 3 worse, 130 interrupted."""
    streams.prepare()
    try:
        try:
            app()
        finally:
            streams.settle()
    except GenbenchError as error:
        typer.secho(f"genbench: {text(str(error))}", fg="red", err=True)
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno is None:  # nobody's but a program's own
            raise
        _tell(error)
        sys.exit(USAGE)


def _tell(error: OSError) -> None:
    """A line about what the system refused."""
    advice = ADVICE.get(error.errno or 0, "")
    try:
        streams.settle()
        what = f"{text(str(error.filename))}: " if error.filename is not None else ""
    except OSError:
        streams.silence()
        what = "What is printed can't be written: "
    with contextlib.suppress(OSError):
        typer.secho(f"genbench: {what}{str(error.strerror).rstrip('.')}. {advice}".rstrip(), fg="red", err=True)
