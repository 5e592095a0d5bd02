"""What a page's panels are made of: one suite's tables, trials and pictures, each read once."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from genbench.records.record import ControlScores
from genbench.records.store import CURVE, Found, Store
from genbench.registry import DEFAULT_PROTOCOL
from genbench.report.figures import catalogue as figures
from genbench.report.figures import stored
from genbench.report.figures.style import Colours, Picture, colours
from genbench.report.model import Table
from genbench.report.places import Places, Rows, finished, placed, trainers
from genbench.report.table import are_of, tables
from genbench.scoring.protocols import protocol as protocol_named
from genbench.spec import Suite


class Content:
    """One suite's results under the protocols that its plan names, or under one."""

    def __init__(self, store: Store, suite: str, protocol: str | None = None) -> None:
        self.store, self.suite, self._protocol = store, suite, protocol

    @cached_property
    def plan(self) -> Suite | None:
        """The plan that was run."""
        return self.store.plan(self.suite)

    @cached_property
    def trials(self) -> list[Found]:
        """All trials, failed ones too."""
        return list(self.store.trials(self.suite))

    @cached_property
    def places(self) -> Places:
        """The trials by table and row."""
        return placed(self.trials, self.plan)

    @cached_property
    def protocols(self) -> list[str]:
        """The names of the protocols, the plan's first one first."""
        if self._protocol:
            return [self._protocol]
        held = {s.identity.protocol for trial in self.trials if trial.scores for s in trial.scores.scores}
        planned = self.plan.protocols if self.plan else ()
        return [*(name for name in planned if name in held), *sorted(held - set(planned))] or [DEFAULT_PROTOCOL]

    @cached_property
    def tables(self) -> dict[str, list[Table]]:
        """Each protocol's tables, whole."""
        return {name: tables(self.store, self.suite, protocol_named(name)) for name in self.protocols}

    @property
    def main(self) -> list[Table]:
        """The first protocol's tables."""
        return self.tables[self.protocols[0]]

    @cached_property
    def datasets(self) -> list[str]:
        """The datasets' labels, in the tables' order."""
        return list(dict.fromkeys(table.dataset for table in self.main))

    @cached_property
    def colours(self) -> Colours:
        """Each row's colour: a trainer's the same in every picture, after these those of averaged weights."""
        rows = [row.label for table in self.main for row in table.trainers]
        return colours(list(dict.fromkeys([*trainers(self.places), *rows])))

    @cached_property
    def _controls(self) -> list[ControlScores]:
        return list(self.store.controls(self.suite))

    def controls(self, table: Table) -> ControlScores | None:
        """The controls of a table's dataset, if it has any."""
        return next((found for found in self._controls if are_of(found, table)), None)

    @cached_property
    def pictures(self) -> list[Picture]:
        """All pictures."""
        return list(figures.pictures(self.store, self.suite))

    def pictures_of(self, dataset: str | None, *kinds: str) -> list[Picture]:
        """A dataset's pictures of some kinds."""
        return [picture for picture in self.pictures if picture.dataset == dataset and picture.kind in kinds]

    def rows(self, table: Table) -> Rows:
        """The trials behind a table by the names of its trainers' rows, finished or not."""
        return self.places.get((table.dataset, table.budget), {})

    def curves(self, table: Table) -> pd.DataFrame:
        """The curves of a table's finished trials, below each other."""
        return stored.tables(self.store, finished(self.rows(table)), CURVE)
