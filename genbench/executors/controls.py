"""A dataset's controls and null bands: measured once, before its trials, and stored beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genbench import provenance, seeding, store
from genbench.datasets.base import Dataset
from genbench.errors import Skip
from genbench.executors.process import run_conditions
from genbench.executors.resources import build_dataset, scorer
from genbench.executors.task import Context, Notify, Outcome, Progress, Stop
from genbench.executors.trial import control_name
from genbench.metrics.bands import bands
from genbench.protocols import protocol
from genbench.record import ControlScores, Score
from genbench.registry import Entry, controls
from genbench.spec import Component


@dataclass(frozen=True)
class ControlTask:
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

    def run(self, notify: Notify, stop: Stop) -> Outcome:
        """Raises GenbenchError where the dataset can't be built."""
        dataset = build_dataset(self.dataset)
        with run_conditions():
            scorers = [scorer(self.dataset, name) for name in self.context.protocols]
            null = {s.protocol.name: bands(self.dataset, dataset, s) for s in scorers}
            drawn: dict[str, tuple[tuple[Score, ...], ...]] = {}
            for i, control in enumerate(controls):
                if stop():
                    return Outcome(self)
                notify(Progress(self.name, i / len(list(controls)), note=control.name))
                try:
                    drawn[control.name] = tuple(self._draw(control, dataset, null, seed) for seed in range(self.draws))
                except Skip:
                    continue
        found = ControlScores(
            dataset=self.dataset.label,
            key=self.key,
            draws=drawn,
            bands=tuple(band for by_name in null.values() for band in by_name.values()),
            provenance=provenance.gather("cpu", self.context.command),
        )
        store.Store(Path(self.context.root)).write_controls(self.context.suite, self.dataset, found)
        return Outcome(self)

    def crashed(self, reason: str) -> Outcome:
        """Without its controls a dataset's rows can't be read, so a crash here is an error."""
        return Outcome(self, error=f"{self.name}: {reason}")

    def _draw(
        self, control: Entry, dataset: Dataset, null: dict[str, dict[str, Score]], seed: int
    ) -> tuple[Score, ...]:
        n = max(protocol(name).n for name in self.context.protocols)
        samples = control.build(dataset, n, seeding.stream(seed, f"{seeding.CONTROL_DATA}/{control.name}"))
        return tuple(
            score for name in self.context.protocols for score in scorer(self.dataset, name)(samples, null[name])
        )
