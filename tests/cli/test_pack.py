"""`genbench pack`: a report of the archive says what one of the folder does."""

import shutil

import made_up
import pytest
import torch

from genbench.records.store import Store


@pytest.fixture
def results(tmp_path):
    for trainer in ("gan", "wgan"):
        for seed in (3, 1, 2):
            samples = {"final": torch.full((4, 2), float(seed))}
            scores = made_up.scores({"modes": 8.0 - seed, "reverse_kl": seed / 10, "hq": 0.5})
            made_up.put(
                tmp_path / "results", made_up.trial(trainer, seed=seed), scores, samples=samples, weights=samples
            )
    Store(tmp_path / "results").write_plan(made_up.suite(trainers=("gan", "wgan"), seeds=(1, 2, 3)))
    return tmp_path / "results"


def test_report_of_the_archive_is_that_of_the_folder(genbench, results):
    before = genbench("report", results, "--format", "json", "--no-figures").out
    ran = genbench("pack", results, "--suite", "made-up")
    assert ran.code == 0
    assert "made-up.zip: 0.0 MiB. Reports read it once" in ran.out
    shutil.rmtree(results / "made-up")
    assert genbench("report", results, "--format", "json", "--no-figures").out == before
    compared = genbench("compare", results, results)
    assert compared.code == 0


def test_samples_of_first_seeds_are_kept_and_weights_are_not(genbench, results):
    genbench("pack", results, "--suite", "made-up")
    shutil.rmtree(results / "made-up")
    kept = {(each.record.trial.trainer.name, each.record.trial.seed): each for each in Store(results).trials("made-up")}
    assert {place for place, each in kept.items() if each.samples} == {("gan", 1), ("wgan", 1)}
    assert not any((each.folder / "weights.safetensors").exists() for each in kept.values())


def test_all_samples_are_kept_on_request(genbench, results):
    genbench("pack", results, "--suite", "made-up", "--all-samples")
    shutil.rmtree(results / "made-up")
    assert all(each.samples == 4 for each in Store(results).trials("made-up"))


@pytest.mark.parametrize(
    "command", [("rescore", "results", "--protocol", "genbench1"), ("pack", "results", "--suite", "made-up")]
)
def test_what_is_packed_is_not_changed(command, genbench, results):
    genbench("pack", results, "--suite", "made-up")
    shutil.rmtree(results / "made-up")
    ran = genbench(*command)
    assert ran.code == 2
    assert "packed" in ran.err


def test_a_suite_that_is_not_there_is_named(genbench, results):
    ran = genbench("pack", results, "--suite", "made")
    assert ran.code == 2
    assert "made-up" in ran.err
