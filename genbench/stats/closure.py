"""Many differences tested at once, so that one false claim among them is as rare as the level says.

The family is all pairs of methods in all tables of a suite. A pair differs where every hypothesis does that says it is
equal and perhaps more: that its table's methods fall into certain blocks of equals, and likewise in any other tables
(closed testing: Marcus, Peritz and Gabriel, 1976, Biometrika 63, 655-660). Blocks share no runs, nor do tables, so
their p values are independent and are taken together by Simes's inequality (Simes, 1986, Biometrika 73, 751-754).
Nothing has to be paid for the number of pairs where all differ.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np

from genbench.stats import LEVEL, Floats, Values
from genbench.stats.differences import difference_p, least_p

MOST_TOGETHER = 8
"""Of more methods in a table, all pairs are corrected for each other instead (Holm, 1979): blocks become too many.

Then every pair pays for all, so nothing is tested where the least p can't.
"""

MOST_SEEDS = 1_000

Pair = frozenset[str]
Block = tuple[int, ...]


def corrected(tables: Sequence[Mapping[str, Values]]) -> list[dict[Pair, float]]:
    """Each table's p of each pair of its methods, corrected for all pairs of all tables.

    `tables` have methods' runs by label. A method whose runs are too few to be told from anybody's, whatever they
    are, takes no part and costs the others nothing.
    """
    arrays = [{name: np.asarray(runs, float) for name, runs in _testable(table).items()} for table in tables]
    adjusted = [_within(list(table.values())) for table in arrays]
    worst = [max(ps.values(), default=0.0) for ps, _ in adjusted]
    result = []
    for place, (table, (_, pairs)) in enumerate(zip(arrays, adjusted, strict=True)):
        others = sorted((p for i, p in enumerate(worst) if i != place and adjusted[i][0]), reverse=True)
        names = list(table)
        result.append({
            frozenset((names[i], names[j])): max(simes([p, *others[:n]]) for n in range(len(others) + 1))
            for (i, j), p in pairs.items()
        })  # fmt: skip
    return result


def simes(ps: Sequence[float]) -> float:
    """The p of all of several hypotheses together, from their independent ones: min over i of n·p₍ᵢ₎/i."""
    return min(p * (len(ps) / (i + 1)) for i, p in enumerate(sorted(ps)))


def holm(ps: Sequence[float]) -> list[float]:
    """p values, each corrected for the others (Holm, 1979): significant at a level if the corrected one is below it."""
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    adjusted, least = [0.0] * len(ps), 0.0
    for place, i in enumerate(order):
        least = max(least, min(1.0, (len(ps) - place) * ps[i]))
        adjusted[i] = least
    return adjusted


def lone_p(ours: int, theirs: int, methods: int, tables: int) -> float:
    """The least corrected p of a pair with so many runs each where nothing else in the family differs."""
    pairs = methods * (methods - 1) // 2 if methods > MOST_TOGETHER else methods // 2
    return min(1.0, tables * pairs * least_p(ours, theirs))


def seeds_needed(methods: int, tables: int) -> int:
    """How many runs of each method it takes at the least to tell a pair apart where nothing else differs."""
    return next(n for n in range(2, MOST_SEEDS) if lone_p(n, n, methods, tables) <= LEVEL)


def _testable(table: Mapping[str, Values]) -> dict[str, Values]:
    blocks = {
        name: runs
        for name, runs in table.items()
        if any(least_p(len(runs), len(other)) <= LEVEL for label, other in table.items() if label != name)
    }
    if len(blocks) > MOST_TOGETHER:
        pairs = itertools.combinations(map(len, blocks.values()), 2)
        if min(lone_p(ours, theirs, len(blocks), 1) for ours, theirs in pairs) > LEVEL:
            return {}
    return blocks


def _within(methods: Sequence[Floats]) -> tuple[dict[object, float], dict[tuple[int, int], float]]:
    """The p of every way in which methods may fall into blocks of equals, and each pair's worst among its ways."""
    pairs = dict.fromkeys(itertools.combinations(range(len(methods)), 2), 0.0)
    if len(methods) > MOST_TOGETHER:
        plain = [difference_p([methods[i], methods[j]]) for i, j in pairs]
        return dict(zip(pairs, plain, strict=True)), dict(zip(pairs, holm(plain), strict=True))
    of_blocks: dict[Block, float] = {}
    ways: dict[object, float] = {}
    for way in _ways(len(methods)):
        for block in way:
            if block not in of_blocks:
                of_blocks[block] = difference_p([methods[i] for i in block])
        ways[way] = simes([of_blocks[block] for block in way])
        for pair in itertools.chain.from_iterable(itertools.combinations(block, 2) for block in way):
            pairs[pair] = max(pairs[pair], ways[way])
    return ways, pairs


@cache
def _ways(methods: int) -> tuple[tuple[Block, ...], ...]:
    """Every way in which some of so many methods are equal: the blocks of two or more, in each."""
    ways = (tuple(block for block in way if len(block) > 1) for way in _partitions(tuple(range(methods))))
    return tuple(way for way in ways if way)


def _partitions(items: Block) -> Iterator[tuple[Block, ...]]:
    if not items:
        yield ()
        return
    first, *rest = items
    for way in _partitions(tuple(rest)):
        yield ((first,), *way)
        for i, block in enumerate(way):
            yield (*way[:i], (first, *block), *way[i + 1 :])
