"""`genbench status`: what runs where, how far it is, and what has failed."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from genbench.records.beats import Beat
    from genbench.records.store import Store

FAILURES = 10
"""So many are told, the others counted."""


def status(
    results: Annotated[Path, typer.Argument(help="A results folder.")] = Path("results"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how many trials of each suite are done and failed, and what runs are at, wherever they run.

    Reads records, and what runs write every few seconds; asks no process.
    """
    from genbench.errors import GenbenchError
    from genbench.records import beats, packed
    from genbench.records.layout import PLAN
    from genbench.records.reading import text
    from genbench.records.store import Store
    from genbench.registry import NAME

    if not results.is_dir():
        raise GenbenchError(f"{results} is not a folder. Give a results folder: genbench status results")
    store = Store(results)
    runs = list(beats.read(results))
    held = {path.parent.name for path in results.glob(f"*/{PLAN}")} | {
        path.stem for path in results.glob(f"*{packed.SUFFIX}") if packed.is_of(path, path.stem, PLAN)
    }
    names = sorted(name for name in held | {beat.suite for beat in runs} if NAME.fullmatch(name))
    found = {name: _counted(store, name) for name in names}
    if as_json:
        suites = {name: {"planned": planned, "ended": dict(ended)} for name, (planned, ended, _) in found.items()}
        running = [beat.model_dump() | {"is_silent": beat.is_silent} for beat in runs]
        typer.echo(json.dumps({"suites": suites, "runs": running}, indent=1))
        return
    for name, (planned, ended, failures) in found.items():
        total = sum(ended.values())
        said = ", ".join(f"{count} {what}" for what, count in ended.most_common())
        left = f", {planned - total} left" if planned is not None and planned > total else ""
        typer.echo(text(f"{name}: {said or 'nothing ended'}{left}"))
        for beat in (beat for beat in runs if beat.suite == name):
            _tell(beat)
        for failure in failures[:FAILURES]:
            typer.secho(text(f"  {failure}"), fg="yellow")
        if failures[FAILURES:]:
            typer.echo(f"  and {len(failures) - FAILURES} more that failed")
    if not found:
        typer.echo(f"Nothing runs in {results}, and nothing has.")


def _counted(store: Store, suite: str) -> tuple[int | None, Counter[str], list[str]]:
    """How many trials are planned, if anything says so, how many have ended in which way, and how others failed."""
    from genbench.records import reading
    from genbench.records.layout import RECORD

    plan = store.plan(suite)
    planned = None
    if plan is not None:
        planned = len(plan.datasets) * len(plan.trainers) * len(plan.seeds) * len(plan.budgets)
    ended: Counter[str] = Counter()
    failures = []
    home = store.home(suite)
    for path in home.glob(f"*/*/seed-*/{RECORD}"):
        try:
            record: Any = json.loads(reading.content(path))
            what = str(record["status"])
            if what != "done":
                failures.append(f"{suite}/{path.parent.relative_to(home)}: {what}, {record['reason']}")
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            what = "unreadable"
            failures.append(f"{path}: it can't be read; genbench verify says why")
        ended[what] += 1
    return planned, ended, sorted(failures)


def _tell(beat: Beat) -> None:
    from genbench.cli.display import duration
    from genbench.records.reading import text

    ago = duration(max(0.0, time.time() - beat.written))
    state = f"gone since {ago}; to go on, give its command" if beat.is_silent else f"said so {ago} ago"
    left = f", {beat.left}" if beat.left else ""
    typer.echo(text(f"  {beat.run}: {beat.finished} of its {beat.total} trials{left} ({state})"))
    typer.echo(text(f"    {beat.command}"))
    for task in () if beat.is_silent else beat.running:
        typer.echo(text(f"    {task.name}: {task.share:.0%}, {task.rate}"))
