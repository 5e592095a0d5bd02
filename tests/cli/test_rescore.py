"""`genbench rescore`: stored samples scored again, said what was done, and failed where some couldn't be."""

import json

import pytest

from genbench.records import layout
from genbench.records.store import Store
from genbench.scoring.protocols import protocol


def scores(results):
    """Every trial's scores by protocol and name."""
    return {
        found.record.id: {(s.identity.protocol, s.name): s for s in found.scores.scores}
        for found in Store(results).trials("toy2d-smoke")
    }


def folder_of(results, trainer="gan", seed=0):
    (folder,) = results.glob(f"toy2d-smoke/ring8/{trainer}/seed-{seed}-*")
    return folder


def test_scores_of_a_run_are_made_again_to_the_bit(results, genbench):
    before = {path: path.read_bytes() for path in results.rglob("*.json")}
    ran = genbench("rescore", results, "--protocol", "smoke")
    assert (ran.code, ran.err) == (0, "")
    assert "toy2d-smoke: 4 trials scored again under smoke\n" in ran.out
    assert "Skipped in 4 trials, since the dataset doesn't lie along a curve: arc_coverage, curve_distance" in ran.out
    assert {path: path.read_bytes() for path in results.rglob("*.json")} == before


def test_another_protocol_joins_and_is_reported_among_its_controls(results, genbench):
    before = scores(results)
    ran = genbench("rescore", results, "--protocol", "pacgan2018", "--suite", "toy2d-smoke")
    assert ran.code == 0
    assert "The controls on ring8 have scores and null bands under it now, too." in ran.out
    after = scores(results)
    for trial, old in before.items():
        fresh = {name for way, name in after[trial].keys() - old.keys() if way == "pacgan2018"}
        assert fresh == set(protocol("pacgan2018").columns)
        assert old.items() <= after[trial].items()
    assert "needs 2500 samples and got 1000" in ran.out
    again = ["--trainer", "gan", "--dataset", "ring8", "--seeds", "0-1", "--budget", "steps=5", "--checkpoints", "2"]
    assert "Nothing is left to run" in genbench("run", "--suite", "toy2d-smoke", *again, "--out", results).out
    shown = json.loads(genbench("report", results, "--protocol", "pacgan2018", "--format", "json", "--no-figures").out)
    rows = {row["label"]: row for row in shown[0]["rows"]}
    assert rows["oracle"]["cells"].keys() == rows["null band"]["cells"].keys() == {"modes", "hq", "reverse_kl"}


def test_trial_that_cannot_be_scored_is_named_and_the_others_are(results, genbench):
    (folder_of(results) / layout.SAMPLES).unlink()
    for path in results.rglob(layout.SCORES):
        if "wgan-gp" in str(path):
            path.unlink()
    ran = genbench("rescore", results, "--protocol", "smoke")
    assert ran.code == 1
    assert "gan on ring8, seed 0: its samples.safetensors can't be read (No such file or directory)." in ran.err
    assert "3 trials scored again" in ran.out
    assert "2 trials had no scores. Those of samples are made; a likelihood" in ran.out
    assert "1 trial could not be scored" in ran.out
    assert len(list(results.rglob(layout.SCORES))) == 4


def test_failed_trials_have_nothing_to_score(smoke, misfits, genbench, tmp_path):
    smoke("--trainer", "behaves,crashes", "--plugin", misfits)
    ran = genbench("rescore", tmp_path / "out", "--protocol", "smoke", "--plugin", misfits)
    assert ran.code == 0
    assert "1 trial scored again" in ran.out
    assert "1 trial had failed, and left no samples." in ran.out


def test_controls_that_are_gone_are_told(results, genbench):
    (results / "toy2d-smoke/ring8/controls.json").unlink()
    ran = genbench("rescore", results, "--protocol", "smoke")
    assert "There are no controls on ring8, which genbench run measures." in ran.out


def test_bad_record_is_named(results, genbench):
    (folder_of(results) / layout.RECORD).write_text("{")
    ran = genbench("rescore", results, "--protocol", "smoke")
    assert ran.code == 1
    assert "Unreadable, left alone" in ran.err
    assert "3 trials scored again" in ran.out


def test_stays_are_counted(smoke, genbench, tmp_path):
    smoke("--trainer", "gan", "--keep-samples", "100")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob(layout.SCORES)}
    ran = genbench("rescore", tmp_path / "out", "--protocol", "smoke")
    assert "Scores of more samples than are stored stayed in 1 trial." in ran.out
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob(layout.SCORES)} == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["none", "--protocol", "smoke"], "none holds no results"),
        (["results", "--protocol", "smokey"], "Did you mean smoke"),
        (["results", "--protocol", "smoke", "--suite", "toy2d"], "Did you mean toy2d-smoke?"),
        (["results"], "--protocol"),
    ],
    ids=str,
)
def test_refuses_what_it_cannot_score(options, message, results, genbench):
    ran = genbench("rescore", *options)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
