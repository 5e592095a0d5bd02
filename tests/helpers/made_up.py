"""Records, scores and plans that nobody trained, and registries that forget what a test put into them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from genbench import plugins, registry
from genbench.records import layout, store
from genbench.records.commit import commit
from genbench.records.record import ControlScores, Cost, External, Identity, Record, Score, Scores, Status
from genbench.spec import Budget, Component, Suite, Trial

UNITS = {"modes": ("modes", True), "hq": ("fraction", True), "reverse_kl": ("nats", False)}
COST = Cost(steps=40, updates=120, samples=20_480, train_seconds=1.5, eval_seconds=0.5, peak_memory_bytes=500 * 2**20)


@contextmanager
def forgetful_registries() -> Iterator[None]:
    """Within, whatever registers itself is gone afterwards, and so is the memory of having loaded it."""
    plugins.load_plugins()  # or what is imported within for the first time would be forgotten for good
    names = [dict(held._entries) for held in registry.REGISTRIES]
    loaded, broken, installed = set(plugins._loaded), list(plugins.broken_plugins), dict(plugins._distributions)
    try:
        yield
    finally:
        for held, before in zip(registry.REGISTRIES, names, strict=True):
            held._entries.clear()
            held._entries.update(before)
        plugins._loaded.clear()
        plugins._loaded.update(loaded)
        plugins.broken_plugins[:] = broken
        plugins._distributions.clear()
        plugins._distributions.update(installed)


def component(label: str, /, **changes: Any) -> Component:
    """A thing that need not be registered."""
    plain: dict[str, Any] = {"name": label.partition("[")[0], "version": 1, "parameters": {}, "label": label}
    return Component(**{**plain, **changes})


def trial(
    trainer: str | Component = "gan",
    dataset: str | Component = "ring8",
    seed: int = 0,
    budget: str = "steps=40",
    **changes: Any,
) -> Trial:
    method, data = (part if isinstance(part, Component) else component(part) for part in (trainer, dataset))
    return Trial(trainer=method, dataset=data, seed=seed, budget=Budget.parse(budget), **changes)


def suite(**changes: Any) -> Suite:
    plain: dict[str, Any] = {
        "name": "made-up",
        "version": 1,
        "datasets": ("ring8",),
        "trainers": ("gan",),
        "seeds": (0,),
        "budgets": (Budget.parse("steps=40"),),
        "protocols": ("genbench1",),
    }
    if "budget" in changes:
        del plain["budgets"]
    return Suite(**{**plain, **changes})


def score(name: str, value: float | None, band: tuple[float, float] | None = None, **identity: Any) -> Score:
    unit, higher = UNITS.get(name, ("", None))
    plain: dict[str, Any] = {
        "metric": name,
        "version": 1,
        "parameters": {"k": 3.0},
        "protocol": "genbench1",
        "protocol_version": 1,
        "n": 10_000,
        "split": "reference, seed 0",
        "dtype": "float32",
    }
    low, high = band or (None, None)
    return Score(
        name=name,
        identity=Identity(**{**plain, **identity}),
        value=value,
        unit=unit,
        higher_is_better=higher,
        state="skipped" if value is None else "ok",
        reason="made up" if value is None else None,
        null_low=low,
        null_high=high,
    )


def scores(values: Mapping[str, float | None], **identity: Any) -> tuple[Score, ...]:
    return tuple(score(name, value, **identity) for name, value in values.items())


def put(
    root: Path,
    of: Trial,
    found: Sequence[Score] | None = None,
    *,
    into: str = "made-up",
    status: Status = "done",
    reason: str | None = None,
    curve: pd.DataFrame | None = None,
    losses: pd.DataFrame | None = None,
    provenance: Mapping[str, Any] | None = None,
    **contents: Any,
) -> Path:
    """Stores a trial as if it had been run, and returns its folder."""
    folder = store.Store(root).folder(into, of)
    made = dict(provenance or {})
    record = Record(id=of.id, suite=into, trial=of, status=status, reason=reason, cost=COST, provenance=made)
    tables = {name: table for name, table in ((layout.CURVE, curve), (layout.LOSSES, losses)) if table is not None}
    scored = Scores(id=of.id, scores=tuple(found)) if found is not None else None
    commit(folder, record, scored, tables, **contents)
    return folder


def tensor(values: Any) -> Any:
    """An array as a tensor."""
    import torch

    return torch.from_numpy(values)


def parquet(**columns: Any) -> bytes:
    """Columns as a file of parquet."""
    buffer = io.BytesIO()
    pd.DataFrame(columns).to_parquet(buffer, index=False)
    return buffer.getvalue()


def overwrite(path: Path, content: bytes) -> None:
    """Puts something else into a stored trial's file, of which its record knows."""
    path.write_bytes(content)
    record = json.loads((path.parent / layout.RECORD).read_bytes())
    record["files"][path.name] = hashlib.sha256(content).hexdigest()
    (path.parent / layout.RECORD).write_text(json.dumps(record))


def put_controls(
    root: Path,
    dataset: Component,
    draws: Mapping[str, Sequence[Sequence[Score]]],
    bands: Sequence[Score] = (),
    along: Mapping[str, Sequence[Sequence[Score]]] | None = None,
    truth: Mapping[str, Any] | None = None,
) -> ControlScores:
    controls = ControlScores(
        dataset=dataset.label,
        key="made up",
        draws={name: tuple(map(tuple, drawn)) for name, drawn in draws.items()},
        bands=tuple(bands),
        along={name: tuple(map(tuple, drawn)) for name, drawn in (along or {}).items()},
        truth=None if truth is None else dict(truth),
    )
    store.Store(root).write_controls("made-up", dataset, controls)
    return controls


def external(name: str, found: Sequence[Score], dataset: str | Component = "ring8", **changes: Any) -> External:
    plain: dict[str, Any] = {
        "name": name,
        "dataset": dataset if isinstance(dataset, Component) else component(dataset),
        "source": "mine.npy",
        "n": 10_000,
        "samples_sha256": "ab" * 32,
        "scores": tuple(found),
    }
    return External(**{**plain, **changes})


def files_in(folder: Path) -> list[str]:
    """The files in a folder and below it, by their paths from there."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def place(task: Any) -> Path:
    """Where the only trial of a task lives."""
    (only,) = task.trials
    return store.Store(Path(task.context.root)).folder(task.context.suite, only)


def record(outcome: Any) -> Record | None:
    """The record of an outcome's only trial, if it has ended."""
    return next(iter(outcome.records), None)
