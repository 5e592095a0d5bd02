"""The two sides of a comparison: which rows of their tables belong together, and whether they may be held together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from genbench.errors import GenbenchError, UnknownName
from genbench.protocols import Protocol
from genbench.report.model import Column, Row, Table
from genbench.report.places import Facts, apart
from genbench.report.table import AVERAGED, LEFT_OUT, tables
from genbench.report.verdict import ORACLE
from genbench.store import Store

FIRST, SECOND = "A", "B"
MOST_SHOWN = 12
"""So many fields that differ are named; more would say nothing else."""


class Failed(NamedTuple):
    """A trial that failed on the second side and finished on the first."""

    trainer: str
    dataset: str
    seed: int
    reason: str

    def __str__(self) -> str:
        return f"{self.trainer} on {self.dataset}, seed {self.seed}: {self.reason}"


@dataclass(frozen=True)
class Pair:
    """A row of either side that is compared with one of the other, and the tables that they stand in."""

    table: Table
    other: Table
    before: Row
    after: Row

    @property
    def dataset(self) -> str:
        """The dataset's label."""
        return self.table.dataset

    @property
    def same_table(self) -> bool:
        """Whether both rows stand in one table, which has then judged them."""
        return self.table is self.other

    @property
    def trainer(self) -> str:
        """The trainer's label; both where they are two."""
        one, other = self.before.label, self.after.label
        return one if one == other else f"{other} against {one}"

    def columns(self, metrics: Sequence[str] = ()) -> list[Column]:
        """The columns that either row has values in, of those named `metrics` in their order, or of all."""
        known = {column.name: column for column in (*self.other.columns, *self.table.columns)}
        names = metrics or [column.name for column in (*self.table.columns, *self.other.columns)]
        held = [
            name for name in dict.fromkeys(names) if any(row.cell(name).values for row in (self.before, self.after))
        ]
        return [known[name] for name in held]

    def truth(self, column: Column) -> float | None:
        """The oracle's median in a column without a direction, of the first side that has controls."""
        if column.higher_is_better is not None:
            return None
        medians = (table.control(ORACLE, column.name) for table in (self.table, self.other))
        return next((found for found in medians if found is not None), None)


@dataclass
class Sides:
    """What is compared, what failed anew, what only the first side has, and what one should know of it."""

    pairs: list[Pair] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def two_folders(
    first: Store, second: Store, suites: Mapping[str, Protocol], trainer: str | None = None, dataset: str | None = None
) -> Sides:
    """Pairs each trainer of the first folder with itself in the second, by suite, dataset and budget.

    `suites` says under which protocol each is compared. Raises GenbenchError where budgets, data or the scores'
    identities differ, naming the fields, or where nothing is in both.
    """
    sides, differing = Sides(), []
    for suite, protocol in suites.items():
        before, after = (_by_dataset(tables(store, suite, protocol)) for store in (first, second))
        for name in (name for name in before if name in after and dataset in (None, name)):
            budgets = before[name].keys() & after[name].keys()
            if not budgets:
                differing.append(f"{name}: budget: {_listed(before[name])} in A, {_listed(after[name])} in B")
            for budget in (budget for budget in before[name] if budget in budgets):
                one, other = before[name][budget], after[name][budget]
                found = list(_pairs(one, other, trainer))
                sides.pairs += found
                sides.notes += [line for pair in found for line in _made_otherwise(pair)]
                differing += _differences(one, other)
        sides.lacking += _in_one_alone(before, after, trainer, dataset)
        sides.notes += [f"In {FIRST} alone: {name}." for name in sides.lacking]
        sides.notes += [f"In {SECOND} alone: {name}." for name in _in_one_alone(after, before, trainer, dataset)]
    if differing:
        shown = [
            *differing[:MOST_SHOWN],
            *([f"and {len(differing) - MOST_SHOWN} more"] if differing[MOST_SHOWN:] else []),
        ]
        raise GenbenchError(
            "A and B can't be compared, since these differ:\n  " + "\n  ".join(shown) + "\nRun or score both alike."
        )
    return _finished(sides)


def two_trainers(
    store: Store, suites: Mapping[str, Protocol], trainer: str, against: str, dataset: str | None = None
) -> Sides:
    """Pairs the row `against` with the row `trainer` of the same tables; raises UnknownName for a row there isn't."""
    sides = Sides()
    known: set[str] = set()
    for suite, protocol in suites.items():
        for table in tables(store, suite, protocol):
            rows = {row.label: row for row in table.rows if row.kind == "trainer"}
            known |= rows.keys()
            if dataset not in (None, table.dataset) or against not in rows:
                continue
            if trainer in rows:
                sides.pairs.append(Pair(table, table, rows[against], rows[trainer]))
            else:
                sides.lacking.append(f"{trainer} on {table.dataset}, {table.budget}")
    for name in (trainer, against):
        if name not in known:
            raise UnknownName("trainer with results", name, known)
    return _finished(sides)


def _finished(sides: Sides) -> Sides:
    """The sides with what failed anew and the tables' own notes; raises GenbenchError where there are no pairs."""
    if not sides.pairs:
        raise GenbenchError(
            "\n".join(["A and B have no trainer, dataset and budget in common.", *sides.notes])
            + "\nSee what each holds: genbench report RESULTS"
        )
    for pair in sides.pairs:
        missing = pair.after.planned - pair.after.finished - len(pair.after.failures)
        if missing > 0:
            row = f"{pair.after.label} on {pair.dataset}, {pair.table.budget}"
            what = f"{missing} of {pair.after.planned} seeds of {row}"
            sides.lacking.append(what)
            sides.notes.append(f"{SECOND} lacks {what}.")
        before = pair.before.ended
        sides.failed += [
            Failed(pair.after.label.partition(AVERAGED)[0], pair.dataset, seed, reason)
            for seed, reason in pair.after.ended.items()
            if reason is not None and seed in before and before[seed] is None
        ]
    for name, table in {(name, id(t)): (name, t) for p in sides.pairs for name, t in
                        ((FIRST, p.table), (SECOND, p.other))}.values():  # fmt: skip
        sides.notes += [f"{name}, {table.dataset}: {note}" for note in table.notes if note.startswith(LEFT_OUT)]
    sides.notes, sides.failed = list(dict.fromkeys(sides.notes)), list(dict.fromkeys(sides.failed))
    return sides


def _by_dataset(found: Iterable[Table]) -> dict[str, dict[str, Table]]:
    """The tables by dataset and budget."""
    grouped: dict[str, dict[str, Table]] = {}
    for table in found:
        grouped.setdefault(table.dataset, {})[table.budget] = table
    return grouped


def _pairs(one: Table, other: Table, trainer: str | None) -> Iterator[Pair]:
    after = {row.label: row for row in other.rows if row.kind == "trainer"}
    for row in one.rows:
        if row.kind == "trainer" and row.label in after and trainer in (None, row.label):
            yield Pair(one, other, row, after[row.label])


def _differences(one: Table, other: Table) -> list[str]:
    """In what the tables' datasets differ, and the identities of columns of the same name."""
    after = {column.name: column for column in other.columns}
    found = _differing(one.dataset, one.truth, other.truth)
    for column in one.columns:
        if column.name not in after:
            continue
        ours, theirs = (of.identity.model_dump(mode="json") for of in (column, after[column.name]))
        fields = [(name, ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]]
        found += [f"{one.dataset}, {column.name}: {name}: {a} in A, {b} in B" for name, a, b in fields]
    return found


def _made_otherwise(pair: Pair) -> list[str]:
    """In what the trainers of a pair differ, which they may."""
    return _differing(pair.trainer, pair.before.making, pair.after.making)


def _differing(name: str, one: Facts, other: Facts) -> list[str]:
    if set(one) == set(other):
        return []
    return [f"{name}: {apart(one, other) or 'less'} in {FIRST}, {apart(other, one) or 'less'} in {SECOND}"]


def _in_one_alone(
    one: Mapping[str, Mapping[str, Table]],
    other: Mapping[str, Mapping[str, Table]],
    trainer: str | None,
    dataset: str | None,
) -> list[str]:
    """The rows that one side has and the other hasn't."""

    def held(side: Mapping[str, Mapping[str, Table]]) -> set[tuple[str, str, str]]:
        return {
            (row.label, name, budget)
            for name, by_budget in side.items()
            for budget, table in by_budget.items()
            for row in table.rows
            if row.kind == "trainer" and trainer in (None, row.label) and dataset in (None, name)
        }

    return [f"{label} on {of}, {budget}" for label, of, budget in sorted(held(one) - held(other))]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
