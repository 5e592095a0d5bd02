"""Whether stored scores and null bands come out again: from stored samples, and from the truth and the controls."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from genbench.errors import GenbenchError
from genbench.records import reading
from genbench.records.audit import Fault
from genbench.records.layout import CONTROLS, CURVE, SAMPLES, SCORES
from genbench.records.record import ControlScores, Score
from genbench.records.store import Found, Store
from genbench.registry import metrics
from genbench.scoring.along import coverage_along
from genbench.scoring.protocols import Protocol
from genbench.spec import Component
from genbench.trials.controls import all_draws, along_draws, null_bands
from genbench.trials.plan import control_key
from genbench.trials.rescoring import Rescorer, check_dataset
from genbench.trials.resources import build_dataset

CLOSE = 1e-4
"""Relative: by so much sums may differ on other processors, where the samples are the same."""


class Spot(NamedTuple):
    """Where a score stands: as which row, under which name and of which identity."""

    row: str
    name: str
    identity: str

    @property
    def said(self) -> str:
        return f"{self.row}, {self.name}" if self.row else self.name


Spots = Mapping[Spot, Score]


def scores_again(trials: Sequence[Found], ways: Sequence[Protocol], device: str) -> Iterator[tuple[Found, list[Fault]]]:
    """Each finished trial whose samples are stored, with the scores and bands that come out otherwise or are gone."""
    rescorers = [Rescorer(way, device) for way in ways]
    for trial in trials:
        if trial.record.status != "done" or trial.scores is None or SAMPLES not in trial.record.files:
            continue
        if not (trial.folder / SAMPLES).exists():  # as in archives
            continue
        path = trial.folder / SCORES
        try:
            made = [score for rescorer in rescorers for score in rescorer.again(trial)]
        except GenbenchError as error:
            yield trial, [Fault(trial.folder, str(error))]
            continue
        stored, along = trial.scores.scores, _along(trial, ways[0])
        found = [Fault(path, said, path) for said in _differing(_spots(stored), _spots([*made, *along]))]
        yield (
            trial,
            [*found, *(Fault(path, f"{name} is gone; genbench rescore makes it") for name in _gone(stored, made))],
        )


def controls_again(
    results: Store, suite: str, datasets: Iterable[Component], ways: Sequence[Protocol], device: str
) -> Iterator[tuple[Component, list[Fault]]]:
    """Each dataset whose controls are stored, with what of them and of their null bands comes out otherwise."""
    for dataset in datasets:
        stored = results.read_controls(suite, dataset)
        if stored is None:
            continue
        path, plan = results.cell(suite, dataset) / CONTROLS, results.plan(suite)
        try:
            check_dataset(dataset)
            null = null_bands(dataset, ways, device)
            whole = plan is not None and stored.key == control_key(plan, dataset)
            draws = plan.control_draws if plan and whole else max(map(len, stored.draws.values()), default=0)
            made = ControlScores(
                dataset=stored.dataset,
                key=stored.key,
                draws=all_draws(dataset, null, draws, device),
                bands=tuple(band for by_name in null.values() for band in by_name.values()),
                along=along_draws(dataset, ways[0], draws if whole or stored.along else 0, device),
            )
        except GenbenchError as error:
            yield dataset, [Fault(path, str(error))]
            continue
        there, now = _all_of(stored), _all_of(made)
        lacking = [f"{spot.said} is gone" for spot in now if spot not in there] if whole else []
        yield dataset, [Fault(path, said, path) for said in (*_differing(there, now), *lacking)]


def _along(trial: Found, way: Protocol) -> list[Score]:
    """What a trial's curve says of its way to all modes; nothing where it can't be read."""
    try:
        rows = reading.table(trial.folder / CURVE, trial.record.files.get(CURVE)).to_pylist()
    except (OSError, ValueError):
        return []
    return coverage_along(rows, build_dataset(trial.record.trial.dataset), way)


def _all_of(controls: ControlScores) -> Spots:
    rows = {"null band": controls.bands}
    for where, of in (("", controls.draws), (" along training", controls.along)):
        rows |= {f"{name}{where}, draw {i}": scores for name, draws in of.items() for i, scores in enumerate(draws)}
    return {spot: score for row, scores in rows.items() for spot, score in _spots(scores, row).items()}


def _spots(scores: Iterable[Score], row: str = "") -> Spots:
    return {Spot(row, score.name, score.identity.key): score for score in scores}


def _differing(stored: Spots, made: Spots) -> Iterator[str]:
    """What is said otherwise; of what isn't made now nothing is known: another version's, the model's, or of samples
    that aren't stored."""
    for spot, score in stored.items():
        now = made.get(spot)
        metric = score.identity.metric
        if now is None and metric in metrics and score.identity.version > (newest := metrics[metric].version):
            yield f"{spot.said} is of version {score.identity.version} of {metric}, of which the newest is {newest}"
        if now is None or (now.state == "skipped" and now.null_low is None):
            continue
        if now.state != "skipped" and not _close(score.value, now.value):
            yield f"{spot.said} is {score.value} there and {now.value} when it is scored again"
        for what in ("state", "unit", "higher_is_better", "null_draws", "null_coverage"):
            there, here = getattr(score, what), getattr(now, what)
            if now.state != "skipped" and there != here and None not in (there, here):
                yield f"{what.replace('_', ' ')} of {spot.said} is {there} there and {here} today"
        if not (_close(score.null_low, now.null_low) and _close(score.null_high, now.null_high)):
            there, here = (f"{of.null_low} to {of.null_high}" for of in (score, now))
            yield f"the null band of {spot.said} is {there} there and {here} today"


def _gone(stored: Sequence[Score], made: Sequence[Score]) -> list[str]:
    """The columns that samples have a score in, and of which none is stored where others of their protocol are."""
    known = {(score.name, score.identity.protocol, score.identity.ema) for score in stored}
    versions = {(score.identity.protocol, score.identity.protocol_version) for score in stored}
    names = {protocol for protocol, _ in versions}
    return [
        f"{score.name} under {own.protocol}"
        for score, own in ((score, score.identity) for score in made)
        if score.state != "skipped"
        and (score.name, own.protocol, own.ema) not in known
        and ((own.protocol, own.protocol_version) in versions or own.protocol not in names)
    ]


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=CLOSE, abs_tol=1e-6)
