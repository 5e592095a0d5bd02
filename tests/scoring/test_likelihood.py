"""What models say of held-out data: known values of known densities, in the literature's units."""

import math

import made_up
import pytest
import torch
from tasks import ignore, never

from genbench.datasets.images import as_pixels
from genbench.datasets.mixtures import Mixture
from genbench.errors import Skip
from genbench.records.store import Store
from genbench.registry import datasets, metrics
from genbench.scoring.likelihood import held_out, likelihoods
from genbench.scoring.protocols import protocol


def test_of_the_truth_itself_it_is_the_entropy():
    ring8, way = datasets.build("ring8"), protocol("smoke")
    data = held_out(ring8, way.n)
    nll, gap = likelihoods(ring8.log_prob(data), data, ring8, way, None, None)
    std = ring8.modes.std
    entropy = math.log(8) + 2 * (0.5 + math.log(std * math.sqrt(2 * math.pi)))
    assert nll.value == pytest.approx(entropy, abs=4 / math.sqrt(way.n))
    assert gap.value == pytest.approx(0, abs=1e-12)
    assert (nll.state, nll.identity.n, nll.unit, gap.unit) == ("ok", way.n, "nats", "nats")


def test_the_gap_is_the_divergence_from_the_truth():
    """Of a Gaussian twice as wide as the truth, KL = ln 2 + ½·¼ − ½ a dimension, whatever the truth's entropy."""
    ring8, way = datasets.build("ring8"), protocol("genbench1")
    data = held_out(ring8, way.n)
    wider = ring8.modes._replace(std=2 * ring8.modes.std)
    log_probs = Mixture(wider.centres, wider.std).log_prob(data)
    _, gap = likelihoods(log_probs, data, ring8, way, None, None)
    assert gap.value == pytest.approx(2 * (math.log(2) + 1 / 8 - 1 / 2), abs=0.02)


def test_uniform_noise_has_eight_bits_a_dimension(printed):
    """Of pixels in [−1, 1] widened by half a grey level to either side, whose density is that of 256 levels."""
    images, way = datasets.build("printed"), protocol("mnist-smoke")
    data = held_out(images, way.n)
    width = 256 / 127.5
    inside = (data >= -width / 2) & (data <= width / 2)
    assert bool(inside.all())
    log_probs = torch.full((len(data),), -math.log(width) * data[0].numel())
    assert likelihoods(log_probs, data, images, way, None, None)[1].value == pytest.approx(8, abs=1e-5)


def test_held_out_images_are_those_that_no_training_saw_under_noise_of_a_grey_level(printed):
    images = datasets.build("printed")
    data = held_out(images, 12)
    assert torch.equal(data, held_out(images, 12))
    pixels = (data * 127.5 + 127.5).round()
    every = images.held_out.at(torch.arange(len(images.held_out)))
    known = {tuple(image) for image in as_pixels(every).flatten(1).tolist()}
    assert {tuple(image) for image in pixels.flatten(1).int().tolist()} <= known
    assert float((data * 127.5 + 127.5 - pixels).abs().max()) <= 0.5
    assert len(held_out(images, 10_000)) == len(images.held_out)


def test_a_bound_and_the_exact_value_are_different_numbers():
    ring8, way = datasets.build("ring8"), protocol("smoke")
    exact, bound = (likelihoods(torch.zeros(5), torch.zeros(5, 2), ring8, way, draws, None)[0] for draws in (None, 64))
    assert exact.identity != bound.identity
    assert bound.identity.parameters == {"bound": 64}
    assert (exact.name, bound.name) == ("nll", "nll[bound=64]")


def test_a_density_of_zero_is_worse_than_any_value():
    log_probs = torch.tensor([0.0, -math.inf])
    nll, _ = likelihoods(log_probs, torch.zeros(2, 2), datasets.build("ring8"), protocol("smoke"), None, None)
    assert (nll.state, nll.value) == ("undefined", None)


@pytest.mark.parametrize("name", ["nll", "nll_gap", "bits_per_dim"])
def test_nobody_can_tell_it_from_samples(name):
    with pytest.raises(Skip, match="of trainers that give their log_prob"):
        metrics.build(name, None)


def test_a_trial_of_a_method_that_gives_its_likelihood_has_it_as_a_column(trials, tmp_path):
    """Of the weights as trained and of their average; a method without one has none."""
    size = "width=8,batch=16"
    for task in trials(f"realnvp[{size},layers=2]", f"vae[{size},bound=3]", f"gan[{size}]", seeds=(0,), ema=0.5):
        assert made_up.record(task.run(ignore, never)).status == "done"
    (name,) = (folder.name for folder in tmp_path.iterdir())
    found = {
        each.record.trial.trainer.name: [s for s in each.scores.scores if s.identity.metric in ("nll", "nll_gap")]
        for each in Store(tmp_path).trials(name)
    }
    assert found["gan"] == []
    assert [score.identity.ema for score in found["realnvp"]] == [None, None, 0.5, 0.5]
    assert {score.identity.parameters["bound"] for score in found["realnvp"]} == {None}
    assert {score.identity.parameters["bound"] for score in found["vae"]} == {3}
    assert all(score.state == "ok" and score.added for name in ("realnvp", "vae") for score in found[name])
