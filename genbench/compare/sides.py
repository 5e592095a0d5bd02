"""The two sides of a comparison: which rows of their tables belong together, and whether they may be held together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from genbench.errors import GenbenchError, UnknownName
from genbench.records.store import Store
from genbench.report.frame import Facts, Thing, frame
from genbench.report.model import Column, Failure, Row, Table
from genbench.report.names import apart
from genbench.report.table import tables
from genbench.report.verdict import ORACLE
from genbench.scoring.protocols import Protocol

FIRST, SECOND = "A", "B"
MOST_SHOWN = 12
"""So many fields that differ are named; more would say nothing else."""

T = TypeVar("T")


@dataclass(frozen=True)
class Match:
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

    @property
    def place(self) -> str:
        """The second side's row with where it stands."""
        return _place(self.after.label, self.table)

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
        return next((median for median in medians if median is not None), None)


@dataclass
class Sides:
    """What is compared, what failed anew, what only the first side has, and what one should know of it.

    `unlike` are rows of the second side beside one that is compared: of the same trainer, but made otherwise.
    """

    pairs: list[Match] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
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
        before = _of(dataset, tables(frame(first, suite), protocol))
        after = _of(dataset, tables(frame(second, suite), protocol), [table.truth.label for table in before])
        pairs: list[Match] = []
        for one, other in _matched(before, after, lambda table: (table.truth, table.budget)):
            pairs += _pairs(one, other, trainer)
            differing += _differences(one, other)
        differing += _other_budgets(before, after)
        sides.pairs += pairs
        for pair in pairs:  # their trainers may differ
            sides.notes += _differing(pair.trainer, pair.before.trainer.said, pair.after.trainer.said)
        lacking = _asked(_unpaired(before, [pair.before for pair in pairs]), trainer)
        sides.lacking += lacking
        sides.notes += [f"In {FIRST} alone: {name}." for name in lacking]
        alone = list(_unpaired(after, [pair.after for pair in pairs]))
        sides.notes += [f"In {SECOND} alone: {name}." for name in _asked(alone, trainer)]
        compared = {(id(pair.other), pair.after.trainer.label) for pair in pairs}
        sides.unlike += _asked((table, row) for table, row in alone if (id(table), row.trainer.label) in compared)
    if differing:
        shown = [
            *differing[:MOST_SHOWN],
            *([f"and {len(differing) - MOST_SHOWN} more"] if differing[MOST_SHOWN:] else []),
        ]
        raise GenbenchError(
            "A and B can't be compared, since these differ:\n  " + "\n  ".join(shown) + "\nRun or score both alike."
        )
    return _finished(sides)


def holds(store: Store, suite: str, protocol: Protocol, trainer: str | None, dataset: str | None) -> bool:
    """Whether a suite has runs of what is asked for."""
    return bool(_asked(_unpaired(_of(dataset, tables(frame(store, suite), protocol)), ()), trainer))


def two_trainers(
    store: Store, suites: Mapping[str, Protocol], trainer: str, against: str, dataset: str | None = None
) -> Sides:
    """Pairs the row `against` with the row `trainer` of the same tables; raises UnknownName for a row there isn't."""
    sides = Sides()
    known: set[str] = set()
    for suite, protocol in suites.items():
        for table in tables(frame(store, suite), protocol):
            rows = {row.label: row for row in table.trainers}
            known |= rows.keys()
            if against not in rows or not _of(dataset, [table]):
                continue
            if trainer in rows:
                sides.pairs.append(Match(table, table, rows[against], rows[trainer]))
            else:
                sides.lacking.append(_place(trainer, table))
                sides.notes.append(f"There is no {sides.lacking[-1]}.")
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
    failed: dict[object, Failure] = {}
    for pair in sides.pairs:
        if missing := _missing(pair):
            what = f"{missing} of {len(pair.before.ended)} seeds of {pair.place}"
            sides.lacking.append(what)
            sides.notes.append(f"{SECOND} lacks {what}.")
        for seed, reason in pair.after.ended.items():
            if reason is not None and seed in pair.before.ended and pair.before.ended[seed] is None:
                # Averaged weights fail with those that they are averages of, whose row stands before theirs.
                failed.setdefault(
                    (id(pair.other), pair.after.trainer, seed),
                    Failure(pair.after.label, pair.dataset, seed, reason),
                )
    sides.failed = [*failed.values()]
    for name, table in {(name, id(t)): (name, t) for p in sides.pairs for name, t in
                        ((FIRST, p.table), (SECOND, p.other))}.values():  # fmt: skip
        sides.notes += [f"{name}, {table.dataset}: {gap}" for gap in table.gaps]
    sides.notes = list(dict.fromkeys(sides.notes))
    return sides


def _missing(pair: Match) -> int:
    """How many seeds ended on the first side and not on the second, though it was to have them.

    Those it was to have are its plan's; without a plan, all of the first side if they have any in common.
    """
    before, after = pair.before.ended.keys(), pair.after.ended.keys()
    wanted = set(pair.after.seeds) or (set(before) if before & after else set())
    return len((before & wanted) - after)


def _of(dataset: str | None, tables: Iterable[Table], labels: Sequence[str] = ()) -> list[Table]:
    """The tables of the dataset of that name or label, or of those labels; all where none is asked for."""
    return [t for t in tables if dataset in (None, t.dataset, t.truth.label) or t.truth.label in labels]


def _pairs(one: Table, other: Table, trainer: str | None) -> Iterator[Match]:
    for before, after in _matched(one.trainers, other.trainers, lambda row: (row.trainer, row.ema)):
        if before.ended and after.ended and trainer in (None, before.label, after.label):
            yield Match(one, other, before, after)


def _matched(ours: Sequence[T], theirs: Sequence[T], of: Callable[[T], tuple[Thing, object]]) -> Iterator[tuple[T, T]]:
    """What is of the same label on both sides: of several that which is made alike, else the only one of either.

    `of` says of what each is, and under which budget or with which decay.
    """

    def by_label(side: Sequence[T]) -> dict[object, list[T]]:
        sorted_: dict[object, list[T]] = {}
        for each in side:
            thing, under = of(each)
            sorted_.setdefault((thing.label, under), []).append(each)
        return sorted_

    after = by_label(theirs)
    for label, one in by_label(ours).items():
        other = after.get(label, [])
        if len(one) == len(other) == 1:
            yield one[0], other[0]
        else:
            yield from ((a, b) for a in one for b in other if of(a) == of(b))


def _other_budgets(before: Sequence[Table], after: Sequence[Table]) -> Iterator[str]:
    """The datasets of both sides that have no budget in common."""
    for name in dict.fromkeys(table.dataset for table in before):
        one, other = ({str(table.budget) for table in side if table.dataset == name} for side in (before, after))
        if other and not one & other:
            yield f"{name}: budget: {_listed(one)} in {FIRST}, {_listed(other)} in {SECOND}"


def _differences(one: Table, other: Table) -> list[str]:
    """In what the tables' datasets differ, and the identities of columns of the same name."""
    after = {column.name: column for column in other.columns}
    differing = _differing(one.dataset, one.truth.said, other.truth.said)
    for column in one.columns:
        if column.name not in after:
            continue
        ours, theirs = (of.identity.model_dump(mode="json") for of in (column, after[column.name]))
        fields = [(name, ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]]
        differing += [f"{one.dataset}, {column.name}: {name}: {a} in A, {b} in B" for name, a, b in fields]
    return differing


def _differing(name: str, one: Facts, other: Facts) -> list[str]:
    """In what two things differ that carry one name, if they do."""
    if set(one) == set(other):
        return []
    ours, theirs = apart(one, other), apart(other, one)
    return [f"{name}: {ours or f'without {theirs}'} in {FIRST}, {theirs or f'without {ours}'} in {SECOND}"]


def _unpaired(tables: Iterable[Table], paired: Iterable[Row]) -> Iterator[tuple[Table, Row]]:
    """The rows of trainers that have runs on one side and aren't on the other, each with its table."""
    held = set(map(id, paired))
    return ((table, row) for table in tables for row in table.trainers if row.ended and id(row) not in held)


def _asked(rows: Iterable[tuple[Table, Row]], trainer: str | None = None) -> list[str]:
    """Where the rows of a trainer stand, or all."""
    return sorted(_place(row.label, table) for table, row in rows if trainer in (None, row.label))


def _place(row: str, table: Table) -> str:
    return f"{row} on {table.dataset}, {table.budget}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
