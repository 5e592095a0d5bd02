"""`genbench pack`: a suite's results in one file that is read like their folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli import stored

if TYPE_CHECKING:
    from genbench.records.store import Store


def pack(
    results: Annotated[Path, typer.Argument(help="A results folder.")],
    suite: Annotated[str, typer.Option(help="The suite.")],
    all_samples: Annotated[
        bool, typer.Option("--all-samples", help="Keep the samples of every seed, not of those that pictures show.")
    ] = False,
) -> None:
    """Pack a suite's results into RESULTS/SUITE.zip, which reports and comparisons read like the folder.

    Weights are left out, and so are samples of all seeds but the first of each trainer on each dataset, which pictures
    show. The folder stays; where both are there, it is the folder that is read.
    """
    from genbench.errors import GenbenchError
    from genbench.records import packed

    store = stored.results(results)
    stored.suites(store, suite)
    if store.archive(suite) is not None:
        raise GenbenchError(f"{store.archive(suite)} is packed already.")
    archive = store.root / f"{suite}{packed.SUFFIX}"
    try:
        size = packed.write(archive, store.root / suite, frozenset(_left_out(store, suite, all_samples)))
    except OSError as error:
        raise GenbenchError(f"Can't write {archive} ({error.strerror}).") from None
    stored.tell_unreadable(store)
    typer.echo(f"{archive}: {size / 2**20:.1f} MiB. Reports read it once {store.root / suite} is gone.")


def _left_out(store: Store, suite: str, all_samples: bool) -> set[Path]:
    """The files that an archive goes without."""
    from genbench.records.layout import CHECKPOINT, SAMPLES, WEIGHTS

    home = store.root / suite
    left_out = {path for name in (WEIGHTS, CHECKPOINT) for path in home.rglob(name)}
    if not all_samples:
        cells: dict[Path, list[tuple[int, Path]]] = {}
        for found in store.trials(suite):
            if found.record.status == "done":
                place = found.record.trial.seed, found.folder
                cells.setdefault(found.folder.parent, []).append(place)
        shown = {min(of)[1] for of in cells.values()}
        left_out |= {path for path in home.rglob(SAMPLES) if path.parent not in shown}
    return left_out
