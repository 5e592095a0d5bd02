"""Each control is what its row says it is."""

import pytest
import torch

from genbench import seeding
from genbench.contract.digits import digits
from genbench.datasets.base import Dataset
from genbench.datasets.images import as_pixels, stored
from genbench.datasets.stacked import StackSet
from genbench.errors import Skip
from genbench.features import extractor
from genbench.features.extraction import extract
from genbench.metrics.truth import Truth
from genbench.registry import controls, datasets, metrics

N = 4_000
TARGETS = ("ring8", "grid25", "swissroll")
OF_POINTS = ("oracle", "noise", "gaussian", "centres", "half-dropped")
OF_IMAGES = ("oracle", "train", "noise", "half-dropped", "one-class", "mean-image", "blurred")
IMAGES = {"digits": digits(), "stacks": StackSet(digits())}


def drawn(control, dataset, n=N, seed=0):
    return controls[control].build(dataset, n, seeding.stream(seed, control))


def nearest(dataset, samples):
    """Each sample's distance to the nearest centre, and which one that is."""
    return torch.cdist(samples.double(), dataset.modes.centres.double()).min(1)


class Opaque(Dataset):
    """A dataset of which nothing is known but its samples."""

    event_shape = (1, 4, 4)

    def sample(self, n, rng):
        return torch.rand(n, *self.event_shape, generator=rng)


@pytest.fixture(params=TARGETS)
def target(request):
    return datasets.build(request.param)


def test_the_controls_of_the_design_are_there():
    assert {entry.name for entry in controls} >= {*OF_POINTS, *OF_IMAGES}


@pytest.mark.parametrize("control", OF_POINTS)
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
    with pytest.raises(Skip, match="samples are no points"):
        drawn("gaussian", Opaque(), n=10)


@pytest.mark.parametrize("control", ["oracle", "noise"])
def test_control_of_samples_alone_fits_any_event(control):
    assert drawn(control, Opaque(), n=10).shape == (10, 1, 4, 4)


@pytest.fixture(params=IMAGES)
def images(request):
    return IMAGES[request.param]


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))


def seen_classes(samples):
    """The most probable class of each channel."""
    return extract(extractor("mnist-cnn"), as_pixels(samples)).logits.argmax(2)


def rows(images):
    """Images as a set of their pixels."""
    return {image.numpy().tobytes() for image in as_pixels(images)}


def of(part):
    """All of a part's images."""
    return rows(part.at(torch.arange(len(part))))


@pytest.mark.parametrize("control", OF_IMAGES)
def test_images_have_the_event_shape_and_range_and_come_from_their_stream_alone(control, images):
    before = torch.random.get_rng_state()
    samples = drawn(control, images, n=30)
    assert samples.shape == (30, *images.event_shape)
    assert samples.dtype == torch.float32
    assert samples.min() >= -1
    assert samples.max() <= 1
    assert torch.equal(samples, drawn(control, images, n=30))
    assert not torch.equal(samples, drawn(control, images, n=30, seed=1))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_oracle_of_images_is_neither_training_nor_reference():
    data = IMAGES["digits"]
    samples = rows(drawn("oracle", data, n=800))
    assert len(samples) == 800
    assert samples == of(data.held_out)
    assert not samples & (of(data.train) | of(data.reference))


def test_train_is_training_images_to_the_pixel():
    assert rows(drawn("train", IMAGES["digits"], n=300)) < of(IMAGES["digits"].train)


def test_controls_made_of_real_images_are_made_of_those_that_were_held_out():
    data = IMAGES["digits"]
    for control in ("half-dropped", "one-class"):
        assert rows(drawn(control, data, n=100)) < of(data.held_out)


def test_one_class_is_of_one_label_and_another_one_each_time():
    """The extractor, which knows handwritten digits, calls most printed ones of a kind the same."""
    data = IMAGES["digits"]
    label_of = dict(
        zip(
            [image.numpy().tobytes() for image in as_pixels(data.held_out.at(torch.arange(800)))],
            data.held_out.labels.tolist(),
            strict=True,
        )
    )
    picked = set()
    for seed in range(12):
        samples = drawn("one-class", data, n=40, seed=seed)
        labels = {label_of[row] for row in rows(samples)}
        assert len(labels) == 1
        picked |= labels
        assert seen_classes(samples)[:, 0].bincount().max() > 20
    assert len(picked) > 4


def test_one_class_of_stacks_is_one_digit_a_channel():
    classes = seen_classes(drawn("one-class", IMAGES["stacks"], n=60))
    assert all(channel.bincount().max() >= 35 for channel in classes.T)


def test_half_of_the_classes_are_dropped():
    data = IMAGES["digits"]
    kept = [data.held_out.labels == label for label in range(0, 10, 2)]
    even = data.held_out.only(torch.stack(kept).any(0).nonzero()[:, 0])
    samples = rows(drawn("half-dropped", data, n=2_000))
    assert samples < of(even)
    assert len(samples) > 0.95 * len(even)


def test_mean_image_is_the_same_again_and_again(images):
    samples = drawn("mean-image", images, n=200)
    assert (samples == samples[0]).all()
    real = images.train.sample(2_000, seeding.stream(5, "real")).mean(0)
    assert (samples[0] - real).abs().mean() < 0.05


def test_blurred_images_are_the_oracles_and_smoother(images):
    """The same mean, but neighbouring pixels differ less."""
    soft = drawn("blurred", images, n=40)
    sharp = images.held_out.distinct(40, seeding.stream(0, "blurred"))
    assert (sharp.mean((2, 3)) - soft.mean((2, 3))).abs().max() < 0.05
    roughness = [samples.diff(dim=3).square().mean((1, 2, 3)) for samples in (soft, sharp)]
    assert (roughness[0] < 0.7 * roughness[1]).all()


@pytest.mark.parametrize("control", ["half-dropped", "one-class"])
def test_images_without_classes_have_none_to_drop(control):
    with pytest.raises(Skip, match="the dataset has no classes"):
        drawn(control, digits(3), n=10)


@pytest.mark.parametrize("control", ["train", "one-class", "mean-image", "blurred"])
def test_control_of_images_says_what_points_are_not(control, target):
    with pytest.raises(Skip, match="every sample of the dataset is fresh"):
        drawn(control, target, n=10)


@pytest.mark.parametrize("control", ["gaussian", "centres"])
def test_control_of_points_says_what_images_are_not(control, images):
    with pytest.raises(Skip):
        drawn(control, images, n=10)


def test_oracle_of_too_few_images_says_so():
    with pytest.raises(Skip, match="801 different images were asked for and there are 800"):
        drawn("oracle", IMAGES["digits"], n=801)


@pytest.mark.usefixtures("own_cache")
def test_oracle_is_nearest_to_the_reference(images):
    metric = metrics.build("fd[extractor=mnist-cnn,n=300]", Truth(images))
    found = {}
    for control in OF_IMAGES:
        metric.reset()
        metric.update(stored(drawn(control, images, n=300)))
        found[control] = metric.compute().item()
    near = 2 * found["oracle"]
    assert all(found[control] > near for control in ("noise", "one-class", "mean-image", "blurred"))
    assert found["train"] < near < found["noise"]
