"""`genbench time`: how fast a trainer's updates are, beside the baselines'."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from genbench.cli.options import AsJson, Device, Plugins, load
from genbench.cli.streams import document


def time_(
    trainer: Annotated[
        str, typer.Argument(metavar="TRAINER[PARAMETERS]", help="Which trainer, perhaps with parameters.")
    ],
    plugin: Plugins = None,
    dataset: Annotated[str, typer.Option("--dataset", metavar="NAME", help="What is trained on.")] = "ring8",
    device: Device = "auto",
    engine: Annotated[
        Literal["plain", "compiled", "graph"] | None,
        typer.Option("--engine", help="Which engine alone; by default all that the device has."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Time a trainer's updates on each engine, beside gan, wgan and wgan-gp in the same run.

    A ratio above 1 says how many times as many updates a second the trainer makes.
    """
    load(plugin)
    from genbench import devices
    from genbench.contract.timing import BASELINES, time_trainer

    devices.check(device)

    rows = list(time_trainer(trainer, dataset, devices.resolve(device), [engine] if engine else ()))
    if as_json:
        document(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("trainer", "engine"):
        table.add_column(title, overflow="fold")
    for title in ("updates/s", *(f"× {name}" for name in BASELINES)):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        rate = "–" if row.updates_per_second is None else f"{row.updates_per_second:.0f}"
        ratios = (f"{row.ratios[name]:.2f}" if name in row.ratios else "–" for name in BASELINES)
        table.add_row(Text(row.trainer), row.engine, rate, *ratios)
    console = Console(highlight=False)
    console.print(table)
    for row in rows:
        if row.reason:
            console.print(f"{row.trainer} isn't {row.engine}: {row.reason}", markup=False)
    console.print("\nUpdates of one seed, one torch thread; ratios are medians of rounds that alternate.", markup=False)
