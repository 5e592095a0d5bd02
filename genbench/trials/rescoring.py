"""Scoring what trials left behind once more, under whatever protocol, without training."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from genbench.errors import GenbenchError
from genbench.records import layout, reading
from genbench.records.atomic import write_model
from genbench.records.layout import AVERAGED
from genbench.records.provenance import device_name
from genbench.records.record import Score, Scores, renewed
from genbench.records.store import Found, Store
from genbench.registry import datasets
from genbench.scoring.protocols import Protocol
from genbench.scoring.scorer import banded
from genbench.spec import Component
from genbench.trials.controls import Null, all_draws, null_bands
from genbench.trials.drawn import RAW
from genbench.trials.resources import build_dataset, scorer


class Rescored(NamedTuple):
    """A trial's scores under the protocol, those that `stayed` because too few samples are stored to make them again
    among them. Of these, some are `outdated`: of another version, source or setting of metric or protocol."""

    scores: tuple[Score, ...]
    stayed: tuple[Score, ...]
    outdated: tuple[Score, ...]


class Rescorer:
    """Scores stored samples under one protocol, and puts the scores into the place of earlier ones of its columns.

    Those of other columns that were added to it stay.
    A score that was made when there were more samples than are stored stays, whatever made it. What stays gets the
    null band that its identity has today. It judges on `device`.
    """

    def __init__(self, protocol: Protocol, device: str = "cpu") -> None:
        self.protocol, self.device = protocol, device
        self._null: dict[Component, Null] = {}

    def trial(self, finished: Found) -> Rescored:
        """Scores a finished trial. Raises GenbenchError, which says why, where that can't be done."""
        trial = finished.record.trial
        if finished.scores is None and (finished.folder / layout.SCORES).exists():
            raise GenbenchError(f"its {layout.SCORES} can't be read. Remove it to have it made again.")
        check_dataset(trial.dataset)
        before = self._banded(trial.dataset, finished.scores.scores if finished.scores else ())
        if finished.scores and before != finished.scores.scores:
            write_model(finished.folder / layout.SCORES, finished.scores.model_copy(update={"scores": before}))
        scores: list[Score] = []
        stayed: list[Score] = []
        outdated: list[Score] = []
        for prefix, samples in _samples(finished, build_dataset(trial.dataset).event_shape).items():
            ema, null = trial.ema if prefix == AVERAGED else None, self._bands(trial.dataset)[self.protocol]
            for score in scorer(trial.dataset, self.protocol, self.device)(samples, null, ema):
                earlier = _of_more_samples(score, before, len(samples))
                scores.append(earlier or score)
                stayed += [earlier] if earlier else []
                outdated += [earlier] if earlier and earlier.identity != score.identity else []
            scores += (gone := list(self._gone(before, len(samples), ema)))
            stayed += gone
            outdated += gone
        made = Scores(id=finished.record.id, scores=renewed(before, scores), device=device_name(self.device))
        write_model(finished.folder / layout.SCORES, made)
        return Rescored(tuple(scores), tuple(stayed), tuple(outdated))

    def again(self, finished: Found) -> tuple[Score, ...]:
        """The scores of a finished trial's stored samples, made again and kept nowhere.

        Raises GenbenchError, which says why, where that can't be done.
        """
        trial = finished.record.trial
        check_dataset(trial.dataset)
        judge, null = scorer(trial.dataset, self.protocol, self.device), self._bands(trial.dataset)[self.protocol]
        stored = _samples(finished, build_dataset(trial.dataset).event_shape)
        return tuple(
            score
            for prefix, samples in stored.items()
            for score in judge(samples, null, trial.ema if prefix == AVERAGED else None)
        )

    def controls(self, results: Store, suite: str, dataset: Component) -> bool:
        """Adds the protocol's scores and null bands to a dataset's stored controls, to read trials against them.

        False where none are stored, or they hold the same bands already.
        """
        measured = results.read_controls(suite, dataset)
        null = self._bands(dataset)
        bands = tuple(null[self.protocol].values())
        if measured is None or {*map(_ends, bands)} <= {*map(_ends, measured.bands)}:
            return False
        draws = {name: tuple(self._banded(dataset, draw) for draw in of) for name, of in measured.draws.items()}
        fresh: dict[str, tuple[tuple[Score, ...], ...]] = {}
        if not {*map(_key, bands)} <= {*map(_key, measured.bands)}:
            fresh = all_draws(dataset, null, max(map(len, measured.draws.values()), default=0), self.device)
        own = measured.model_copy(update={"draws": fresh, "bands": bands})
        results.write_controls(suite, dataset, own.joined(draws, measured.bands))
        return True

    def _gone(self, before: Sequence[Score], stored: int, ema: float | None) -> Iterator[Score]:
        """Earlier values in columns that the protocol no longer has, which too few are `stored` to make again."""
        for score in before:
            own = score.identity.protocol == self.protocol.name and score.identity.ema == ema and not score.added
            gone = own and score.name not in self.protocol.columns and score.value is not None
            if gone and score.identity.n > stored:
                yield score

    def _banded(self, dataset: Component, scores: Sequence[Score]) -> tuple[Score, ...]:
        """The scores with today's null bands under the protocol."""
        own = self._bands(dataset)[self.protocol]
        return tuple(banded(score, own) if score.identity.protocol == self.protocol.name else score for score in scores)

    def _bands(self, dataset: Component) -> Null:
        if dataset not in self._null:
            self._null[dataset] = null_bands(dataset, [self.protocol], self.device)
        return self._null[dataset]


def check_dataset(dataset: Component) -> None:
    """Raises GenbenchError for a dataset that isn't here, or isn't as it was."""
    now = Component.resolve(datasets, dataset.label)
    if now.identity != dataset.identity:
        raise GenbenchError(
            f"it was trained on version {dataset.version} of {dataset.label} or on other files; here is version "
            f"{now.version}. To train again, give the run's command --rerun stale."
        )


def _samples(finished: Found, event_shape: tuple[int, ...]) -> dict[str, Tensor]:
    """The final samples `(n, *event)` of a trial, and those of its averaged weights where it has any, by their prefix.

    Raises GenbenchError where they are missing, not those that the record names, or of another shape.
    """
    path = finished.folder / layout.SAMPLES
    try:
        content = reading.content(path, reading.MOST_TENSOR_BYTES)
        tensors = load(content)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise GenbenchError(f"its {path.name} can't be read ({reason}).") from error
    if finished.record.files.get(path.name, "") != hashlib.sha256(content).hexdigest():
        raise GenbenchError(f"its {path.name} is not what its record names: it was changed or damaged.")
    samples = {prefix: tensors[f"{prefix}final"] for prefix in (RAW, AVERAGED) if f"{prefix}final" in tensors}
    shapes = {tuple(values.shape[1:]) for values in samples.values()}
    if shapes != {event_shape}:
        raise GenbenchError(f"its {path.name} holds no final samples of shape {event_shape}.")
    return samples


def _of_more_samples(score: Score, before: Sequence[Score], stored: int) -> Score | None:
    """The earlier score of the same column, or earlier reason for none, where too few are `stored` to tell again."""
    if stored >= score.identity.n:
        return None
    return next((s for s in before if _column(s) == _column(score) and s.reason != score.reason), None)


def _ends(band: Score) -> tuple[tuple[str, str], float | None, float | None]:
    return _key(band), band.null_low, band.null_high


def _column(score: Score) -> tuple[str, str, float | None]:
    return score.name, score.identity.protocol, score.identity.ema


def _key(score: Score) -> tuple[str, str]:
    return score.name, score.identity.key
