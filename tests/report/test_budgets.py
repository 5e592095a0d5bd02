"""Rankings at equal amounts and times to a target, on scores and curves whose answers are known."""

import math
from pathlib import Path

import made_up
import numpy as np
import pandas as pd
import pytest

from genbench.records.record import Record
from genbench.records.store import Found, Store
from genbench.report import budgets
from genbench.report.frame import frame
from genbench.report.model import Cell, Column, Row, Table
from genbench.scoring.protocols import protocol
from genbench.spec import Budget

CONSTANT = {"schedule": "constant"}
N_ALONG = protocol("genbench1").along().n


def record(trainer, seed=0, device="cpu", status="done", **parameters):
    component = made_up.component(trainer, parameters=parameters or CONSTANT)
    trial = made_up.trial(component, seed=seed)
    provenance = {"device": device, "cores": 2}
    return Record(id=trial.id, suite="x", trial=trial, status=status, cost=made_up.COST, provenance=provenance)


def of(records, **changes):
    """A table of the records as stored trials, in a row each trainer."""
    trainers = dict.fromkeys(each.trial.trainer.label for each in records)
    trials = {
        name: tuple(Found(Path("nowhere"), each, None) for each in records if each.trial.trainer.label == name)
        for name in trainers
    }
    return table(*(Row("trainer", name, {}, trials=mine) for name, mine in trials.items()), **changes)


def row(trainer, *values, lost=0):
    cells = {"reverse_kl": Cell.of(dict(enumerate(values)), False, lost)} if values else {}
    return Row("trainer", trainer, cells, len(values), len(values) + lost, ("failed",) * lost)


def table(*rows, budget="steps=1000", column="reverse_kl", higher=False):
    identity = made_up.score(column, 1.0).identity
    return Table(
        "x", "ring8", Budget.parse(budget), protocol("genbench1"), (Column(column, "", higher, identity),), rows
    )


def curve(trainer, values, steps=(10, 100, 1000), seed=0, cost=1.0, **more):
    columns = {"steps": steps, "updates": [2 * s for s in steps], "samples": [cost * s for s in steps],
               "seconds": [cost * s / 100 for s in steps]}  # fmt: skip
    return pd.DataFrame({**columns, "reverse_kl": values, "trainer": trainer, "seed": seed, **more})


BOTH = pd.concat([curve("gan", [3.0, 2.0, 1.0]), curve("wgan", [3.0, 1.0, 0.5], cost=10.0)])
RECORDS = [record("gan"), record("wgan")]


@pytest.mark.parametrize(
    ("budget", "unit", "amount"), [("steps=1000", "steps", 1000), ("samples=5000", "samples", 5000)]
)
def test_a_unit_that_the_budget_counts_is_ranked_by_final_scores(budget, unit, amount):
    found = budgets.at_end(table(row("gan", 1.0, 3.0, 2.0), row("wgan", 0.5, 4.0, 0.25), budget=budget))
    assert (found.unit, found.amount, found.metric, found.n, found.final) == (unit, amount, "reverse_kl", 10_000, True)
    # Of six runs wgan's are first, second and last.
    assert [(s.trainer, s.median, s.rank) for s in found.standings] == [("wgan", 0.5, 3), ("gan", 2.0, 4)]


def test_failures_rank_behind_all_others_and_are_worst_in_the_median():
    found = budgets.at_end(table(row("gan", 0.1, lost=2), row("wgan", 3.0, 4.0, 5.0), row("none", lost=1)))
    assert {s.trainer: (s.median, s.rank) for s in found.standings} == {
        "gan": (None, (1 + 6 + 6) / 3), "wgan": (4.0, 3), "none": (None, 6),
    }  # fmt: skip


def test_higher_is_better_turns_ranks_round():
    found = budgets.at_end(table(row("gan", 1.0), row("wgan", 0.5), higher=True))
    assert [standing.trainer for standing in found.standings] == ["gan", "wgan"]


def test_seconds_of_several_devices_are_not_compared():
    records = [record("gan"), record("wgan", device="gpu")]
    assert budgets.at_end(of(records, budget="seconds=2")) is None
    assert budgets.at_end(of(records)) is not None
    silent = record("gan", 1, status="crashed").model_copy(update={"provenance": {"command": "x"}})
    assert budgets.at_end(of([record("gan"), silent], budget="seconds=2")) is not None


def test_table_without_its_deciding_column_is_not_ranked():
    assert budgets.at_end(table(row("gan", 1.0), column="hq")) is None


@pytest.mark.parametrize("schedule", ["linear", "cosine", None])
def test_runs_whose_rate_falls_are_not_read_half_way(schedule):
    parameters = {"schedule": schedule} if schedule else {"lr": 0.1}
    records = [record("gan"), record("wgan", **parameters)]
    assert not budgets.constant_rates(records)
    assert budgets.along(of(records), BOTH) == []


def test_at_constant_rates_curves_are_read_at_what_all_reached():
    updates, samples = budgets.along(of(RECORDS), BOTH)
    assert [(e.unit, e.amount, e.final, e.n) for e in (updates, samples)] == [
        ("updates", 2000, False, N_ALONG), ("samples", 1000, False, N_ALONG),
    ]  # fmt: skip
    assert {s.trainer: s.median for s in updates.standings} == {"gan": 1.0, "wgan": 0.5}
    # At 1 000 samples wgan has taken 100 steps.
    assert {s.trainer: s.median for s in samples.standings} == pytest.approx({"gan": 1.0, "wgan": 1.0})


def test_between_checkpoints_the_line_is_straight_over_the_logarithm():
    curves = pd.concat([curve("gan", [3.0, 2.0, 1.0]), curve("wgan", [3.0, 2.0], steps=(10, 316))])
    (updates, _) = budgets.along(of(RECORDS), curves)
    values = {standing.trainer: standing.median for standing in updates.standings}
    assert values["gan"] == pytest.approx(2 - (math.log10(316) - 2))
    assert values["wgan"] == 2


def test_failed_trials_rank_last_along_curves_too():
    curves = pd.concat([curve("gan", [3.0, 2.0, 1.0]), *(curve("wgan", [3.0, 9.0, 9.0], seed=s) for s in (0, 1))])
    records = [record("gan"), record("gan", 1, status="diverged"), record("wgan"), record("wgan", 1)]
    (updates, _) = budgets.along(of(records), curves)
    assert {s.trainer: s.rank for s in updates.standings} == {"gan": 2.5, "wgan": 2.5}


def test_nothing_measured_is_nothing_compared():
    curves = curve("gan", [np.nan] * 3)
    assert budgets.along(of([record("gan")]), curves) == []
    assert budgets.on_curves(protocol("genbench1"), curves) is None


def test_metric_is_the_deciding_one_or_else_the_next_that_curves_have():
    assert budgets.on_curves(protocol("genbench1"), BOTH) == "reverse_kl"
    assert budgets.on_curves(protocol("genbench1"), BOTH.rename(columns={"reverse_kl": "sliced_w2"})) == "sliced_w2"
    assert budgets.higher_is_better(protocol("genbench1"), "hq") is True
    assert budgets.higher_is_better(protocol("genbench1"), "reverse_kl") is False


def test_a_target_is_what_every_draw_of_the_truth_reaches_at_the_n_of_curves(tmp_path):
    """Of stacked MNIST's 1 000 modes the truth itself hits 855 with the 2 000 samples that curves score."""
    draws = tuple((made_up.score("modes", modes, n=N_ALONG),) for modes in (855.0, 849.0, 861.0))
    whole = tuple((made_up.score("modes", modes, n=N_ALONG + 1),) for modes in (10.0, 1_000.0))
    made_up.put(tmp_path, made_up.trial())
    made_up.put_controls(tmp_path, made_up.component("ring8"), {"oracle": whole}, along={"oracle": draws + whole})
    oracle = frame(Store(tmp_path), "made-up").along
    assert budgets.reachable(oracle, protocol("genbench1"), "modes") == 849
    assert budgets.reachable(oracle, protocol("genbench1"), "hq") is None
    assert budgets.reachable((), protocol("genbench1"), "modes") is None


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
    gan, wgan = budgets.time_to(of(records), curves, "modes", 8)
    assert (gan.trainer, gan.steps, gan.median) == ("gan", {0: 100, 1: 1000, 2: 10}, 100)
    assert (wgan.trainer, wgan.steps, wgan.median) == ("wgan", {0: None}, math.inf)
