"""`genbench status`: what is done, what failed, and what runs are at."""

import json
import re
import shutil
import time

import made_up
import pytest

from genbench.records import beats, process
from genbench.records.beats import Beat, Running
from genbench.records.store import Store


@pytest.fixture
def results(tmp_path):
    root = tmp_path / "results"
    Store(root).write_plan(made_up.suite(trainers=("gan", "wgan"), seeds=(0, 1, 2)))
    for seed in range(2):
        made_up.put(root, made_up.trial("gan", seed=seed), made_up.scores({"modes": 8.0}))
    made_up.put(root, made_up.trial("wgan", seed=0), status="crashed", reason="no \x1b[31mluck")
    return root


def beat(**changes):
    plain = {
        "run": process.here(),
        "suite": "made-up",
        "command": "genbench run --suite made-up",
        "started": time.time() - 60,
        "written": time.time() - 2,
        "total": 6,
        "finished": 3,
        "left": "about 5 min left",
        "running": (Running(name="wgan on ring8, seed 1", share=0.25, steps=10, rate="3 steps/s"),),
    }
    return Beat(**{**plain, **changes})


def test_what_ended_is_counted_and_failures_are_told(results, genbench):
    ran = genbench("status", results)
    assert ran.code == 0
    assert "made-up: 2 done, 1 crashed, 3 left" in ran.out
    assert re.search(r"made-up/ring8/wgan/seed-0-\w+: crashed, no .*luck", ran.out)
    assert "\x1b" not in ran.out


def test_a_packed_suite_is_counted_like_its_folder(results, genbench):
    assert genbench("pack", results, "--suite", "made-up").code == 0
    shutil.rmtree(results / "made-up")
    assert "made-up: 2 done, 1 crashed, 3 left" in genbench("status", results).out


@pytest.mark.parametrize("field", ["started", "written", "total", "finished"])
def test_what_no_run_has_said_is_not_told(field, results, genbench):
    said = beat().model_dump_json().replace(f'"{field}":', f'"{field}":-1e999,"_":', 1)
    beats.path_of(results, process.here()).write_text(said)
    ran = genbench("status", results)
    assert (ran.code, "of its" in ran.out) == (0, False)


def test_what_a_run_is_at_is_told(results, genbench):
    beats.write(results, beat())
    said = genbench("status", results).out
    for words in ("3 of its 6 trials, about 5 min left", "genbench run --suite made-up", "seed 1: 25%, 3 steps/s"):
        assert words in said


def test_a_run_that_is_gone_is_said_to_be(results, genbench):
    beats.write(results, beat(run=process.here().rpartition("-")[0] + "-1"))
    said = genbench("status", results).out
    assert "gone since" in said
    assert "25%" not in said


def test_as_json_it_is_for_programs(results, genbench):
    beats.write(results, beat())
    told = json.loads(genbench("status", results, "--json").out)
    assert told["suites"]["made-up"] == {"planned": 6, "ended": {"done": 2, "crashed": 1}}
    assert told["runs"][0]["running"][0]["share"] == 0.25


def test_a_run_says_what_it_is_at_and_leaves_nothing(genbench, monkeypatch):
    said = []
    monkeypatch.setattr(beats, "write", lambda root, beat: said.append(beat))
    smoke = ("--suite", "toy2d-smoke", "--dataset", "ring8", "--trainer", "gan", "--seeds", "0,1", "--jobs", "1")
    assert genbench("run", *smoke, "--device", "cpu", "--budget", "steps=5").code == 0
    assert [said[0].finished, said[-1].finished] == [0, 2]
    assert said[-1].statuses == {"done": 2}


def test_a_file_that_is_no_beat_is_left_alone(results, genbench):
    (results / ".run-odd.json").write_text("{")
    assert genbench("status", results).code == 0


@pytest.mark.parametrize("where", ["nowhere", "made-up/suite.json"])
def test_what_is_no_folder_is_refused(where, results, genbench):
    assert genbench("status", results / where).code == 2
