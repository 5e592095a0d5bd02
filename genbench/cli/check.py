"""`genbench check`: does a trainer, dataset, metric, protocol, suite or control keep to the contract?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli.options import AsJson, Plugins
from genbench.cli.streams import document

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.contract import Checked

MARKS = {"passed": ("ok", "green"), "failed": ("failed", "red"), "not applicable": ("–", "yellow")}


def check(
    name: Annotated[str, typer.Argument(metavar="NAME[PARAMETERS]", help="What to check, perhaps with parameters.")],
    plugin: Plugins = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="trainer, dataset, …: where a name has several things.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            metavar="NAME",
            help="What a trainer, metric or control is checked on, if not on its own choice.",
        ),
    ] = None,
    patience: Annotated[
        float, typer.Option("--patience", metavar="SECONDS", help="What a trainer may take to learn a Gaussian.")
    ] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Check whether a trainer, dataset, metric, protocol, suite or control keeps to the contract, in a minute.

    Exit code 1 where something fails.
    """
    from rich.console import Console

    from genbench.contract import checks

    console = Console(highlight=False)
    findings = [checks.loaded(each) for each in plugin or ()]
    for finding in () if as_json else findings:
        _print(console, finding)
    for entry in checks.named(name, kind):
        if not as_json:
            console.print(f"[bold]{entry.kind} {entry.name}[/], version {entry.version}, from {entry.origin}")
        for finding in checks.check(entry, name, dataset, patience):
            findings.append(finding)
            if not as_json:
                _print(console, finding)
    failed = sum(finding.failed for finding in findings)
    if as_json:
        document(json.dumps([asdict(finding) for finding in findings], indent=1, ensure_ascii=False))
    else:
        kept = f"{len(findings)} checks, {failed} failed" if failed else f"{len(findings)} checks, none failed"
        console.print(f"[bold]{kept}.[/]")
    if failed:
        raise typer.Exit(1)


def _print(console: Console, finding: Checked) -> None:
    """A finding's mark and its sentence, which stays in its column."""
    from rich.table import Table
    from rich.text import Text

    word, style = MARKS[finding.outcome]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(width=6)
    table.add_column(overflow="fold")
    table.add_row(Text(word, style), Text(f"{finding.check}: {finding.told}"))
    console.print(table)
