"""`genbench data`: what images there are, decoding them beforehand, and whether they are sound."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genbench.cli.options import AsJson, DataFolder, Plugins, load, use_data
from genbench.cli.streams import document, is_live

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.datasets.files.stock import Stock
    from genbench.datasets.files.transforms import Progress
    from genbench.spec import Component

MEGABYTE = 1e6

app = typer.Typer(help="List, decode and check the images that datasets are made of.", no_args_is_help=True)
Names = Annotated[
    list[str], typer.Argument(metavar="NAME...", help="Datasets of images, say mnist or celeba[size=128].")
]


@app.command("list")
def list_(as_json: AsJson = False, data: DataFolder = None, plugin: Plugins = None) -> None:
    """Show where each dataset of images is read from, whether it is there, and what is decoded already."""
    load(plugin)
    use_data(data)
    surveyed = survey()
    if as_json:
        document(json.dumps(surveyed, indent=1, ensure_ascii=False))
        return
    _print(surveyed)


@app.command()
def prepare(names: Names, data: DataFolder = None, plugin: Plugins = None) -> None:
    """Decode images into the cache now, rather than at the first run, or fetch the weights of an extractor: inception.

    Exit code 1 where something can't be.
    """
    load(plugin)
    use_data(data)
    names = _without_weights(names)

    def decode(stock: Stock, progress: Progress) -> str:
        entry = stock.prepare(progress)
        beside = f"; left out: {stock.left_out}" if stock.left_out else ""
        return f"{len(entry.pixels):,} images, {_megabytes(entry.bytes)} in {entry.folder}{beside}"

    _each(names, "decoding", decode)


@app.command()
def verify(names: Names, data: DataFolder = None, plugin: Plugins = None) -> None:
    """Check that every image can be read, and what is in the cache. Exit code 1 where something is wrong."""
    load(plugin)
    use_data(data)
    from genbench.errors import GenbenchError

    def check(stock: Stock, progress: Progress) -> str:
        known = "".join(f"; {each}" for each in stock.check(progress))
        entry = stock.find()
        if entry is None:
            return f"{stock.where} is sound{known}; not decoded yet"
        if not entry.sound:
            raise GenbenchError(f"{entry.folder} is damaged. Remove it, and it will be made again.")
        return f"{stock.where} is sound, and so is {entry.folder}{known}"

    _each(names, "checking", check)


def _without_weights(names: Sequence[str]) -> list[str]:
    """The names that are no extractors'; the others' weights are fetched. Exits with 1 where that fails."""
    from rich.console import Console

    from genbench.errors import GenbenchError
    from genbench.references import split_references
    from genbench.registry import datasets, extractors

    kept: list[str] = []
    for name in (part for given in names for part in split_references(given)):
        entry = extractors[name] if name in extractors and name not in datasets else None
        if entry is None or entry.download is None:
            kept.append(name)
            continue
        console = Console(highlight=False)
        try:
            with _bar(console, f"fetching {name}", of_bytes=True) as progress:
                path = (download := entry.download()).fetch(progress)
            more = f"; to look through it: pip install '{download.lacking}'" if download.lacking else ""
            console.print(f"{name}: {_megabytes(path.stat().st_size)} in {path}{more}", markup=False, soft_wrap=True)
        except GenbenchError as error:
            typer.secho(f"{name}: {error}", fg="red", err=True)
            raise typer.Exit(1) from None
    return kept


def survey() -> dict[str, Any]:
    """What `genbench data list` shows, as plain data."""
    from genbench.datasets.files import cache, roots
    from genbench.errors import GenbenchError
    from genbench.registry import datasets

    described = []
    for entry in datasets:
        if entry.stock is None or set(entry.annotations) - set(entry.defaults):
            continue  # one that needs parameters is nowhere until it gets them
        stock: Stock = entry.stock(**entry.defaults)
        problem = None
        try:
            decoded = stock.find()
        except GenbenchError as error:
            decoded, problem = None, str(error)
        described.append(
            {
                "name": entry.name,
                "where": str(stock.where),
                "present": stock.present,
                "problem": problem if stock.present else None,
                "decoded": str(decoded.folder) if decoded else None,
                "bytes": decoded.bytes if decoded else None,
            }
        )
    return {
        "data": str(roots.data_root()),
        "cache": str(roots.cache_root()),
        "datasets": described,
        "entries": [_entry(folder) for folder in cache.entries()],
    }


def _entry(folder: Path) -> dict[str, Any]:
    """An entry of the cache, of whatever version."""
    from genbench.datasets.files import cache

    try:
        about = json.loads((folder / cache.ABOUT).read_bytes())
        version, images = about["version"], about["shape"][0]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        version = images = None
    size = sum(file.stat().st_size for file in folder.iterdir())
    return {
        "folder": str(folder),
        "images": images,
        "bytes": size,
        "usable": version == cache.CACHE_VERSION,
    }


def _print(surveyed: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")

    def row(key: str, value: str) -> None:
        table.add_row(Text(key), Text(value))

    row("data", surveyed["data"])
    row("cache", surveyed["cache"])
    for dataset in surveyed["datasets"]:
        decoded = f"decoded, {_megabytes(dataset['bytes'])}" if dataset["decoded"] else "not decoded"
        row(dataset["name"], f"{'present' if dataset['present'] else 'missing'}, {decoded}")
        row("", dataset["where"])
        if dataset["problem"]:
            row("", dataset["problem"])
    for entry in surveyed["entries"]:
        note = "" if entry["usable"] else ", of another version: nothing reads it, remove it at will"
        row("in cache", f"{Path(entry['folder']).name}: {_megabytes(entry['bytes'])}{note}")
    console.print(table)
    console.print("To decode beforehand: genbench data prepare NAME; your own: images[path=PATH]", markup=False)


def _each(names: Sequence[str], verb: str, work: Callable[[Stock, Progress], str]) -> None:
    """Does `work` for every dataset, says how it went, and exits with 1 where it failed for one."""
    from rich.console import Console

    from genbench.errors import GenbenchError
    from genbench.references import split_references

    references = [reference for name in names for reference in split_references(name)]
    stocks = {reference: _stock(reference) for reference in references}
    console, failed = Console(highlight=False), False
    for reference, stock in stocks.items():
        try:
            with _bar(console, f"{verb} {reference}") as progress:
                said = work(stock, progress)
            console.print(f"{reference}: {said}", markup=False, soft_wrap=True)
        except GenbenchError as error:
            failed = True
            typer.secho(f"{reference}: {error}", fg="red", err=True)
    if failed:
        raise typer.Exit(1)


def _stock(reference: str) -> Stock:
    from genbench.errors import GenbenchError
    from genbench.references import Reference
    from genbench.registry import datasets

    parsed = Reference.parse(reference)
    entry = datasets[parsed.name]
    parameters = entry.resolve(parsed.parameters)
    if entry.stock is None:
        made = ", ".join(other.name for other in datasets if other.stock is not None)
        raise GenbenchError(f"The dataset {entry.name} is not made of images. Those that are: {made}.")
    stock: Stock = entry.stock(**parameters)
    return stock


def decode_first(console: Console, components: Iterable[Component]) -> None:
    """Decodes what datasets of images need, here and once, before processes that need it start."""
    from genbench.registry import datasets

    for component in components:
        if (made := datasets[component.name].stock) is not None:
            stock: Stock = made(**component.parameters)
            with _bar(console, f"decoding {component.label}") as progress:
                stock.prepare(progress)
            if stock.left_out:
                console.print(f"{component.label}: left out {stock.left_out}", markup=False, soft_wrap=True)


@contextmanager
def _bar(console: Console, what: str, *, of_bytes: bool = False) -> Iterator[Progress]:
    """A bar for images done, or bytes, which is gone at the end; nothing where the console is no terminal."""
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    count = DownloadColumn() if of_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), count, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not is_live(console)) as bars:
        line = bars.add_task(escape(what), total=None)
        yield lambda done, total: bars.update(line, completed=done, total=total)


def _megabytes(count: int) -> str:
    return f"{count / MEGABYTE:,.0f} MB"
