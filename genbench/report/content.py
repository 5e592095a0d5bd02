"""What a report is made of: one suite's frame, tables, colours and pictures, each made once and when it is wanted."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from genbench.records.layout import CURVE
from genbench.records.store import Found, Store
from genbench.registry import DEFAULT_PROTOCOL
from genbench.report.frame import Frame, Line, frame
from genbench.report.model import Table
from genbench.report.table import tables
from genbench.scoring.protocols import protocol as protocol_named

if TYPE_CHECKING:
    import pandas as pd

    from genbench.report.figures.style import Colours, Picture


class Content:
    """One suite's results under the protocols that its plan names, or under one."""

    def __init__(self, store: Store, suite: str, protocol: str | None = None) -> None:
        self.store, self.suite, self._protocol = store, suite, protocol
        self._tables: dict[str, list[Table]] = {}

    @cached_property
    def frame(self) -> Frame:
        """All scores."""
        return frame(self.store, self.suite)

    @cached_property
    def trials(self) -> list[Found]:
        """All trials, failed ones too, in the order of their folders."""
        trials = {line.trial.folder: line.trial for line in self.frame.lines if line.trial is not None}
        return [trials[folder] for folder in sorted(trials)]

    @cached_property
    def protocols(self) -> list[str]:
        """The names of the protocols, the plan's first one first."""
        if self._protocol:
            return [self._protocol]
        held = {line.protocol for line in self.frame.lines if line.kind == "trainer" and line.protocol is not None}
        planned = self.frame.plan.protocols if self.frame.plan else ()
        return [*(name for name in planned if name in held), *sorted(held - set(planned))] or [DEFAULT_PROTOCOL]

    def under(self, protocol: str) -> list[Table]:
        """The tables under a protocol, whole."""
        if protocol not in self._tables:
            self._tables[protocol] = tables(self.frame, protocol_named(protocol))
        return self._tables[protocol]

    @property
    def tables(self) -> dict[str, list[Table]]:
        """Each protocol's tables."""
        return {name: self.under(name) for name in self.protocols}

    @property
    def main(self) -> list[Table]:
        """The first protocol's tables."""
        return self.under(self.protocols[0])

    @cached_property
    def datasets(self) -> list[str]:
        """The datasets' names, in the tables' order."""
        return list(dict.fromkeys(table.dataset for table in self.main))

    @cached_property
    def colours(self) -> Colours:
        """Each row's colour: a trainer's the same in every picture, after these those of averaged weights."""
        from genbench.report.figures.style import colours

        rows = [row for table in self.main for row in table.trainers]
        return colours([row.label for row in sorted(rows, key=lambda row: row.ema is not None)])

    def oracle(self, table: Table) -> list[Line]:
        """What the oracle's draws of a table's dataset score as curves are scored."""
        return [line for line in self.frame.along if line.dataset == table.truth]

    @cached_property
    def pictures(self) -> list[Picture]:
        """All pictures."""
        from genbench.report.figures.catalogue import pictures

        return list(pictures(self))

    def pictures_of(self, dataset: str | None, *kinds: str) -> list[Picture]:
        """A dataset's pictures of some kinds."""
        return [picture for picture in self.pictures if picture.dataset == dataset and picture.kind in kinds]

    def curves(self, table: Table) -> pd.DataFrame:
        """The curves of a table's finished trials, below each other."""
        from genbench.report.figures import stored

        return stored.curves(self.store, table.finished, CURVE)
