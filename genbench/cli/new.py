"""`genbench new`: the first file of a trainer, dataset, metric, suite or protocol of one's own, and its test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def new(
    kind: Annotated[
        Literal["trainer", "dataset", "metric", "suite", "protocol"], typer.Argument(help="What to begin.")
    ],
    name: Annotated[str, typer.Argument(help="What it will be called, say my-gan.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files are written.")] = Path(),
) -> None:
    """Write a file that adds a trainer, dataset, metric, suite or protocol, and its test; both work as they are."""
    from genbench.contract.new import write

    written = write(kind, name, out)
    typer.echo(f"Wrote {written.file} and {written.test}. What is in them works; make it yours.\n")
    typer.echo("\n".join(written.next_steps))
