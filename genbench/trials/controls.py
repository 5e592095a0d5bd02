"""A dataset's controls and null bands: measured once, before its trials, and stored beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from genbench import devices, seeding
from genbench.datasets.base import Finite
from genbench.errors import GenbenchError, Skip
from genbench.executors.process import run_conditions
from genbench.executors.task import Context, Failure, Notify, Outcome, Progress, Stop, Task
from genbench.records import provenance, store
from genbench.records.record import ControlScores, Score
from genbench.registry import ControlEntry, controls
from genbench.scoring.bands import Bands, Watch, bands
from genbench.scoring.protocols import Protocol, ways
from genbench.scoring.scorer import Scorer
from genbench.spec import Component
from genbench.trials.resources import build_dataset, scorer
from genbench.trials.trial import control_name

ORACLE = "oracle"

Null = dict[Protocol, Bands]
"""The null bands of a dataset by protocol."""


class Interrupted(Exception):
    """Measuring was asked to stop."""


@dataclass(frozen=True)
class ControlTask(Task):
    """Scores every control on one dataset, `draws` times each; `key` says what decided them."""

    context: Context
    dataset: Component
    draws: int
    key: str

    @property
    def name(self) -> str:
        return control_name(self.dataset)

    @property
    def needs(self) -> None:
        return None

    @property
    def places(self) -> list[Path]:
        return [] if self.context.claimed else [self._cell]

    @property
    def _cell(self) -> Path:
        return store.Store(Path(self.context.root)).cell(self.context.suite, self.dataset)

    @property
    def root(self) -> str:
        return self.context.root

    def luggage(self) -> list[Path]:
        return [*self._cell.glob("controls*.json")]

    def sent(self, root: str | None = None) -> ControlTask:
        return replace(self, context=replace(self.context, root=root or self.context.root, claimed=True))

    @property
    def is_ours(self) -> bool:
        return self.context.is_ours and not self.dataset.source

    def begin(self, notify: Notify, stop: Stop) -> Outcome:
        """Raises GenbenchError where the dataset can't be built."""
        there = store.Store(Path(self.context.root)).read_controls(self.context.suite, self.dataset)
        if there is not None and there.key == self.key:  # another run has measured them meanwhile
            return Outcome(self)
        with run_conditions():

            def watch(share: float) -> None:
                if stop():
                    raise Interrupted
                notify(Progress(self.name, share / 2, note="null bands, which don't ship for this dataset"))

            protocols = ways(self.context.protocols, self.context.metrics)
            device = devices.resolve(self.context.device)
            try:
                null = null_bands(self.dataset, protocols, device, watch)
            except Interrupted:
                return Outcome(self)
            drawn: dict[str, tuple[tuple[Score, ...], ...]] = {}
            for i, control in enumerate(controls):
                notify(Progress(self.name, 0.5 + i / len(list(controls)) / 2, note=control.name))
                try:
                    drawn[control.name] = scored_draws(control, self.dataset, null, self.draws, device, stop)
                except Skip:
                    continue
                except Interrupted:
                    return Outcome(self)
            try:
                along = along_draws(self.dataset, protocols[0], self.draws, device)
            except Skip as few:
                said = f"{self.dataset.label} is too little for {protocols[0].name}: {few}"
                raise GenbenchError(f"{said}. Add more, or take a smaller --suite.") from few
            measured = ControlScores(
                dataset=self.dataset.label,
                key=self.key,
                draws=drawn,
                bands=tuple(band for by_name in null.values() for band in by_name.values()),
                along=along,
                truth=self.dataset.identity,
                provenance=provenance.gather(device, self.context.command),
            )
        results = store.Store(Path(self.context.root))
        before = results.read_controls(self.context.suite, self.dataset)
        results.write_controls(self.context.suite, self.dataset, measured.after(before))
        return Outcome(self)

    def ended(self, status: Failure, reason: str) -> Outcome:
        """Without its controls a dataset's rows can't be read, so this is an error, of which there is no record."""
        return Outcome(self, error=f"{self.name}: {reason}")


def null_bands(
    dataset: Component, protocols: Sequence[Protocol], device: str = "cpu", watch: Watch = lambda share: None
) -> Null:
    """The bands of a dataset under each protocol, measured where none are shipped; `watch` is as for `bands`."""
    built, n = build_dataset(dataset), len(protocols)

    def part(i: int) -> Watch:
        return lambda share: watch((i + share) / n)

    return {way: bands(dataset, built, scorer(dataset, way, device), part(i)) for i, way in enumerate(protocols)}


def scored_draws(
    control: ControlEntry,
    dataset: Component,
    null: Null,
    draws: int,
    device: str = "cpu",
    stop: Stop = lambda: False,
) -> tuple[tuple[Score, ...], ...]:
    """A control's scores under the protocols of `null`, for each of so many draws.

    Raises Skip where the control can't apply, and Interrupted before a draw where it is to stop.
    """
    scored = []
    for drawn in _drawn(control, dataset, max(way.n for way in null), draws):
        if stop():
            raise Interrupted
        judged = (drawn.judged_by(scorer(dataset, way, device))(drawn.samples, of) for way, of in null.items())
        scored.append(tuple(score for scores in judged for score in scores))
    return tuple(scored)


def along_draws(
    dataset: Component, protocol: Protocol, draws: int, device: str = "cpu"
) -> dict[str, tuple[tuple[Score, ...], ...]]:
    """The oracle's scores as a protocol scores at checkpoints, by its name; nothing where it scores none there."""
    judge, oracle = scorer(dataset, protocol, device, curve=True), controls[ORACLE]
    if not judge.protocol.columns:
        return {}
    drawn = _drawn(oracle, dataset, judge.protocol.n, draws)
    return {ORACLE: tuple(each.judged_by(judge)(each.samples) for each in drawn)}


def all_draws(
    dataset: Component, null: Null, draws: int, device: str = "cpu"
) -> dict[str, tuple[tuple[Score, ...], ...]]:
    """`scored_draws` of every control that applies, by its name."""
    drawn = {}
    for control in controls:
        with suppress(Skip):
            drawn[control.name] = scored_draws(control, dataset, null, draws, device)
    return drawn


class _Drawn(NamedTuple):
    """Samples of a control, and the deal of a finite dataset that they are from, if it was dealt."""

    samples: Tensor
    deal: Finite | None

    def judged_by(self, judge: Scorer) -> Scorer:
        """The scorer that fits the deal."""
        return judge if self.deal is None else judge.dealt(self.deal)


def _drawn(control: ControlEntry, dataset: Component, n: int, draws: int) -> Iterator[_Drawn]:
    """Draws of a control, each from a stream of its own."""
    built = build_dataset(dataset)
    for seed in range(draws):
        rng = seeding.stream(seed, f"{seeding.CONTROL_DATA}/{control.name}")
        deal = built.dealt(rng) if control.dealt and isinstance(built, Finite) else None
        yield _Drawn(control.build(deal or built, n, rng), deal)
