"""Whether trials that are trained once more have the bits that are stored, or scores like those."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from genbench import portable
from genbench.errors import GenbenchError
from genbench.executors.pool import PoolExecutor
from genbench.executors.task import Context, Keep, Notify
from genbench.records.record import Record
from genbench.records.store import Found, Store
from genbench.spec import Suite
from genbench.trials.trial import TrialTask

ODD = 0.01
"""The p below which trials that were trained elsewhere are said to come out otherwise."""

AGAIN = "again"
"""What the suite of a trial that is trained once more is called."""

HARDWARE = ("python", "platform", "packages", "device")
"""What of a record's provenance decides a trial's bits, besides its engine and torch's flags."""


class Trained(NamedTuple):
    """A trial that was trained once more: whether on like hardware, whether to the same bits, and its place by the
    deciding score among the stored seeds of its trainer, between 0 and 1, where it has one."""

    trial: Found
    alike: bool
    same: bool
    place: float | None


def chosen(trials: Sequence[Found], n: int) -> list[Found]:
    """Up to n finished trials, the same ones each time, which nobody could have foreseen without their ids.

    None of a budget in seconds, whose bits are no two times the same.
    """
    able = [each for each in trials if each.record.status == "done" and each.record.trial.budget.kind != "seconds"]
    return sorted(able, key=lambda each: hashlib.sha256(each.record.id.encode()).hexdigest())[:n]


def trained_again(
    trials: Sequence[Found],
    among: Sequence[Found],
    plan: Suite,
    device: str,
    column: str,
    notify: Notify,
    plugins: Sequence[str] = (),
) -> Iterator[Trained]:
    """Trains trials once more, each in a folder of its own that is gone afterwards, and holds them against the stored.

    Those of portable arithmetic are trained in a process of its own that has it, where the processor does, with the
    `plugins` loaded. `column` is the score by which a trial has its place `among` all stored ones of its trainer.
    """
    for trial in trials:
        made = _again(trial.record, plan, device, notify, plugins)
        alike = _alike(made.record.provenance, trial.record.provenance)
        same = made.record.weights_sha256 == trial.record.weights_sha256
        yield Trained(
            trial, alike, same, _place(_value(made, column), [_value(each, column) for each in _seeds(trial, among)])
        )


def come_out_otherwise(trained: Sequence[Trained]) -> float | None:
    """The p of the places of trials that were trained elsewhere, if they come from where the stored ones do.

    They are then spread evenly over 0 to 1, which the test of Kolmogorov and Smirnov asks. None of fewer than three.
    """
    places = [each.place for each in trained if each.place is not None and not each.alike]
    if len(places) < 3:
        return None
    from scipy.stats import kstest

    return float(kstest(places, "uniform").pvalue)


def _again(record: Record, plan: Suite, device: str, notify: Notify, plugins: Sequence[str]) -> Found:
    """A trial as it comes out now, by the engine and in the arithmetic of its record."""
    engine = record.provenance.get("engine", {})
    flags = record.provenance.get("flags", {})
    precision: Any = "bf16" if engine.get("bf16") else flags.get("matmul_precision", "highest")
    path: Any = engine.get("name") if engine.get("name") in ("plain", "compiled", "graph") else "auto"
    apart = bool(flags.get("portable")) and portable.lacks() is None
    with tempfile.TemporaryDirectory(prefix="genbench-") as root:
        context = Context(
            root, AGAIN, plan.protocols, "cpu" if apart else device, "genbench verify", path, precision,
            bool(engine.get("channels_last")), metrics=plan.metrics,
        )  # fmt: skip
        task = TrialTask(context, (record.trial,), plan.checkpoints, Keep(weights=False, samples=1))
        if apart:
            with portable.pinned():
                (outcome,) = PoolExecutor(1, plugins).run([task], notify)
        else:
            outcome = task.run(notify, lambda: False)
        if outcome.error is not None:
            raise GenbenchError(outcome.error)
        (made,) = Store(Path(root)).trials(AGAIN)
        return made


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records were made where the same bits are to be expected, as far as both say."""
    flags, others = (each.get("flags", {}) for each in (one, other))
    portably = bool(flags.get("portable") and others.get("portable"))
    return (
        all(one.get(part) == other.get(part) for part in HARDWARE if not (part == "device" and portably))
        and one.get("engine", {}).get("name") == other.get("engine", {}).get("name")
        and all(flags[name] == others[name] for name in flags.keys() & others.keys())
    )


def _seeds(trial: Found, among: Sequence[Found]) -> list[Found]:
    own = trial.record.trial
    return [
        each
        for each in among
        if each.record.status == "done"
        and (each.record.trial.trainer, each.record.trial.dataset, each.record.trial.budget)
        == (own.trainer, own.dataset, own.budget)
    ]


def _value(of: Found, column: str) -> float | None:
    scores = of.scores.scores if of.scores else ()
    return next((score.value for score in scores if score.name == column and score.identity.ema is None), None)


def _place(value: float | None, among: Sequence[float | None]) -> float | None:
    """The share of the others that are below a value, those that equal it by half."""
    others = [other for other in among if other is not None]
    if value is None or not others:
        return None
    below = sum(other < value for other in others) + 0.5 * sum(other == value for other in others)
    return (below + 0.5) / (len(others) + 1)
