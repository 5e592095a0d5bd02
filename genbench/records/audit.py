"""Whether what lies in a results folder is whole, and is what it says it is. Changes nothing."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from genbench.records import layout, reading
from genbench.records.record import Record
from genbench.records.store import Found, Store

ALWAYS = (layout.CURVE, layout.SAMPLES)
"""What every trial that is done leaves and names."""

LEFT_OUT = frozenset((layout.SAMPLES, layout.WEIGHTS))
"""What archives, and results that are passed on, may go without: all else is read without them."""

BLOCK_NUMBERS = 2**20
"""So many of a tensor's are hashed at once."""

ASIDE = "aside"
"""The folder in the results that what is broken is moved to."""


class Fault(NamedTuple):
    """What is wrong with a file or a folder, and what has to be out of the way for it to be made again, if anything."""

    path: Path
    what: str
    aside: Path | None = None


def audit(results: Store, suite: str) -> Iterator[Fault]:
    """Everything that is wrong with a suite's results, by what can be told without making any of them again."""
    results.unreadable.clear()
    trials = list(results.trials(suite))
    list(results.controls(suite))
    plan = results.plan(suite)
    if plan is None and not (results.home(suite) / layout.PLAN).exists():
        yield Fault(results.home(suite) / layout.PLAN, "it is missing, so nothing says which trials there should be")
    for path, reason in dict.fromkeys(results.unreadable):
        yield Fault(path, reason, path.parent if path.name == layout.RECORD else path)
    for path, of in results.copies.values():
        yield Fault(path, f"a copy of {of}", path)
    for dataset in dict.fromkeys(trial.record.trial.dataset for trial in trials):
        path = results.cell(suite, dataset) / layout.CONTROLS
        if not path.exists():
            yield Fault(path, "it is missing; the run's command measures the controls again")
    for trial in trials:
        yield from _of_trial(trial)


def left_out(trials: Iterable[Found]) -> int:
    """How many trials go without samples or weights that their records name."""
    return sum(any(name in LEFT_OUT and not (of.folder / name).exists() for name in of.record.files) for of in trials)


def absent(results: Store, suite: str, trials: Iterable[Found]) -> int:
    """How many of its plan's trials a suite doesn't hold, which may never have been run."""
    plan = results.plan(suite)
    if plan is None:
        return 0
    ran = (found.record.trial for found in trials)
    there = {(trial.dataset.label, trial.trainer.label, trial.seed, trial.budget) for trial in ran}
    planned = set(product(plan.datasets, plan.trainers, plan.seeds, plan.budgets))
    return len(planned - there)


def _of_trial(trial: Found) -> Iterator[Fault]:
    yield from _of_record(trial.record, trial.folder)
    for name, sha256 in trial.record.files.items():
        path = trial.folder / name
        if name in LEFT_OUT and not path.exists():
            continue
        try:
            reading.check(path, sha256)
        except FileNotFoundError:
            yield Fault(path, "it is missing, and its record names it", trial.folder)
        except OSError as error:
            yield Fault(path, str(error.strerror), trial.folder)
        else:
            if name == layout.WEIGHTS and weights_sha256(path) != trial.record.weights_sha256:
                yield Fault(path, "weights of another training than its record's", trial.folder)
    for path in sorted(trial.folder.iterdir()):
        known = path.name in trial.record.files or path.name in (layout.RECORD, layout.SCORES)
        # Beside a failure there may be what a training that ended well left before.
        if trial.record.status == "done" and not known and path.name in layout.PARTS:
            yield Fault(path, "its record doesn't name it", path)
    if trial.record.status == "done":
        yield from _of_cost(trial)
    if trial.record.status == "done" and not (trial.folder / layout.SCORES).exists():
        yield Fault(trial.folder / layout.SCORES, "it is missing; genbench rescore makes it")


def _of_record(record: Record, folder: Path) -> Iterator[Fault]:
    """Whether a record names what its status has it name."""
    path = folder / layout.RECORD
    if record.status == "done":
        for name in ALWAYS:
            if name not in record.files:
                yield Fault(path, f"it is done and names no {name}", folder)
        if record.weights_sha256 is None:
            yield Fault(path, "it is done and has no hash of its weights", folder)
    elif record.weights_sha256 is not None or record.files.keys() - {layout.TRACEBACK}:
        yield Fault(path, f"it is {record.status} and names what trials that are done leave", folder)


def _of_cost(trial: Found) -> Iterator[Fault]:
    """Whether a finished trial's cost is its budget and the end of its curve; other costs nobody can tell again."""
    cost, budget, path = trial.record.cost, trial.record.trial.budget, trial.folder / layout.RECORD
    units = {"steps": cost.steps, "updates": cost.updates, "samples": cost.samples, "seconds": cost.train_seconds}
    if cost.compile_seconds is None:  # as of the first version, whose seconds were those of whole stacks
        del units["seconds"]
    if units.get(budget.kind, math.inf) < budget.amount:
        yield Fault(path, f"it used {budget.kind}={units[budget.kind]:g} of {budget}", trial.folder)
    for unit, end in _last(trial.folder / layout.CURVE).items():
        if unit in units and not math.isclose(units[unit], end, rel_tol=1e-6, abs_tol=1e-3):
            yield Fault(path, f"its cost has {unit}={units[unit]:g}, and its curve ends at {end:g}", trial.folder)


def _last(path: Path) -> dict[str, float]:
    """The last row of a table that can be read."""
    try:
        rows = reading.table(path)
    except (OSError, ValueError):
        return {}
    last = {name: of[-1].as_py() for name, of in zip(rows.column_names, rows.columns, strict=True) if rows.num_rows}
    return {name: value for name, value in last.items() if value is not None}


def weights_sha256(path: Path) -> str | None:
    """The SHA-256 of stored weights as records have it, without averaged ones; None where they can't be read."""
    from safetensors import SafetensorError, safe_open

    digest = hashlib.sha256()
    try:
        with safe_open(path, framework="pt") as file:
            for name in sorted(file.keys()):
                if not name.startswith(layout.AVERAGED):
                    _add(digest, name, file)
    except (OSError, SafetensorError):
        return None
    return digest.hexdigest()


def _add(digest: hashlib._Hash, name: str, file: Any) -> None:
    """Adds a stored tensor to a hash, some rows of it at a time."""
    part = file.get_slice(name)
    shape = tuple(part.get_shape())
    if not shape or 0 in shape:
        value = file.get_tensor(name)
        digest.update(f"{name} {shape} {value.dtype}\n".encode() + value.numpy().tobytes())
        return
    digest.update(f"{name} {shape} {part[:1].dtype}\n".encode())
    rows = max(1, BLOCK_NUMBERS // math.prod(shape[1:]))
    for first in range(0, shape[0], rows):
        digest.update(part[first : first + rows].contiguous().numpy().tobytes())


def put_aside(results: Store, problem: Fault) -> Path | None:
    """Moves what a problem is with out of the way, into `<results>/aside`; returns where it is now.

    Nothing is removed. None where there is nothing to move. Raises GenbenchError where a link leads out of the results.
    """
    path = problem.aside
    movable = path is not None and path.is_relative_to(results.root)  # and not out of an archive
    if path is None or not movable or not (path.exists() or path.is_symlink()):
        return None
    results.check_own(path.parent)
    place = results.root / ASIDE / path.relative_to(results.root)
    results.check_own(place)
    free = next(each for i in range(10**6) if not (each := _numbered(place, i)).exists())
    free.parent.mkdir(parents=True, exist_ok=True)
    return path.rename(free)


def _numbered(path: Path, times: int) -> Path:
    return path.with_name(f"{path.name}.{times}") if times else path
