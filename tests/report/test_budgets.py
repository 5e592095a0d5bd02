"""Rankings at equal amounts and times to a target, on curves whose answers are known."""

import math

import made_up
import numpy as np
import pandas as pd
import pytest

from genbench.protocols.points import GENBENCH1
from genbench.record import Record
from genbench.report import budgets


def record(trainer, seed=0, device="cpu", status="done"):
    trial = made_up.trial(trainer, seed=seed)
    provenance = {"device": device, "cores": 2}
    return Record(id=trial.id, suite="x", trial=trial, status=status, cost=made_up.COST, provenance=provenance)


def curve(trainer, values, steps=(10, 100, 1000), seed=0, cost=1.0, **more):
    columns = {"steps": steps, "updates": [2 * s for s in steps], "samples": [cost * s for s in steps],
               "seconds": [cost * s / 100 for s in steps]}  # fmt: skip
    return pd.DataFrame({**columns, "reverse_kl": values, "trainer": trainer, "seed": seed, **more})


BOTH = pd.concat([curve("gan", [3.0, 2.0, 1.0]), curve("wgan", [3.0, 1.0, 0.5], cost=10.0)])


@pytest.mark.parametrize(
    ("unit", "amount", "gan", "wgan", "best"),
    [("steps", 1000, 1.0, 0.5, "wgan"), ("samples", 1000, 1.0, 1.0, None), ("seconds", 10, 1.0, 1.0, None)],
)
def test_amount_is_what_all_reached_and_values_are_read_off_there(unit, amount, gan, wgan, best):
    found = budgets.at_equal(BOTH, [record("gan"), record("wgan")], "reverse_kl", False, unit)
    means = {standing.trainer: standing.mean for standing in found.standings}
    assert found.amount == amount
    assert means == pytest.approx({"gan": gan, "wgan": wgan})
    assert {s.trainer: s.rank for s in found.standings} == (
        {"gan": 2, "wgan": 1} if best else {"gan": 1.5, "wgan": 1.5}
    )


def test_between_checkpoints_the_line_is_straight_over_the_logarithm():
    curves = pd.concat([curve("gan", [3.0, 2.0, 1.0]), curve("wgan", [3.0, 2.0], steps=(10, 316))])
    found = budgets.at_equal(curves, [record("gan"), record("wgan")], "reverse_kl", False, "steps")
    assert found.amount == 316
    values = {standing.trainer: standing.mean for standing in found.standings}
    assert values["gan"] == pytest.approx(2 - (math.log10(316) - 2))
    assert values["wgan"] == 2


def test_failure_ranks_behind_all_others_of_its_seed():
    curves = pd.concat(
        [curve("gan", [3.0, 2.0, 1.0]), curve("wgan", [3.0, 9.0, 9.0]), curve("wgan", [3.0, 9.0, 9.0], seed=1)]
    )
    records = [record("gan"), record("gan", 1, status="diverged"), record("wgan"), record("wgan", 1)]
    found = budgets.at_equal(curves, records, "reverse_kl", False, "steps")
    assert {s.trainer: s.rank for s in found.standings} == {"gan": 1.5, "wgan": 1.5}
    (gan,) = [s for s in found.standings if s.trainer == "gan"]
    assert gan.values == {0: 1.0, 1: None}
    assert gan.mean == 1


def test_higher_is_better_turns_ranks_round():
    found = budgets.at_equal(BOTH, [record("gan"), record("wgan")], "reverse_kl", True, "steps")
    assert [s.trainer for s in found.standings] == ["gan", "wgan"]


def test_seconds_of_several_devices_are_not_compared():
    records = [record("gan"), record("wgan", device="gpu")]
    assert budgets.at_equal(BOTH, records, "reverse_kl", False, "seconds") is None
    assert budgets.at_equal(BOTH, records, "reverse_kl", False, "steps") is not None


def test_nothing_measured_is_nothing_compared():
    curves = curve("gan", [np.nan] * 3)
    assert budgets.at_equal(curves, [record("gan")], "reverse_kl", False, "steps") is None
    assert budgets.deciding(GENBENCH1, curves) is None


def test_metric_is_the_deciding_one_or_else_the_next_that_curves_have():
    assert budgets.deciding(GENBENCH1, BOTH) == "reverse_kl"
    assert budgets.deciding(GENBENCH1, BOTH.rename(columns={"reverse_kl": "sliced_w2"})) == "sliced_w2"
    assert budgets.higher_is_better(GENBENCH1, "hq") is True
    assert budgets.higher_is_better(GENBENCH1, "reverse_kl") is False


def test_time_to_a_target_is_the_first_checkpoint_there_and_never_is_worst():
    curves = pd.concat(
        [
            curve("gan", [3.0] * 3, modes=[1.0, 8.0, 7.0]),
            curve("gan", [3.0] * 3, seed=1, modes=[1.0, 5.0, 8.0]),
            curve("gan", [3.0] * 3, seed=2, modes=[8.0, 8.0, 8.0]),
            curve("wgan", [3.0] * 3, modes=[1.0, 2.0, 3.0]),
        ]
    )
    records = [record("wgan"), *(record("gan", seed) for seed in range(3))]
    gan, wgan = budgets.time_to(curves, records, "modes", 8)
    assert (gan.trainer, gan.steps, gan.median) == ("gan", {0: 100, 1: 1000, 2: 10}, 100)
    assert (wgan.trainer, wgan.steps, wgan.median) == ("wgan", {0: None}, math.inf)
