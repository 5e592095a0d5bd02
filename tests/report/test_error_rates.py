"""The level of a whole suite's verdict, and that losing one's worst runs makes nobody better."""

import numpy as np
import pytest
from report_error_rates import EQUAL, FAILING, claims, false_claims, power, row, table

from genbench.report.verdict import judged


@pytest.mark.parametrize("kind", ["normal", "spreads 1 : 1 : 1000", "narrow, narrow, skewed"])
def test_a_verdict_on_equal_trainers_seldom_claims_anything(kind):
    # At 5 %, more than 22 of 200 have a probability below one in two thousand.
    assert 200 * false_claims(kind, 0.0, 200) <= 22


@pytest.mark.slow
@pytest.mark.parametrize("failing", FAILING)
@pytest.mark.parametrize("kind", EQUAL)
def test_false_claims_of_a_whole_verdict_stay_within_the_level(kind, failing):
    # The share's own standard error is 0.0049.
    assert false_claims(kind, failing, 2_000) <= 0.061


@pytest.mark.slow
@pytest.mark.parametrize(("shift", "datasets", "least"), [(3.0, 1, 0.7), (3.0, 3, 0.7), (5.0, 1, 0.99)])
def test_what_is_there_is_found(shift, datasets, least):
    assert power(shift, datasets, 0.0, 300) >= least


@pytest.mark.parametrize(("seeds", "dead"), [(8, 0.2), (20, 0.4)])
def test_a_trainer_that_loses_its_worst_runs_is_not_the_better_for_it(seeds, dead):
    """By means of survivors it was called better in 7 to 51 % of such experiments."""
    rng, better = np.random.default_rng(seeds), 0
    for _ in range(200):
        whole, mortal = np.sort(rng.lognormal(size=(2, seeds)))
        alive = mortal[: seeds - round(dead * seeds)]
        rows = [row("whole", whole, 0), row("mortal", alive, seeds - len(alive))]
        better += any(winner == "mortal" for _, winner, _ in claims(judged([table(rows, positive=True)])))
    assert better <= 10
