"""Closed testing by its definition: every intersection of hypotheses that there is, one after the other."""

import itertools

import numpy as np

from genbench.stats.differences import difference_p


def corrected_slowly(tables):
    """Each pair's largest p among all intersections of equalities that hold it equal, by Simes over what is apart."""
    places = [(t, pair) for t, table in enumerate(tables) for pair in itertools.combinations(table, 2)]
    found = dict.fromkeys(places, 0.0)
    memory = {}
    for n in range(1, len(places) + 1):
        for chosen in itertools.combinations(places, n):
            if closed(chosen, places):
                p = together([together(blocks_of(tables, t, chosen, memory)) for t in sorted({t for t, _ in chosen})])
                for place in chosen:
                    found[place] = max(found[place], p)
    return [{frozenset(pair): p for (at, pair), p in found.items() if at == t} for t in range(len(tables))]


def closed(chosen, places):
    """Whether no further equality follows: if a equals b and b equals c, so do a and c."""
    equal = {(t, frozenset(pair)) for t, pair in chosen}
    for (t, one), (u, other) in itertools.combinations(chosen, 2):
        shared = set(one) & set(other)
        if t == u and len(shared) == 1 and (t, frozenset(set(one) ^ set(other))) not in equal:
            return False
    return True


def blocks_of(tables, t, chosen, memory):
    """The p values of a table's blocks of equals."""
    blocks = [{name} for name in tables[t]]
    for at, (one, other) in chosen:
        if at == t:
            first, second = (next(b for b in blocks if name in b) for name in (one, other))
            if first is not second:
                blocks = [b for b in blocks if b is not first and b is not second] + [first | second]
    ps = []
    for block in (b for b in blocks if len(b) > 1):
        key = (t, frozenset(block))
        if key not in memory:
            memory[key] = difference_p([np.array(tables[t][name]) for name in tables[t] if name in block])
        ps.append(memory[key])
    return ps


def together(ps):
    return min(len(ps) * p / (i + 1) for i, p in enumerate(sorted(ps)))
