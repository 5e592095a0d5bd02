"""Shards: all parts together are the suite, once, and each is the same whatever is done already."""

import made_up
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genbench.errors import GenbenchError
from genbench.trials.shards import Shard


def trials(trainers, seeds):
    return [made_up.trial(name, seed=seed) for seed in range(seeds) for name in trainers]


@given(st.integers(1, 12), st.integers(1, 7), st.integers(1, 12), st.integers(1, 6))
def test_all_parts_together_are_all_trials_once(parts, trainers, seeds, stack):
    whole = trials([f"t{i}" for i in range(trainers)], seeds)
    shared = [trial.id for i in range(parts) for trial in Shard(i + 1, parts).of(whole, stack)]
    assert sorted(shared) == sorted(trial.id for trial in whole)


def test_seeds_that_are_trained_together_stay_together_and_trainers_are_spread():
    one, other = (Shard(i, 2).of(trials(["cheap", "dear"], 10), 5) for i in (1, 2))
    for part in (one, other):
        assert sorted({trial.trainer.label for trial in part}) == ["cheap", "dear"]
        assert len(part) == 10
    assert [trial.seed for trial in one if trial.trainer.label == "dear"] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1/0", "1", "1/2/3", "-1/2", "a/b", "1.5/2"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(GenbenchError, match=r"is not a shard\. Write --shard 1/8"):
        Shard.parse(text)
