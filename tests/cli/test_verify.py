"""`genbench verify`: what is whole is said to be, and whatever was changed since is found, named, and put aside."""

import json
import shutil

import made_up
import pytest
from safetensors.torch import load_file, save_file

from genbench.records import store
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
    assert "4 trials' samples scored again" in ran.out
    assert "All is whole." in ran.out


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def other_score(folder):
    payload = json.loads((folder / store.SCORES).read_bytes())
    changed = next(score for score in payload["scores"] if score["name"] == "w2")
    changed["value"] *= 1.01
    (folder / store.SCORES).write_text(json.dumps(payload))


def other_weights(folder):
    tensors = load_file(folder / store.WEIGHTS)
    name = sorted(tensors)[0]
    tensors[name] = tensors[name] + 1
    save_file(tensors, folder / store.WEIGHTS)
    made_up.overwrite(folder / store.WEIGHTS, (folder / store.WEIGHTS).read_bytes())


def other_seed(folder):
    payload = json.loads((folder / store.RECORD).read_bytes())
    payload["trial"]["seed"] = 5
    (folder / store.RECORD).write_text(json.dumps(payload))


BROKEN = {
    "a flipped bit of the samples": (lambda folder: flip(folder / store.SAMPLES), store.SAMPLES, "changed or damaged"),
    "a flipped bit of the weights": (lambda folder: flip(folder / store.WEIGHTS), store.WEIGHTS, "changed or damaged"),
    "a flipped bit of the curve": (lambda folder: flip(folder / store.CURVE), store.CURVE, "changed or damaged"),
    "no curve": (lambda folder: (folder / store.CURVE).unlink(), store.CURVE, "missing"),
    "a better score": (other_score, store.SCORES, "when its samples are scored again"),
    "weights of another training": (other_weights, store.WEIGHTS, "another training"),
    "another seed": (other_seed, store.RECORD, "its id is"),
    "no scores": (lambda folder: (folder / store.SCORES).unlink(), store.SCORES, "genbench rescore"),
    "a cut-off record": (lambda folder: (folder / store.RECORD).write_text("{"), store.RECORD, "not JSON"),
    "a file of a stranger": (
        lambda folder: (folder / store.TRACEBACK).write_text("x"),
        store.TRACEBACK,
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
    for path in results.rglob(store.RECORD):
        payload = json.loads(path.read_bytes())
        payload["weights_sha256"] = "0" * 64
        payload["files"].pop(store.WEIGHTS, None)
        (path.parent / store.WEIGHTS).unlink(missing_ok=True)
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
