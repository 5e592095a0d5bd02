"""`genbench verify`: what is whole is said to be, and whatever was changed since is found, named, and put aside."""

import json
import os
import shutil

import made_up
import pytest
from safetensors.torch import load_file, save_file

from genbench.records import layout
from genbench.records.store import Store


@pytest.fixture
def results(once, tmp_path):
    return shutil.copytree(once[0], tmp_path / "results")


@pytest.fixture
def folder(results):
    (place,) = results.glob("toy2d-smoke/ring8/gan/seed-0-*")
    return place


def test_what_is_whole_is_said_to_be(results, genbench):
    ran = genbench("verify", results)
    assert ran.code == 0, ran.out
    assert "4 trials" in ran.out
    assert "4 trials' samples scored again, and the controls of" in ran.out
    assert "All is whole." in ran.out


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def other_score(folder):
    payload = json.loads((folder / layout.SCORES).read_bytes())
    changed = next(score for score in payload["scores"] if score["name"] == "w2")
    changed["value"] *= 1.01
    (folder / layout.SCORES).write_text(json.dumps(payload))


def changed(path, change):
    """Has a file of JSON say something else."""
    payload = json.loads(path.read_bytes())
    change(payload)
    path.write_text(json.dumps(payload))


def no_score(folder):
    def change(payload):
        payload["scores"] = [score for score in payload["scores"] if score["name"] != "w2"]

    changed(folder / layout.SCORES, change)


def other_band(folder):
    def change(payload):
        next(score for score in payload["scores"] if score["name"] == "w2")["null_high"] += 0.1

    changed(folder / layout.SCORES, change)


def lower_cost(folder):
    changed(folder / layout.RECORD, lambda payload: payload["cost"].update(train_seconds=0.1))


def shorter_training(folder):
    changed(folder / layout.RECORD, lambda payload: payload["cost"].update(steps=payload["cost"]["steps"] - 1))


def other_weights(folder):
    tensors = load_file(folder / layout.WEIGHTS)
    name = sorted(tensors)[0]
    tensors[name] = tensors[name] + 1
    save_file(tensors, folder / layout.WEIGHTS)
    made_up.overwrite(folder / layout.WEIGHTS, (folder / layout.WEIGHTS).read_bytes())


def other_seed(folder):
    payload = json.loads((folder / layout.RECORD).read_bytes())
    payload["trial"]["seed"] = 5
    (folder / layout.RECORD).write_text(json.dumps(payload))


BROKEN = {
    "a flipped bit of the samples": (
        lambda folder: flip(folder / layout.SAMPLES),
        layout.SAMPLES,
        "changed or damaged",
    ),
    "a flipped bit of the weights": (
        lambda folder: flip(folder / layout.WEIGHTS),
        layout.WEIGHTS,
        "changed or damaged",
    ),
    "a flipped bit of the curve": (lambda folder: flip(folder / layout.CURVE), layout.CURVE, "changed or damaged"),
    "no curve": (lambda folder: (folder / layout.CURVE).unlink(), layout.CURVE, "missing"),
    "a better score": (other_score, layout.SCORES, "when it is scored again"),
    "weights of another training": (other_weights, layout.WEIGHTS, "another training"),
    "another seed": (other_seed, layout.RECORD, "its id is"),
    "no scores": (lambda folder: (folder / layout.SCORES).unlink(), layout.SCORES, "genbench rescore"),
    "no such score": (no_score, layout.SCORES, "w2 under smoke is gone"),
    "a wider band": (other_band, layout.SCORES, "the null band of w2 is"),
    "a lower cost": (lower_cost, layout.RECORD, "its cost has seconds=0.1, and its curve ends at"),
    "a cut-off record": (lambda folder: (folder / layout.RECORD).write_text("{"), layout.RECORD, "not JSON"),
    "a file of a stranger": (
        lambda folder: (folder / layout.TRACEBACK).write_text("x"),
        layout.TRACEBACK,
        "doesn't name",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_changed_is_found(name, results, folder, genbench):
    act, file, words = BROKEN[name]
    act(folder)
    ran = genbench("verify", results)
    assert ran.code == 1
    (line,) = (line for line in ran.out.splitlines() if line.startswith(f"  {folder / file}:"))
    assert words in line
    assert folder.exists()


LIES = {
    "a score of a version that never was": (
        layout.SCORES,
        lambda payload: payload["scores"][0]["identity"].update(version=99),
        "is of version 99 of",
    ),
    "a unit": (layout.SCORES, lambda payload: score_of(payload, "w2").update(unit="miles"), "unit of w2 is miles"),
    "a direction": (
        layout.SCORES,
        lambda payload: score_of(payload, "w2").update(higher_is_better=True),
        "higher is better of w2",
    ),
    "how a done trial ended": (
        layout.RECORD,
        lambda payload: payload.update(status="crashed"),
        "names what trials that",
    ),
    "no files": (layout.RECORD, lambda payload: payload.update(files={}), "it is done and names no curve.parquet"),
    "no hash of the weights": (layout.RECORD, lambda payload: payload.update(weights_sha256=None), "no hash"),
    "steps, and no seconds of compiling": (
        layout.RECORD,
        lambda payload: payload["cost"].update(steps=999, compile_seconds=None),
        "its cost has steps=999",
    ),
}


def score_of(payload, name):
    return next(score for score in payload["scores"] if score["name"] == name)


@pytest.mark.parametrize("name", LIES)
def test_what_contradicts_itself_or_today_is_found(name, results, folder, genbench):
    file, change, words = LIES[name]
    changed(folder / file, change)
    ran = genbench("verify", results)
    assert ran.code == 1
    assert any(line.startswith(f"  {folder / file}:") and words in line for line in ran.out.splitlines()), ran.out


def test_what_is_missing_beside_the_trials_is_found(results, folder, genbench):
    shutil.rmtree(folder)
    assert "3 trials read; 1 of its plan's are not there" in genbench("verify", results, "--no-scores").out
    (results / "toy2d-smoke/ring8" / layout.CONTROLS).unlink()
    (results / "toy2d-smoke" / layout.PLAN).unlink()
    ran = genbench("verify", results, "--no-scores")
    assert ran.code == 1
    assert "controls.json: it is missing" in ran.out
    assert "suite.json: it is missing" in ran.out


@pytest.mark.parametrize("file", [layout.SAMPLES, layout.WEIGHTS, layout.CURVE])
def test_pipe_is_no_file(file, results, folder, genbench):
    (folder / file).unlink()
    os.mkfifo(folder / file)
    ran = genbench("verify", results)
    assert (ran.code, f"{folder / file}: not a regular file" in ran.out) == (1, True)


def test_nothing_is_put_aside_through_a_link(results, folder, genbench, tmp_path):
    flip(folder / layout.CURVE)
    (tmp_path / "outside").mkdir()
    (results / "aside").symlink_to(tmp_path / "outside")
    ran = genbench("verify", results, "--repair", "--no-scores")
    assert ran.code == 2
    assert "out of" in ran.err
    assert (folder.exists(), list((tmp_path / "outside").iterdir())) == (True, [])


def test_a_trial_that_stopped_early_is_told_by_its_budget(results, folder, genbench):
    shorter_training(folder)
    ran = genbench("verify", results, "--no-scores")
    assert (ran.code, f"{folder / layout.RECORD}: it used steps=" in ran.out) == (1, True)


CONTROLS = {
    "a control's score": lambda payload: payload["draws"]["gaussian"][0][0].update(value=0.5),
    "the oracle's along training": lambda payload: payload["along"]["oracle"][0][0].update(value=0.5),
    "a null band": lambda payload: payload["bands"][0].update(null_low=-1.0),
    "no null band": lambda payload: payload["bands"].pop(0),
    "no draw of a control": lambda payload: payload["draws"]["gaussian"].pop(),
    "nothing along training": lambda payload: payload["along"].clear(),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_controls_and_bands_that_were_changed_are_found(name, results, genbench):
    path = results / "toy2d-smoke/ring8" / layout.CONTROLS
    changed(path, CONTROLS[name])
    ran = genbench("verify", results)
    assert ran.code == 1
    lines = [line for line in ran.out.splitlines() if line.startswith(f"  {path}:")]
    words = {"a null band": "the null band", "a": "when it is scored again", "the": "when it is scored again"}
    assert lines
    assert all(words.get(name, words.get(name.split()[0], "is gone")) in line for line in lines)


@pytest.mark.parametrize("name", ["a flipped bit of the samples", "a better score", "a cut-off record", "no curve"])
def test_what_is_broken_is_put_aside_and_nothing_removed(name, results, folder, genbench):
    BROKEN[name][0](folder)
    before = {path.read_bytes() for path in results.rglob("*") if path.is_file()}
    assert genbench("verify", results, "--repair").code == 1
    assert {path.read_bytes() for path in results.rglob("*") if path.is_file()} == before
    assert list((results / "aside").rglob(folder.name))
    assert genbench("verify", results, "--repair", "--no-scores").code == (1 if name == "a better score" else 0)
    assert Store(results).suites() == ["toy2d-smoke"]


def test_trials_that_are_trained_again_have_the_same_bits(results, genbench):
    ran = genbench("verify", results, "--no-scores", "--retrain", "2", "--device", "cpu")
    assert ran.code == 0, ran.out
    assert ran.out.count("the same bits") == 2


def test_other_bits_on_like_hardware_are_a_fault(results, folder, genbench):
    for path in results.rglob(layout.RECORD):
        payload = json.loads(path.read_bytes())
        payload["weights_sha256"] = "0" * 64
        payload["files"].pop(layout.WEIGHTS, None)
        (path.parent / layout.WEIGHTS).unlink(missing_ok=True)
        path.write_text(json.dumps(payload))
    ran = genbench("verify", results, "--no-scores", "--retrain", "1", "--device", "cpu")
    assert ran.code == 1
    assert "other weights" in ran.out


def test_an_archive_is_verified_like_its_folder(results, genbench):
    assert genbench("pack", results, "--suite", "toy2d-smoke").code == 0
    shutil.rmtree(results / "toy2d-smoke")
    ran = genbench("verify", results)
    assert ran.code == 0, ran.out
    assert "4 trials" in ran.out
