"""Power cards: the changes that they are measured with, how the smallest that is told is found, and what ships."""

import subprocess
import sys
from itertools import pairwise

import pytest
import torch

from genbench import seeding
from genbench.contract.digits import PART, digits
from genbench.datasets.images import as_pixels
from genbench.datasets.stacked import StackSet
from genbench.distances import squared_distances
from genbench.registry import datasets
from genbench.scoring import power
from genbench.scoring.changes import OF_IMAGES, OF_POINTS, STEP, changed_images, changed_points
from genbench.scoring.power_cards import Effect, all_cards, card, cards_of
from genbench.scoring.protocols import protocol
from genbench.scoring.scorer import Scorer

N = 4_000


def points(name, change, size, n=N):
    dataset = datasets.build(name)
    return dataset, changed_points(dataset, change, size, n, seeding.stream(0, "test"))


def images(change, size, n=300, dataset=None):
    return changed_images(dataset or digits(), change, size, n, seeding.stream(0, "test"))


def off_centres(dataset, samples):
    """How many stds each sample lies off the nearest centre, `(n, 2)`, and which that is."""
    mode = squared_distances(samples, dataset.modes.centres).argmin(1)
    return (samples - dataset.modes.centres[mode]) / dataset.modes.std, mode


@pytest.mark.parametrize("sizes", [*OF_POINTS.items(), *OF_IMAGES.items()], ids=str)
def test_sizes_grow_in_small_steps(sizes):
    change, (values, _) = sizes
    grown = [abs(1 - size) for size in values] if change in ("shrunken", "widened") else list(values)
    assert all(0 < one < other for one, other in pairwise(grown))
    if all(size != int(size) for size in values[1:-1]):
        assert all(other / one <= STEP + 1e-9 for one, other in pairwise(grown))


@pytest.mark.parametrize("change", OF_POINTS)
@pytest.mark.parametrize("name", ["ring8", "swissroll"])
def test_changed_points_are_as_many_as_were_asked_for(change, name):
    dataset, samples = points(name, change, 0.5, 50)
    assert samples.shape == (50, *dataset.event_shape)
    assert torch.isfinite(samples).all()


def test_a_shift_moves_every_mode_by_as_many_stds():
    dataset, samples = points("ring8", "shift", 2.0)
    off, _ = off_centres(dataset, samples)
    assert off.mean(0).tolist() == pytest.approx([2, 0], abs=0.06)


@pytest.mark.parametrize(("change", "size"), [("shrunken", 0.4), ("widened", 3.0)])
def test_the_spread_is_multiplied(change, size):
    off, _ = off_centres(*points("ring8", change, size))
    assert off.std(0).tolist() == pytest.approx([size, size], rel=0.05)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_the_dropped_share_of_the_mass_is_gone(share):
    """The first modes lose all, and the next what is left to lose; the others share the rest evenly."""
    _, mode = off_centres(*points("grid25", "dropped", share, 50_000))
    shares = mode.bincount(minlength=25) / 50_000 * (1 - share)
    expected = [max(0.0, min(1.0, i + 1 - 25 * share)) / 25 for i in range(25)]
    assert shares.tolist() == pytest.approx(expected, abs=0.004)


def test_a_curve_loses_its_end():
    dataset, samples = points("swissroll", "dropped", 0.2)
    assert torch.equal(samples, dataset.altered(N, seeding.stream(0, "test"), keep=0.8))


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_so_many_samples_are_uniform(share):
    off, _ = off_centres(*points("ring8", "noise", share))
    assert (off.norm(dim=1) > 6).double().mean().item() == pytest.approx(share, abs=0.03)


def test_images_are_shifted_and_keep_their_edge():
    still, moved = images("shift", 0), images("shift", 3)
    assert torch.equal(moved[..., 3:], still[..., :-3])
    assert torch.equal(moved[..., :3], still[..., :1].expand(-1, -1, -1, 3))


def test_images_shrink_towards_their_mean():
    still = images("shift", 0)
    mean = still.mean(0)
    assert torch.allclose(images("shrunken", 0.0), mean.expand_as(still), atol=1e-6)
    assert torch.allclose(images("shrunken", 0.25) - mean, (still - mean) / 4, atol=1e-6)
    assert images("widened", 2.0).abs().max() <= 1


def test_some_images_become_noise():
    still, noisy = images("shift", 0), images("noise", 0.2)
    replaced = (still != noisy).flatten(1).any(1)
    assert replaced.double().mean().item() == pytest.approx(0.2, abs=0.08)


@pytest.mark.parametrize(("share", "left"), [(0.05, 0.5), (0.1, 0.0)])
def test_the_first_class_becomes_rarer_until_it_is_gone(share, left):
    data = digits()
    label_of = {
        row.numpy().tobytes(): int(label)
        for row, label in zip(as_pixels(data.train.at(torch.arange(PART))), data.train.labels, strict=True)
    }
    drawn = as_pixels(images("dropped", share, 500))
    first = sum(label_of[row.numpy().tobytes()] == 0 for row in drawn) / 500
    own = (data.train.labels == 0).double().mean().item()
    assert first == pytest.approx(left * own, abs=0.03)


def test_stacks_lose_classes_too():
    assert images("dropped", 0.0305, 40, StackSet(digits())).shape == (40, 3, 32, 32)


def made_up_band():
    """The truth's own values lie between 0 and a half."""
    blank = Scorer(datasets.build("ring8"), protocol("pacgan2018")).blanks[0]
    return blank.model_copy(update={"null_low": 0.0, "null_high": 0.5})


@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.0, 40.0, 99.0])
def test_the_smallest_size_that_is_told_is_found(threshold, monkeypatch):
    """By a column that sees all shifts of at least so many stds."""
    monkeypatch.setattr(power, "_value", lambda d, j, c, size, seed: 1.0 if size >= threshold else 0.0)
    found = power.effect(datasets.build("ring8"), None, made_up_band(), "shift", 5)
    expected = next((size for size in OF_POINTS["shift"].values if size >= threshold), None)
    assert found.least == expected
    assert (found.told == "not even 64 stds") == (expected is None)


def test_four_of_five_draws_have_to_lie_outside(monkeypatch):
    for outside, told in ((8, True), (7, False)):
        monkeypatch.setattr(power, "_value", lambda d, j, c, s, seed, k=outside: None if seed < k else 0.2)
        found = power.effect(datasets.build("ring8"), None, made_up_band(), "noise", 10)
        assert (found.least == found.mildest) == told


def test_reverse_kl_on_the_roll_tells_somewhat_more_noise():
    """Of 1 000 samples; W2 can't tell three times as much."""
    dataset = datasets.build("swissroll")
    way = protocol("smoke")
    judge = Scorer(dataset, way.only(["reverse_kl"]))
    (blank,) = judge.blanks
    values = [judge(dataset.sample(way.n, seeding.stream(seed, "test")))[0].value for seed in range(40)]
    band = blank.model_copy(update={"null_low": min(values), "null_high": max(values)})
    found = power.effect(dataset, judge, band, "widened", 5)
    assert 1.02 < found.least < 1.6


def test_effects_are_said_in_words():
    details = {"mildest": 0.1, "strongest": 0.5}
    assert Effect(change="shift", unit="stds", least=0.25, **details).told == "0.25 stds"
    assert Effect(change="shift", unit="stds", least=1, **details).told == "1 std"
    assert Effect(change="shrunken", unit="the spread", least=0.9, **details).told == "0.9 × the spread"
    assert Effect(change="dropped", unit="of the mass", least=0.02, **details).told == "2 % of the mass"
    assert Effect(change="noise", unit="of the samples", least=None, **details).told == "not even 50 % of the samples"


@pytest.mark.parametrize("found", all_cards(), ids=lambda c: f"{c.dataset} {c.identity.protocol} {c.column}")
def test_shipped_cards_fit_the_columns_as_they_are(found):
    if "uint8" not in found.identity.dtype:
        judge = Scorer(datasets.build(found.dataset), protocol(found.identity.protocol))
        assert found.identity == judge.identities[found.column]
    assert {effect.change for effect in found.effects} == set(OF_POINTS)
    assert card(found.dataset, found.identity.protocol, found.column) == found
    assert found in cards_of(found.identity.metric)


def test_cards_are_planned_for_every_deciding_column():
    planned = set(power.places(()))
    for name in ("ring8", "grid25", "grid100"):
        for way in ("genbench1", "pacgan2018", "veegan2017"):
            assert (name, way, "reverse_kl") in planned
    assert {("swissroll", "genbench1", "reverse_kl"), ("swissroll", "genbench1", "w2")} <= planned
    assert ("swissroll", "pacgan2018", "reverse_kl") not in planned
    assert {("mnist", "mnist1", "fd[mnist-cnn-1]"), ("stacked-mnist", "stacked-mnist1", "reverse_kl")} <= planned
    assert ("stacked-mnist-fixed", "meg2019", "reverse_kl") in planned


def test_reading_cards_imports_no_torch():
    check = "import sys, genbench.scoring.power_cards as c; c.card('a', 'b', 'c'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
