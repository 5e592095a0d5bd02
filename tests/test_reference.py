"""The committed records of toy2d are complete, whole, small, and say what the README claims."""

import hashlib
from collections import defaultdict
from pathlib import Path

import pytest

from genbench.registry import suites
from genbench.store import Store

ROOT = Path(__file__).parent.parent / "results" / "reference"
MEGABYTES = 10


@pytest.fixture(scope="module")
def found():
    store = Store(ROOT)
    trials = list(store.trials("toy2d"))
    assert not store.unreadable
    return trials


def values(found, trainer, dataset, metric):
    by_seed = defaultdict(dict)
    for trial in found:
        spec = trial.record.trial
        if (spec.trainer.label, spec.dataset.label) == (trainer, dataset):
            for score in trial.scores.scores:
                if score.identity.protocol == "genbench1":
                    by_seed[spec.seed][score.name] = score.value
    return {seed: scores[metric] for seed, scores in by_seed.items()}


def test_every_planned_trial_is_there_under_its_present_id(found):
    assert {trial.record.id for trial in found} == {trial.id for trial in suites["toy2d"].build().trials()}


def test_every_file_is_the_one_that_its_record_names(found):
    for trial in found:
        for name, sha256 in trial.record.files.items():
            if name != "weights.safetensors":
                assert hashlib.sha256((trial.folder / name).read_bytes()).hexdigest() == sha256


def test_it_came_from_committed_code(found):
    assert {trial.record.provenance["dirty"] for trial in found} == {False}
    assert len({trial.record.provenance["commit"] for trial in found}) == 1


def test_it_is_small():
    assert sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file()) < MEGABYTES * 2**20


@pytest.mark.parametrize(("dataset", "modes"), [("ring8", 8), ("grid25", 25)])
def test_wgan_gp_captures_every_mode_at_high_quality_in_four_of_five_seeds(found, dataset, modes):
    captured, hq = values(found, "wgan-gp", dataset, "modes"), values(found, "wgan-gp", dataset, "hq")
    assert sum(captured[seed] == modes and hq[seed] >= 0.8 for seed in captured) >= 4


@pytest.mark.parametrize(
    ("dataset", "control", "modes", "hq"),
    [
        ("ring8", "oracle", 8, 0.9884),
        ("grid25", "oracle", 25, 0.9888),
        ("ring8", "noise", 6.56, 0.0053),
        ("grid25", "noise", 23.14, 0.0257),
    ],
)
def test_controls_read_as_the_literature_protocol_says(dataset, control, modes, hq):
    """Means of 50 draws of 2 500 samples; five draws scatter around them."""
    (controls,) = [c for c in Store(ROOT).controls("toy2d") if c.dataset == dataset]
    drawn = [
        {score.name: score.value for score in scores if score.identity.protocol == "pacgan2018"}
        for scores in controls.draws[control]
    ]
    assert sum(scores["modes"] for scores in drawn) / len(drawn) == pytest.approx(modes, abs=0.15 * modes)
    assert sum(scores["hq"] for scores in drawn) / len(drawn) == pytest.approx(hq, abs=0.004)
