"""Timings are ratios within one run, of updates on the engines that there are."""

from pathlib import Path

import made_up
import pytest

from genbench.contract import timing
from genbench.contract.timing import in_turns, time_trainer
from genbench.plugins import load_plugin

CHEATS = Path(__file__).parent.parent / "helpers" / "cheats.py"


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(timing, "ROUNDS", 3)
    monkeypatch.setattr(timing, "ROUND_SECONDS", 0.005)


def test_all_have_their_turn_in_every_round(quick):
    calls = []
    taken = in_turns([lambda: calls.append("a"), lambda: calls.append("b")], "cpu")
    assert [len(seconds) for seconds in taken] == [3, 3]
    assert min(map(min, taken)) > 0
    turns = "".join(calls)
    assert turns.replace("aa", "a").count("b") > 0
    assert len([i for i in range(1, len(turns)) if turns[i] != turns[i - 1]]) == 2 * (3 + timing.WARM_UP_ROUNDS) - 1


def test_trainer_is_timed_beside_the_baselines(quick):
    rows = {row.trainer: row for row in time_trainer("gan[batch=16,width=8]", engines=("plain",))}
    assert list(rows) == ["gan[batch=16,width=8]", "gan", "wgan", "wgan-gp"]
    assert all(row.updates_per_second > 0 and row.ratios["gan"] > 0 for row in rows.values())
    assert rows["gan"].ratios["gan"] == 1


def test_baseline_is_timed_once(quick):
    assert [row.trainer for row in time_trainer("wgan", engines=("plain",))] == ["wgan", "gan", "wgan-gp"]


def test_trainer_that_cannot_take_an_engine_says_why(quick, monkeypatch):
    monkeypatch.setattr(timing, "BASELINES", ())
    with made_up.forgetful_registries():
        load_plugin(str(CHEATS))
        (row,) = time_trainer("shift", engines=("compiled",))
    assert row.updates_per_second is None
    assert row.reason == "the trainer is no list of phases"
