"""Trainers across datasets, on scores whose summaries are known."""

from dataclasses import replace

import made_up
import numpy as np
import pytest
from scipy import stats as scipy_stats

from genbench.report.figures.curves import profiles
from genbench.report.model import Cell, Column, Row, Table
from genbench.report.overall import THRESHOLDS, normalised, overall
from genbench.scoring.protocols import protocol
from genbench.spec import Budget


def cell(*values, lost=0):
    return Cell.of(dict(enumerate(values)), False, lost)


def table(dataset, trainers, noise=4.0, oracle=0.0, failures=()):
    """A table of reverse KL, in which noise scores 4 and the truth 0."""
    score = made_up.score("reverse_kl", 1.0)
    rows = [row(name, values, failures if name == "bad" else ()) for name, values in trainers.items()]
    rows += [
        Row("control", label, {"reverse_kl": cell(end)}, 1, 1) for label, end in (("oracle", oracle), ("noise", noise))
    ]
    columns = (Column("reverse_kl", score.unit, score.higher_is_better, score.identity),)
    return Table("x", dataset, Budget.parse("steps=40"), protocol("genbench1"), columns, tuple(rows))


def row(name, values, failures):
    cells = {"reverse_kl": cell(*values, lost=len(failures))} if values else {}
    return Row("trainer", name, cells, len(values), len(values) + len(failures), failures)


RING = table("ring8", {"good": (0.0, 1.0, 1.0, 2.0), "bad": (2.0, 3.0, 3.0, 4.0)})
GRID = table("grid25", {"good": (0.0, 1.0, 1.0, 2.0), "bad": (1.0, 3.0, 3.0, 4.0)})


def test_scores_are_zero_for_noise_and_one_for_the_truth():
    assert normalised(RING) == {"good": [1, 0.75, 0.75, 0.5], "bad": [0.5, 0.25, 0.25, 0]}
    wider = table("ring8", {"good": (1.0,)}, noise=9.0, oracle=1.0)
    assert normalised(wider) == {"good": [1]}


def test_without_noise_or_oracle_nothing_is_scaled():
    assert normalised(replace(RING, rows=tuple(row for row in RING.rows if row.label != "noise"))) == {}
    assert normalised(table("ring8", {"good": (1.0,)}, noise=1.0, oracle=1.0)) == {}


def test_means_ranks_and_odds_are_those_of_all_trials():
    good, bad = overall([RING, GRID])
    assert (good.trainer, bad.trainer) == ("good", "bad")
    scores = [1, 0.75, 0.75, 0.5] * 2
    assert good.mean.value == pytest.approx(scipy_stats.trim_mean(scores, 0.25))
    assert good.mean.low <= good.mean.value <= good.mean.high
    wins = [scipy_stats.mannwhitneyu(a, b).statistic / 16 for a, b in (
        ([1, 0.75, 0.75, 0.5], [0.5, 0.25, 0.25, 0]), ([1, 0.75, 0.75, 0.5], [0.75, 0.25, 0.25, 0]))]  # fmt: skip
    assert good.beats["bad"].value == pytest.approx(np.mean(wins))
    assert good.beats["bad"].value + bad.beats["good"].value == pytest.approx(1)
    assert good.rank + bad.rank == pytest.approx(9)
    assert good.rank < bad.rank


def test_failures_rank_last_score_what_noise_does_and_lose_to_all_others():
    failed = [table(name, {"good": (0.0, 1.0), "bad": (0.0, 0.0)}, failures=("a", "b")) for name in ("ring8", "grid25")]
    (of_bad,) = [each for each in overall(failed) if each.trainer == "bad"]
    assert of_bad.profile[0] == 0.5
    assert of_bad.mean.value == scipy_stats.trim_mean([1, 1, 0, 0] * 2, 0.25) == 0.5
    assert of_bad.rank == pytest.approx((2 + 2 + 5.5 + 5.5) / 4)
    # Of its four runs two lose to both of the others', and two draw with one and beat the other.
    assert of_bad.beats["good"].value == pytest.approx((0.5 + 1 + 0.5 + 1) / 8)


def test_losing_ones_worst_runs_gains_nothing():
    whole, dead = (
        [table(name, {"good": (1.0, 1.0, 1.0, 1.0), "bad": of}, failures=failures) for name in ("ring8", "grid25")]
        for of, failures in (((0.5, 0.5, 3.0, 3.0), ()), ((0.5, 0.5), ("a", "b")))
    )
    means = [next(each for each in overall(of) if each.trainer == "bad").mean.value for of in (whole, dead)]
    # Worse than noise would have been as bad: 3 of 4 scores a quarter.
    assert means == [scipy_stats.trim_mean([0.875, 0.875, 0.25, 0.25] * 2, 0.25), 0.4375]
    assert means[0] == 0.5625


def test_what_is_worse_than_noise_counts_as_noise():
    assert normalised(table("ring8", {"good": (9.0,)})) == {"good": [0]}


def test_a_run_as_bad_as_noise_still_beats_one_that_failed():
    found = overall([table(name, {"good": (9.0, 4.0), "bad": (4.0,)}, failures=("a",)) for name in ("ring8", "grid25")])
    good, bad = sorted(found, key=lambda each: each.trainer, reverse=True)
    assert (good.mean.value, bad.mean.value) == (0, 0)
    # Each of its two runs draws with the one that finished and beats the other.
    assert (good.beats["bad"].value, bad.beats["good"].value) == (0.75, 0.25)
    assert (good.rank, bad.rank) == (2, 3)


def test_trainer_whose_runs_all_failed_is_there_with_nothing():
    found = overall([table(name, {"good": (1.0, 2.0), "bad": ()}, failures=("a", "b")) for name in ("ring8", "grid25")])
    good, bad = found
    assert (bad.trainer, bad.mean.value, bad.rank, bad.beats["good"].value, set(bad.profile)) == ("bad", 0, 3.5, 0, {0})
    assert (good.mean.value, good.rank, good.beats["bad"].value) == (0.625, 1.5, 1)


def test_profile_is_the_share_of_trials_at_each_threshold():
    good, _ = overall([RING, GRID])
    assert good.profile[0] == 1
    assert good.profile[THRESHOLDS.index(0.75)] == 0.75
    assert good.profile[-1] == 0.25
    assert profiles([good], {"good": "C0"}).axes[0].get_legend_handles_labels()[1] == ["good"]


def test_one_dataset_alone_is_nothing_to_summarise():
    assert overall([RING]) == []


def test_trainer_that_never_ran_on_a_dataset_is_left_out():
    found = overall([RING, table("grid25", {"good": (1.0, 2.0), "bad": (0.5, 0.6), "new": (1.0, 1.0)})])
    assert {each.trainer for each in found} == {"good", "bad"}
