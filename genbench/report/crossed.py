"""Which change moves the number: what a table says where its trainers are one method in all combinations of changes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from genbench.report.model import Column, Row, Table
from genbench.spec import Component
from genbench.stats.intervals import Interval
from genbench.stats.means import contrast, contrast_by_seed


@dataclass(frozen=True)
class FactorEffect:
    """What a column gains where a factor goes from one level to another, the mean over the others' levels.

    `changes` are the factor's parameters with both levels' values; `gains` is by column, without those in which a run
    is missing.
    """

    changes: Mapping[str, tuple[object, object]]
    gains: Mapping[str, Interval]

    def __str__(self) -> str:
        return ", ".join(f"{name} {before} → {after}" for name, (before, after) in self.changes.items())


Level = tuple[object, ...]
Factor = tuple[str, ...]
"""The names of parameters that change together."""


def effects(table: Table) -> tuple[FactorEffect, ...]:
    """The effects in a table of which every combination of two factors or more was trained; none in any other.

    Parameters that don't appear in all combinations are one factor, as networks and their widths are.
    """
    rows = {row.label: row for row in table.trainers if row.ema is None}
    made = [row.trainer.component for row in rows.values()]
    components = [component for component in made if component is not None]
    if len(components) < len(made) or len({component.name for component in components}) != 1:
        return ()
    factors = crossed(components)
    if len(factors) < 2:
        return ()
    return tuple(effect for factor in factors for effect in _of(factor, factors, list(rows.values()), table))


def crossed(components: Sequence[Component]) -> tuple[Factor, ...]:
    """The factors whose combinations the components are, one of each; empty where they are no such grid."""
    first = components[0].parameters
    varying = [name for name in first if len({str(each.parameters.get(name)) for each in components}) > 1]
    factors: list[Factor] = [(name,) for name in varying]
    while joint := next(
        (pair for pair in itertools.combinations(factors, 2) if not _all_combinations(components, pair)), None
    ):
        factors = [factor for factor in factors if factor not in joint]
        factors.append(tuple(name for name in varying if name in (*joint[0], *joint[1])))
    factors.sort(key=lambda factor: varying.index(factor[0]))
    return tuple(factors) if _all_combinations(components, factors) else ()


def _all_combinations(components: Iterable[Component], factors: Sequence[Factor]) -> bool:
    """Whether each level of each of the factors stands beside each of the others'."""
    places = [tuple(_level(component, factor) for factor in factors) for component in components]
    levels = [len({place[i] for place in places}) for i in range(len(factors))]
    return len(set(places)) == math.prod(levels)


def _level(component: Component, factor: Factor) -> Level:
    return tuple(component.parameters.get(name) for name in factor)


def _of(factor: Factor, factors: Sequence[Factor], rows: Sequence[Row], table: Table) -> Iterator[FactorEffect]:
    """The effects of one factor: from each of its levels to each later one."""
    at: dict[Level, list[Row]] = {}
    for row in rows:
        assert row.trainer.component is not None
        at.setdefault(_level(row.trainer.component, factor), []).append(row)
    for before, after in itertools.combinations(at, 2):
        changes = {name: (old, new) for name, old, new in zip(factor, before, after, strict=True) if old != new}
        gains = {
            column.name: gain for column in table.columns if (gain := _gain(column, at[before], at[after])) is not None
        }
        if gains:
            yield FactorEffect(changes, gains)


def _gain(column: Column, before: Sequence[Row], after: Sequence[Row]) -> Interval | None:
    plus, minus = ([row.cell(column.name) for row in side] for side in (after, before))
    if any(cell.lost or not cell.values for cell in (*plus, *minus)):
        return None
    seeds = sorted(plus[0].seeds)
    if all(sorted(cell.seeds) == seeds for cell in (*plus, *minus)):
        of_plus, of_minus = ([[cell.by_seed[seed] for seed in seeds] for cell in side] for side in (plus, minus))
        return contrast_by_seed(of_plus, of_minus, column.step)
    return contrast([cell.values for cell in plus], [cell.values for cell in minus], column.step)
