"""`genbench bench`: is a device right, and is it worth it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli.options import DataFolder, Device, use_data

if TYPE_CHECKING:
    from genbench.trials.bench import Measured


def bench(
    device: Device = "auto",
    seeds: Annotated[int, typer.Option(min=2, help="How many seeds to train at once.")] = 64,
    steps: Annotated[int, typer.Option(min=1, help="Generator steps of each.")] = 6_000,
    out: Annotated[Path, typer.Option(help="Where the table goes, as CSV.")] = Path("bench.csv"),
    data: DataFolder = None,
) -> None:
    """Measure a device: does it score as the processor does, what do many seeds take, are captured updates faster?

    The table names the device, and every number that has a bar says whether it is met.

    Exit code: 0 all bars are met, 1 some are not, 2 bad usage.
    """
    use_data(data)
    from genbench import devices
    from genbench.errors import GenbenchError

    devices.check(device)
    if out.parent != Path() and not out.parent.is_dir():
        raise GenbenchError(f"{out.parent} is no folder. Make it, or name another place: --out FILE")
    from rich.console import Console

    from genbench.records.provenance import device_name
    from genbench.trials.bench import bench as measure

    place = devices.resolve(device)
    name = device_name(place)
    console = Console(highlight=False)
    console.print(f"{place}: {name}", markup=False)
    measured = []
    for each in measure(place, seeds, steps):
        measured.append(each)
        console.print(_line(each), markup=False, style="red" if each.met is False else None)
        _write(out, measured, name)
    missed = [each for each in measured if each.met is False]
    console.print(f"{out} holds the table.", markup=False, soft_wrap=True)
    if missed:
        console.print(f"Missed: {', '.join(f'{each.part} of {each.name}' for each in missed)}", markup=False)
        raise typer.Exit(1)
    console.print("All bars are met.")


def _line(measured: Measured) -> str:
    bar = ""
    if measured.bar is not None:
        bar = f" ({'at least' if measured.at_least else 'at most'} {measured.bar:g})"
    return f"{measured.part:<10} {measured.name}: {measured.value:.3g} {measured.unit}{bar}"


def _write(path: Path, measured: list[Measured], device: str) -> None:
    """The table so far, so that an end before the last number loses none."""
    import pandas as pd

    rows = [
        {"part": m.part, "name": m.name, "value": m.value, "unit": m.unit, "bar": m.bar, "met": m.met, "device": device}
        for m in measured
    ]
    pd.DataFrame(rows).to_csv(path, index=False, float_format="%.4g", lineterminator="\n")
