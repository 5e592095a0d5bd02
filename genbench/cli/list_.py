"""`genbench list`: what there is to run, measure and compare with."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer

from genbench.cli.options import AsJson, Plugins, load
from genbench.cli.streams import document

Kind = Literal["trainers", "datasets", "metrics", "protocols", "suites", "controls", "networks", "extractors", "panels"]


def list_(
    kind: Annotated[Kind | None, typer.Argument(help="What to list; everything by default.")] = None,
    as_json: AsJson = False,
    plugin: Plugins = None,
) -> None:
    """List trainers, datasets, metrics, protocols, suites, controls, networks, extractors and panels, a line each."""
    load(plugin)
    from genbench.plugins import broken_plugins
    from genbench.registry import REGISTRIES

    chosen = [registry for registry in REGISTRIES if kind in (None, registry.plural)]
    if as_json:
        listed = {
            registry.plural: [
                {"name": e.name, "version": e.version, "summary": e.summary, "origin": e.origin, "citation": e.citation}
                for e in registry
            ]
            for registry in chosen
        }
        failed = [{"name": broken.name, "error": broken.error} for broken in broken_plugins]
        document(json.dumps(listed | {"broken_plugins": failed}, indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for registry in chosen:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, style="bold")
        table.add_column()
        for entry in registry:
            table.add_row(Text(entry.name), Text(entry.summary))
        console.print(f"[bold]{registry.plural}[/]")
        console.print(table)
        console.print()
    for broken in broken_plugins:
        console.print(f"broken plugin {broken.name}: {broken.error}", markup=False, style="yellow")
    console.print("For one of them: genbench show NAME", markup=False)
