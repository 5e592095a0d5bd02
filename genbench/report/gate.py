"""Which values may share a column: those of one protocol and, under a name, of one identity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from genbench.registry import metrics
from genbench.report.frame import Line
from genbench.report.model import Cell, Column, Row
from genbench.scoring.protocols import Protocol


class Gate:
    """Lets values of one protocol into a table, and of each name only those of one identity.

    That is the identity which the protocol and the metric have today where one of the `trained` lines is of it, else
    the first one's. `refused` are the names of the others, by the kind and label of their rows.
    """

    def __init__(self, protocol: Protocol, trained: Iterable[Line] = ()) -> None:
        self.protocol = protocol
        self.columns: dict[str, Column] = {}
        self.refused: dict[tuple[str, str], dict[str, None]] = {}
        for line in trained:
            if line.metric not in self.columns and self._is_of_today(line):
                self.admits(line)

    def admits(self, line: Line) -> bool:
        """Whether a line's value belongs into the table."""
        if line.metric is None or line.identity is None or line.protocol != self.protocol.name:
            return False
        # Averaged weights are judged alike: what they differ in is what a row is of.
        identity = line.identity if line.ema is None else line.identity.model_copy(update={"ema": None})
        if line.metric not in self.columns:
            column = Column(line.metric, line.unit, line.higher_is_better, identity, added=line.added)
            if identity.metric in metrics:
                metric = metrics[identity.metric]
                column = replace(column, bounds=metric.bounds, whole=metric.whole)
            self.columns[line.metric] = column
        known = self.columns[line.metric].identity
        if identity is known or identity == known:
            return True
        self.refused.setdefault((line.kind, line.trainer.label), {})[line.metric] = None
        return False

    def _is_of_today(self, line: Line) -> bool:
        """Whether a line is of the metric, and of the protocol, as they would be scored now."""
        identity, protocol = line.identity, self.protocol
        if line.protocol != protocol.name or identity is None or identity.metric not in metrics:
            return False
        metric, own = metrics[identity.metric], line.metric in protocol.columns
        return (
            (identity.protocol_version, identity.protocol_source) == (protocol.version, protocol.source)
            and (identity.version, identity.source) == (metric.version, metric.sources(identity.parameters))
            and (not own or identity.n == protocol.wanted(str(line.metric)))
        )

    def cells(self, lines: Iterable[Line], failed: int = 0) -> dict[str, Cell]:
        """The cells of a row's lines, where so many more seeds failed."""
        by_metric: dict[str, dict[int, float]] = {}
        undefined: Counter[str] = Counter()
        for line in filter(self.admits, lines):
            name = str(line.metric)
            if line.value is not None:
                by_metric.setdefault(name, {})[line.seed] = line.value
            elif line.state == "undefined":
                by_metric.setdefault(name, {})
                undefined[name] += 1
        return {
            name: Cell.of(by_seed, self.columns[name].higher_is_better, failed, undefined[name])
            for name, by_seed in by_metric.items()
        }

    def held(self, rows: Iterable[Row]) -> tuple[Column, ...]:
        """The columns in which some row has a value."""
        held = {name for row in rows for name, cell in row.cells.items() if cell.values or cell.band}
        return tuple(column for name, column in self.columns.items() if name in held)
