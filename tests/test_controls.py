"""Each control is what its row says it is."""

import pytest
import torch

from genbench import seeding
from genbench.errors import Skip
from genbench.registry import controls, datasets

N = 4_000
TARGETS = ("ring8", "grid25", "swissroll")


def drawn(control, dataset, n=N, seed=0):
    return controls[control].build(dataset, n, seeding.stream(seed, control))


def nearest(dataset, samples):
    """Each sample's distance to the nearest centre, and which one that is."""
    return torch.cdist(samples.double(), dataset.modes.centres.double()).min(1)


class Opaque:
    """A dataset of which nothing is known but its samples."""

    event_shape = (1, 4, 4)

    def sample(self, n, rng):
        return torch.rand(n, *self.event_shape, generator=rng)

    def to(self, device):
        return self


@pytest.fixture(params=TARGETS)
def target(request):
    return datasets.build(request.param)


def test_the_controls_of_the_design_are_there():
    assert [entry.name for entry in controls][:5] == ["oracle", "noise", "gaussian", "centres", "half-dropped"]


@pytest.mark.parametrize("control", [entry.name for entry in controls])
def test_samples_have_the_event_shape_and_come_from_their_stream_alone(control, target):
    before = torch.random.get_rng_state()
    samples = drawn(control, target, n=50)
    assert samples.shape == (50, 2)
    assert samples.dtype == torch.float32
    assert torch.isfinite(samples).all()
    assert torch.equal(samples, drawn(control, target, n=50))
    assert not torch.equal(samples, drawn(control, target, n=50, seed=1))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_oracle_is_the_truth(target):
    assert torch.equal(drawn("oracle", target), target.sample(N, seeding.stream(0, "oracle")))


def test_noise_is_uniform_on_the_box_of_real_samples(target):
    samples = drawn("noise", target)
    real = target.sample(N, seeding.stream(0, "noise"))
    low, high = real.amin(0), real.amax(0)
    share = ((samples - low) / (high - low)).double()
    assert share.min() >= 0
    assert share.max() <= 1
    deciles = torch.quantile(share, torch.linspace(0.1, 0.9, 9).double(), dim=0)
    assert torch.allclose(deciles, torch.linspace(0.1, 0.9, 9).double()[:, None], atol=0.04)
    assert abs(torch.corrcoef(share.T)[0, 1]) < 0.06


def test_gaussian_has_the_truths_moments_and_no_modes(target):
    samples = drawn("gaussian", target, n=50_000).double()
    real = target.sample(50_000, seeding.stream(1, "real")).double()
    assert torch.allclose(samples.mean(0), real.mean(0), atol=0.03)
    assert torch.allclose(samples.T.cov(), real.T.cov(), atol=0.03)
    normal = (samples - samples.mean(0)) / samples.std(0)
    assert torch.allclose(normal.pow(4).mean(0), torch.tensor([3.0, 3.0]).double(), atol=0.15)


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_centres_have_no_spread_and_drop_nothing(name):
    dataset = datasets.build(name)
    distance, index = nearest(dataset, drawn("centres", dataset))
    assert distance.max() < 1e-6
    assert len(index.unique()) == len(dataset.modes.centres)


def test_centres_of_a_curve_are_the_curve():
    dataset = datasets.build("swissroll")
    samples = drawn("centres", dataset)
    spacing = (dataset.curve.points[1:] - dataset.curve.points[:-1]).norm(dim=1).max()
    distance, index = torch.cdist(samples.double(), dataset.curve.points.double()).min(1)
    assert distance.max() <= spacing
    assert dataset.curve.arc[index].max() > 0.99 * dataset.curve.arc[-1]


@pytest.mark.parametrize(("name", "kept"), [("ring8", 4), ("grid25", 12), ("grid100", 50)])
def test_half_of_the_modes_are_dropped_and_the_rest_are_the_truth(name, kept):
    dataset = datasets.build(name)
    distance, index = nearest(dataset, drawn("half-dropped", dataset, n=20_000))
    counts = torch.bincount(index, minlength=len(dataset.modes.centres))
    assert (counts > 0).sum() in (kept, kept + len(dataset.modes.centres) % 2)
    alive = counts[counts > 0].double()
    assert alive.min() > 0.7 * alive.mean()
    assert float((distance < 3 * dataset.modes.std).double().mean()) == pytest.approx(0.989, abs=0.004)


def test_half_of_a_ring_is_every_other_mode():
    dataset = datasets.build("ring8")
    _, index = nearest(dataset, drawn("half-dropped", dataset))
    kept = index.unique()
    assert set((kept[1:] - kept[:-1]).tolist()) == {2}


def test_half_of_a_curve_is_its_inner_part():
    dataset = datasets.build("swissroll")
    _, index = torch.cdist(drawn("half-dropped", dataset).double(), dataset.curve.points.double()).min(1)
    half = len(dataset.curve.points) / 2
    assert (index < half * 1.02).double().mean() > 0.99
    assert torch.histc(index.float(), 10, 0, half).min() > 0.6 * N / 10


@pytest.mark.parametrize("control", ["centres", "half-dropped"])
def test_control_that_needs_the_truth_says_so(control):
    with pytest.raises(Skip, match="density is unknown"):
        drawn(control, Opaque(), n=10)


def test_gaussian_is_for_points_alone():
    with pytest.raises(Skip, match="made for points"):
        drawn("gaussian", Opaque(), n=10)


@pytest.mark.parametrize("control", ["oracle", "noise"])
def test_control_of_samples_alone_fits_any_event(control):
    assert drawn(control, Opaque(), n=10).shape == (10, 1, 4, 4)
