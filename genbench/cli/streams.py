"""What commands print, wherever it goes: a terminal, a pipe, a file, a disk that is full, an encoding of old."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console


def prepare() -> None:
    """Lets what an encoding hasn't got be printed as its number, and a width of nothing count as none given."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if os.environ.get("COLUMNS", "").strip(" 0") == "":
        os.environ.pop("COLUMNS", None)


def document(text: str) -> None:
    """Prints what programs read, in UTF-8 whatever the terminal's encoding is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    typer.echo(text.rstrip("\n"))


def is_live(console: Console) -> bool:
    """Whether lines can be drawn over on a console: colours that were asked for make no terminal of a file."""
    return console.is_terminal and (console.file.isatty() or not os.environ.get("FORCE_COLOR"))


def settle() -> None:
    """Writes what is still to be written; raises OSError where that fails."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it is where the shell closed it
            stream.flush()


def silence() -> None:
    """Lets go of a standard output that can't be written to, so that nothing is tried again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
