"""How often a suite's verdict claims a difference where there is none, and how often it finds one where there is.

    python tests/report_error_rates.py [SUITES]

prints a line a kind of score: the share of so many simulated suites of toy2d's size (three datasets, three trainers,
five seeds each) in which any sentence claims that a trainer is better than another, though all are equally likely to
beat each other, with 0, 20 and 40 % of the runs failing; the same of a kind that five runs can't guard against; then
how often a trainer that is really better is found.
"""

import math
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context

import made_up
import numpy as np

from genbench.report.model import Cell, Column, Row, Table
from genbench.report.verdict import judged
from genbench.scoring.protocols import protocol
from genbench.spec import Budget

BUDGET = Budget.parse("steps=1")
DATASETS, TRAINERS, SEEDS = 3, 3, 5
FAILING = (0.0, 0.2, 0.4)
SCORE = made_up.score("reverse_kl", 1.0)
COLUMNS = {
    bounds: Column("reverse_kl", SCORE.unit, False, SCORE.identity, bounds) for bounds in ((None, None), (0, None))
}

EQUAL = {
    "normal": lambda rng, trainer: rng.normal(0, 1, SEEDS),
    "skewed": lambda rng, trainer: rng.lognormal(0, 1, SEEDS),
    "discrete": lambda rng, trainer: 8.0 - rng.binomial(8, 0.9, SEEDS),
    "spreads 1 : 1 : 3": lambda rng, trainer: rng.normal(0, (1, 1, 3)[trainer], SEEDS),
    "spreads 1 : 3 : 10": lambda rng, trainer: rng.normal(0, (1, 3, 10)[trainer], SEEDS),
    "spreads 1 : 1 : 1000": lambda rng, trainer: rng.normal(0, (1, 1, 1000)[trainer], SEEDS),
    "narrow, narrow, skewed": lambda rng, trainer: (
        rng.normal(1, 0.05, SEEDS) if trainer < 2 else rng.lognormal(0, 1, SEEDS)
    ),
    "skewed, 1 : 1 : 10 in the logarithm": lambda rng, trainer: rng.lognormal(0, (0.1, 0.1, 1)[trainer], SEEDS),
    "heavy tails (Cauchy)": lambda rng, trainer: rng.standard_cauchy(SEEDS),
    "good, or collapsed in one of five": lambda rng, trainer: np.where(
        rng.random(SEEDS) < 0.2, rng.normal(10, 1, SEEDS), rng.normal(1, 0.05, SEEDS)
    ),
    "normal, of 3, 20 and 20 seeds": lambda rng, trainer: rng.normal(0, 1, (3, 20, 20)[trainer]),
    "normal, one's worst fifth fails": lambda rng, trainer: failing_above(0.84 if trainer else math.inf, rng),
}
"""A trainer's scores by kind, less being better; any two of a kind are equally likely to beat each other."""

COIN = "one of two ways by a coin, others between"
BEYOND = {
    COIN: lambda rng, trainer: rng.normal(1, 0.05, SEEDS) if trainer else rng.choice([0.5, 10], SEEDS) * (
        1 + rng.normal(0, 0.02, SEEDS)
    ),
}  # fmt: skip
"""Of even odds as well. But five runs of the first lie all on one side of the others in one of 16 experiments, and
within a side nothing shows how far it varies."""

POSITIVE = ("skewed", "narrow, narrow, skewed", "skewed, 1 : 1 : 10 in the logarithm", COIN)
"""Kinds that are judged as a metric above zero without a bound, reverse KL say; the others as one without bounds."""


def failing_above(limit, rng):
    """Normal scores of which those above a limit are failures."""
    scores = rng.normal(0, 1, SEEDS)
    return np.where(scores > limit, math.inf, scores)


def row(trainer, scores, lost):
    """A trainer's row of scores, of which so many more were lost."""
    cells = {"reverse_kl": Cell.of(dict(enumerate(scores)), False, lost)} if len(scores) else {}
    return Row("trainer", trainer, cells, len(scores), len(scores) + lost, ("failed",) * lost)


def table(rows, positive, dataset="d"):
    """A table of one column, of a metric above zero or of one without bounds."""
    column = COLUMNS[(0, None) if positive else (None, None)]
    return Table("x", dataset, BUDGET, protocol("genbench1"), (column,), tuple(rows))


def suite(rng, draw, failing, positive, shifts=None):
    """The judged tables of a suite whose runs fail with a probability, by which no trainer differs."""
    tables = []
    for place in range(DATASETS):
        rows = []
        for trainer in range(TRAINERS):
            scores = draw(rng, trainer) + (shifts[place][trainer] if shifts else 0.0)
            alive = scores[np.isfinite(scores) & (rng.random(len(scores)) >= failing)].tolist()
            rows.append(row(f"t{trainer}", alive, len(scores) - len(alive)))
        tables.append(table(rows, positive, f"d{place}"))
    return judged(tables)


def claims(tables):
    """The pairs that are told apart, `(dataset, better, worse)`."""
    return {
        (place, *((f.one, f.other) if f.odds > 0.5 else (f.other, f.one)))
        for place, table in enumerate(tables)
        for f in table.findings["reverse_kl"].values()
        if f.differ
    }


def false_claims(kind, failing, suites):
    """The share of suites of equal trainers in which anything is claimed."""
    rng = np.random.default_rng(1)
    draw = {**EQUAL, **BEYOND}[kind]
    return np.mean([bool(claims(suite(rng, draw, failing, kind in POSITIVE))) for _ in range(suites)])


def power(shift, datasets, failing, suites):
    """The share of pairs found, where the first trainer is so many deviations better on some datasets, normally."""
    rng, found = np.random.default_rng(2), 0
    shifts = [[-shift if place < datasets else 0.0, 0.0, 0.0] for place in range(DATASETS)]
    for _ in range(suites):
        found += sum(
            better == "t0" and place < datasets
            for place, better, _ in claims(suite(rng, EQUAL["normal"], failing, False, shifts))
        )
    return found / suites / datasets / 2


def main(suites):
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        rates = {case: pool.submit(false_claims, *case, suites) for case in product([*EQUAL, *BEYOND], FAILING)}
        cases = list(product((2.0, 3.0, 5.0), (1, 3), FAILING))
        powers = {case: pool.submit(power, *case, max(100, suites // 10)) for case in cases}
        print(f"False claims in {suites} suites, with 0, 20 and 40 % failures")
        for kind in [*EQUAL, *BEYOND]:
            print(f"{kind:38}", *(f"{rates[kind, failing].result():6.3f}" for failing in FAILING), flush=True)
        print("Pairs found: a trainer so many deviations better than two, on one dataset and on three")
        for shift in (2.0, 3.0, 5.0):
            found = [f"{powers[shift, datasets, f].result():6.3f}" for datasets in (1, 3) for f in FAILING]
            print(f"{shift:<38g}", *found, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
