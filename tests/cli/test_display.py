"""What a run says while it runs."""

import made_up
import pytest

from genbench.cli.display import describe, rate
from genbench.executors.task import Progress
from genbench.records.record import Record


@pytest.mark.parametrize(("trials", "left"), [(1, "3.0 s"), (5, "15 s")])
def test_rate_is_of_a_trials_own_seconds_and_what_is_left_is_all_trials(trials, left):
    word = Progress("gan", share=0.25, steps=200, seconds=1.0, trials=trials)
    assert rate(word) == f"200 steps/s, {left} left"


def test_task_that_has_not_trained_yet_shows_its_note():
    assert rate(Progress("controls on ring8", 0.5, note="oracle")) == "oracle"


def test_record_is_told_with_the_seconds_of_its_cost():
    trial = made_up.trial("gan", seed=3)
    record = Record(id=trial.id, suite="made-up", trial=trial, status="done", cost=made_up.COST)
    assert describe(record) == "gan on ring8, seed 3, steps=40: done, 40 steps in 1.5 s"
