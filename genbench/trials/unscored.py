"""Which finished trials lack scores as they would be made today, and what makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from genbench.records.record import Identity, Score
from genbench.records.store import Found
from genbench.registry import metrics
from genbench.scoring.protocols import Protocol, ways
from genbench.spec import Component, Suite, Trial


class Way(NamedTuple):
    """A protocol, unless it is "", and metrics beside it."""

    protocol: str
    metrics: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What one calls it by."""
        return (self.protocol,) if self.protocol else self.metrics

    @property
    def options(self) -> list[str]:
        """What `genbench rescore` takes for it."""
        own = ["--protocol", self.protocol] if self.protocol else []
        return [*own, *(part for metric in self.metrics for part in ("--metric", metric))]


class Unscored:
    """A suite's finished trials that lack scores: by the way of scoring again what rescoring makes, in `renewable`; by
    the protocol and the columns what too few samples are stored for, in `lost`.
    """

    def __init__(self, suite: Suite) -> None:
        self.renewable: dict[Way, list[Trial]] = {}
        self.lost: dict[tuple[str, tuple[str, ...]], list[Trial]] = {}
        self._wanted = [*_wanted(suite)]

    def look_at(self, trial: Trial, stored: Found) -> None:
        """Notes what a finished trial lacks."""
        scores = stored.scores.scores if stored.scores else ()
        for wanted in self._wanted:
            known = wanted.known(scores)
            if len(known) == len(wanted.columns) and all(known.values()):
                continue
            samples, protocol = stored.samples, wanted.protocol
            lost = tuple(name for name in wanted.columns if not known.get(name) and protocol.wanted(name) > samples)
            if made := wanted.columns.keys() - known - {*lost}:
                self.renewable.setdefault(wanted.way(made), []).append(trial)
            if lost:
                self.lost.setdefault((protocol.name, lost), []).append(trial)


class _Wanted(NamedTuple):
    """What one of a suite's ways of scoring gives a trial today."""

    protocol: Protocol
    columns: Mapping[str, Component]

    def known(self, scores: Sequence[Score]) -> dict[str, bool]:
        """The columns that there is a score of as they are now: whether it says all that there is to say.

        It doesn't where it was skipped and the metric applies: for want of samples, if there are too few.
        """
        own = {score.name: score for score in scores if _is_of(score.identity, self.protocol)}
        return {
            name: not own[name].lacked
            for name, of in self.columns.items()
            if name in own and _is_by(own[name].identity, of)
        }

    def way(self, columns: set[str]) -> Way:
        """The way of scoring that makes the columns."""
        added = self.protocol.added
        return Way("" if columns <= {*added} else self.protocol.name, added)


def _wanted(suite: Suite) -> Iterator[_Wanted]:
    for protocol in ways(suite.protocols, suite.metrics):
        columns = {name: Component.resolve(metrics, column) for name, column in protocol.columns.items()}
        yield _Wanted(protocol, columns)


def _is_by(identity: Identity, metric: Component) -> bool:
    """Whether a score is by a metric as it is now."""
    then = identity.metric, identity.version, identity.parameters, identity.source
    return then == (metric.name, metric.version, metric.parameters, metric.source)


def _is_of(identity: Identity, protocol: Protocol) -> bool:
    """Whether a score is of a protocol as it is now."""
    then = identity.protocol, identity.protocol_version, identity.protocol_source
    return then == (protocol.name, protocol.version, protocol.source)
