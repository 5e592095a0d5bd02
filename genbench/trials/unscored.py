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
    """A suite's finished trials that lack scores, by the way of scoring that they lack.

    Rescoring makes scores of those in `renewable`; those in `lost` have too few samples stored for any. The `outdated`
    among both hold scores of another version or source in the place of some.
    """

    def __init__(self, suite: Suite) -> None:
        self.renewable: dict[Way, list[Trial]] = {}
        self.lost: dict[Way, list[Trial]] = {}
        self.outdated: set[Trial] = set()
        self._wanted = [*_wanted(suite)]

    def look_at(self, trial: Trial, stored: Found) -> None:
        """Notes what a finished trial lacks."""
        scores = stored.scores.scores if stored.scores else ()
        for wanted in self._wanted:
            lacking = wanted.lacking(scores)
            if not lacking:
                continue
            samples = stored.samples
            made = {name for name in lacking if wanted.protocol.wanted(name) <= samples}
            into = self.renewable if made else self.lost
            into.setdefault(wanted.way(made or lacking), []).append(trial)
            if any(score.name in lacking and score.identity.protocol == wanted.protocol.name for score in scores):
                self.outdated.add(trial)


class _Wanted(NamedTuple):
    """What one of a suite's ways of scoring gives a trial today."""

    protocol: Protocol
    columns: Mapping[str, Component]

    def lacking(self, scores: Sequence[Score]) -> set[str]:
        """The columns that there is no score of as they are now."""
        identities = [score.identity for score in scores if _is_of(score.identity, self.protocol)]
        known = [(of.metric, of.version, of.parameters, of.source) for of in identities]
        columns = self.columns.items()
        return {name for name, of in columns if (of.name, of.version, of.parameters, of.source) not in known}

    def way(self, columns: set[str]) -> Way:
        """The way of scoring that makes the columns."""
        added = self.protocol.added
        return Way("" if columns <= {*added} else self.protocol.name, added)


def _wanted(suite: Suite) -> Iterator[_Wanted]:
    for protocol in ways(suite.protocols, suite.metrics):
        columns = {name: Component.resolve(metrics, column) for name, column in protocol.columns.items()}
        yield _Wanted(protocol, columns)


def _is_of(identity: Identity, protocol: Protocol) -> bool:
    """Whether a score is of a protocol as it is now."""
    then = identity.protocol, identity.protocol_version, identity.protocol_source
    return then == (protocol.name, protocol.version, protocol.source)
