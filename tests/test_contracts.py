"""What everything in a registry keeps to, whoever wrote it."""

import inspect
import math
import random
import re
from contextlib import contextmanager
from typing import Literal, get_args, get_origin

import numpy as np
import pictures
import pytest
import torch
from made_up_images import digits

from genbench import seeding
from genbench.datasets.base import DataStream, Finite, Target
from genbench.datasets.images import stored
from genbench.engine.training import Training
from genbench.errors import BadParameter, Skip
from genbench.metrics.truth import Truth
from genbench.registry import REGISTRIES, Reference, controls, datasets, metrics, named_in, protocols, suites, trainers
from genbench.scoring.protocols import protocol as protocol_named
from genbench.scoring.scorer import Scorer
from genbench.spec import Budget, Component, Trial
from genbench.stats.closure import seeds_needed
from genbench.trials.resources import build_dataset

ENTRIES = {f"{entry.kind} {entry.name}": entry for registry in REGISTRIES for entry in registry}
EVERYTHING = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
DATASETS = [entry.name for entry in datasets]
METRICS = [entry.name for entry in metrics]
OF_SAMPLES = [entry.name for entry in metrics if entry.origin != "genbench.metrics.models"]
SUITES = [entry.name for entry in suites]
TRAINERS = [
    str(Reference(entry.name, {"recipe": recipe} if recipe else {}))
    for entry in trainers
    for recipe in ("", *entry.recipes)
]
N = 400
NOT_NOISE = {
    "recall": "half-dropped",
    "std_ratio": "centres",
    "class_modes": "half-dropped",
    "class_reverse_kl": "one-class",
    "class_score": "one-class",
    "confident": "mean-image",
    "confidence": "mean-image",
    "image_recall": "one-class",
}
"""What a metric must tell from the truth, where that isn't uniform noise."""

TRUTHS = {target: Truth(datasets.build(target)) for target in ("ring8", "swissroll")} | {"digits": Truth(digits())}
OF_SUBSETS = {"fd_infinity": 0.2, "kd": 0.1, "class_score": 0.1}
"""How far a metric may move that splits its samples, when they come in another order."""

FEW = {"n": N, "extractor": "mnist-cnn", "size": 100}
"""Parameters of metrics for few samples."""


def metric_of_few(name, target):
    entry = metrics[name]
    return entry.build(
        TRUTHS[target], **entry.resolve({key: value for key, value in FEW.items() if key in entry.annotations})
    )


def true_samples(dataset, n, rng):
    """As metrics are given them, of the part that neither training nor the reference is made of."""
    return stored(dataset.held_out.distinct(n, rng) if isinstance(dataset, Finite) else dataset.sample(n, rng))


def poor_samples(dataset, n, rng):
    """Like the truth, but not quite."""
    if isinstance(dataset, Finite):
        return stored(
            dataset.held_out.distinct(n, rng) * 0.8 + 0.2 * torch.randn(n, *dataset.event_shape, generator=rng)
        )
    return dataset.altered(n, rng, spread=1.3)


def something_else(name, dataset):
    """What a metric must tell from the truth; no control moves modes off their centres, so that is done here."""
    if name == "offset":
        return dataset.sample(N, stream()) + dataset.modes.std
    return stored(controls[NOT_NOISE.get(name, "noise")].build(dataset, N, stream()))


def applies(name, target):
    try:
        return metric_of_few(name, target) is not None
    except Skip:
        return False


APPLYING = [(name, target) for name in OF_SAMPLES for target in TRUTHS if applies(name, target)]


def is_at_hand(reference):
    """Whether a dataset can be built here: data that nobody may pass on has to be brought."""
    parsed = Reference.parse(reference)
    entry = datasets[parsed.name]
    return entry.stock is None or entry.stock(**entry.resolve(parsed.parameters)).present


@contextmanager
def global_streams_left_alone():
    def states():
        name, keys, *rest = np.random.get_state()  # noqa: NPY002 (the legacy stream is the one to watch)
        return torch.random.get_rng_state().tolist(), (name, keys.tolist(), *rest), random.getstate()

    before = states()
    yield
    assert states() == before


@pytest.fixture(scope="module")
def made_up_data(tmp_path_factory):
    """Parameters for the datasets that have none by default, and a folder of decoded images for all tests."""
    folder = tmp_path_factory.mktemp("contracts")
    (folder / "centres.csv").write_text("0,0\n1,0\n0.5,2\n")
    images = pictures.zipped(folder / "images.zip", pictures.many(60))
    needed = {"mixture": {"path": str(folder / "centres.csv"), "std": 0.1}, "images": {"path": str(images)}}
    return needed, folder / "cache"


@pytest.fixture
def dataset(made_up_data, monkeypatch):
    """`dataset(name)`: that dataset with its defaults, and with an example of what has none; skips without its data."""
    needed, cache = made_up_data
    monkeypatch.setenv("GENBENCH_CACHE", str(cache))

    def build(name):
        entry = datasets[name]
        parameters = entry.resolve(needed.get(name, {}))
        if entry.stock is not None and not entry.stock(**parameters).present:
            pytest.skip("its data is not at hand")
        return entry.build(**parameters)

    return build


@pytest.fixture
def training():
    """`training(reference)`: that trainer on ring8, or on images if those are what its networks take."""

    def ready(reference, seed=0, **changes):
        parsed = Reference.parse(reference)
        networks = trainers[parsed.name].resolve(parsed.parameters).get("networks", "")
        of_images = networks.startswith("dcgan")
        if of_images:  # a network of the write-up's size takes minutes for a whole batch
            changes = {"batch": 4} | changes
        small = {key: value for key, value in changes.items() if key in trainers[parsed.name].annotations}
        trial = Trial(
            dataset=Component.resolve(datasets, "ring8"),
            trainer=Component.resolve(trainers, str(Reference(parsed.name, {**parsed.parameters, **small}))),
            budget=Budget.parse("steps=6"),
            seed=seed,
        )
        return Training([trial], digits() if of_images else build_dataset(trial.dataset))

    return ready


@pytest.fixture
def small(training):
    return lambda reference, seed=0: training(reference, seed, width=8, batch=16)


def needed(entry):
    """Something for each parameter without a default."""
    kinds = {key: kind for key, kind in entry.annotations.items() if key not in entry.defaults}
    return {key: an_example(kind) for key, kind in kinds.items()}


def an_example(kind):
    if (held := named_in(kind)) is not None:
        return next(iter(held)).name
    return get_args(kind)[0] if get_origin(kind) is Literal else "1"


def stream(seed=0):
    return seeding.stream(seed, "contract")


def value(metric, *pieces):
    metric.reset()
    for piece in pieces:
        metric.update(piece)
    return metric.compute().item()


@EVERYTHING
def test_entry_documents_itself(entry):
    assert len(entry.summary) > 20
    assert entry.summary.endswith((".", ":", "?"))
    assert entry.origin


@EVERYTHING
def test_entry_has_a_version(entry):
    assert type(entry.version) is int
    assert entry.version >= 1


@EVERYTHING
def test_every_parameter_has_a_type_that_its_default_fits(entry):
    assert inspect.Parameter.empty not in entry.annotations.values()
    for key, default in entry.defaults.items():
        assert entry.resolve(needed(entry) | {key: default})[key] == default


@EVERYTHING
def test_nonsense_is_refused_by_name(entry):
    for key, kind in entry.annotations.items():
        if kind is not str:
            with pytest.raises(BadParameter, match=rf"parameter {key} can't be .*genbench show {entry.name}"):
                entry.resolve(needed(entry) | {key: "nonsense"})
    with pytest.raises(BadParameter, match="unheard_of"):
        entry.resolve(needed(entry) | {"unheard_of": 1})


@pytest.mark.parametrize("name", DATASETS)
class TestDataset:
    """Fresh samples of one shape, from the stream that is given and no other."""

    def test_samples_have_its_shape_and_are_finite(self, name, dataset):
        built = dataset(name)
        for n in (1, 7, 500):
            samples = built.sample(n, stream())
            assert samples.shape == (n, *built.event_shape)
            assert samples.dtype == torch.float32
            assert torch.isfinite(samples).all()

    def test_images_lie_between_minus_one_and_one(self, name, dataset):
        built = dataset(name)
        if len(built.event_shape) != 3:
            pytest.skip("no images")
        samples = built.sample(200, stream())
        assert samples.amin() >= -1
        assert samples.amax() <= 1
        assert samples.std() > 0.1

    def test_parts_have_the_shape_of_the_event_and_differ(self, name, dataset):
        built = dataset(name)
        if not isinstance(built, Finite):
            pytest.skip("endless")
        parts = (built.train, built.held_out, built.reference)
        drawn = [part.distinct(10, stream()) for part in parts]
        assert all(samples.shape == (10, *built.event_shape) for samples in drawn)
        assert len(torch.cat(drawn).unique(dim=0)) == 30
        assert torch.equal(built.train.at(torch.tensor([3, 0]))[1], built.train.at(torch.tensor([0]))[0])
        again = built.dealt(stream())
        assert [len(again.train), len(again.held_out)] == [len(built.train), len(built.held_out)]

    def test_samples_come_from_the_given_stream_alone(self, name, dataset):
        with global_streams_left_alone():
            built = dataset(name)
            first = built.sample(50, stream())
            assert torch.equal(first, dataset(name).sample(50, stream()))
            assert not torch.equal(first, built.sample(50, stream(1)))

    def test_stream_goes_on_and_counts(self, name, dataset):
        data = DataStream(dataset(name), stream())
        first, second = data.next(5), data.next(3)
        assert data.drawn == 8
        assert not torch.equal(first[:3], second)
        if not isinstance(dataset(name), Finite):  # one of few images may well draw the same twice
            assert len(torch.cat([first, second]).unique(dim=0)) == 8

    def test_moved_to_its_own_device_it_is_the_same(self, name, dataset):
        built = dataset(name)
        assert torch.equal(built.to("cpu").sample(20, stream()), built.sample(20, stream()))

    def test_truth_is_the_default_of_keep_and_spread(self, name, dataset):
        built = dataset(name)
        if not isinstance(built, Target):
            pytest.skip("no target")
        assert torch.equal(built.sample(20, stream()), built.altered(20, stream(), keep=1.0, spread=1.0))

    def test_density_has_a_value_for_each_sample(self, name, dataset):
        built = dataset(name)
        if not isinstance(built, Target):
            pytest.skip("no target")
        density = built.log_prob(built.sample(9, stream()))
        assert density.shape == (9,)
        assert density.dtype == torch.float64
        assert torch.isfinite(density).all()
        assert torch.isfinite(built.log_prob(torch.full((1, *built.event_shape), 100.0))).all()

    def test_density_integrates_to_one_and_its_entropy_is_that_of_the_samples(self, name, dataset):
        """A sum over squares one std wide is exact for Gaussians to eight digits."""
        built = dataset(name)
        if not isinstance(built, Target) or built.event_shape != (2,):
            pytest.skip("no target in the plane")
        std = (built.modes or built.curve).std
        axes = [
            torch.arange(float(low) - 7 * std, float(high) + 7 * std, std, dtype=torch.float64)
            for low, high in zip(*built.box, strict=True)
        ]
        log_density = torch.cat([built.log_prob(rows) for rows in torch.cartesian_prod(*axes).split(20_000)])
        mass = log_density.exp() * std**2
        assert mass.sum().item() == pytest.approx(1, abs=1e-4)
        entropy = -(mass * log_density).sum().item()
        surprise = -built.log_prob(built.sample(20_000, stream()))
        error = surprise.std().item() / math.sqrt(len(surprise))
        assert surprise.mean().item() == pytest.approx(entropy, abs=4 * error)

    def test_modes_lie_apart_and_share_the_truth_among_them(self, name, dataset):
        built = dataset(name)
        if getattr(built, "modes", None) is None:
            return
        centres, std, weights = built.modes
        assert weights.shape == (len(centres),)
        assert weights.sum().item() == pytest.approx(1, rel=1e-5)
        assert torch.pdist(centres.double()).min() > 6 * std > 0
        assert torch.equal(built.box.low, centres.min(0).values)
        assert torch.equal(built.box.high, centres.max(0).values)

    def test_curve_is_finely_sampled(self, name, dataset):
        curve = getattr(dataset(name), "curve", None)
        if curve is None:
            return
        steps = (curve.points[1:] - curve.points[:-1]).double().norm(dim=1)
        assert steps.max() < curve.std
        assert torch.allclose(curve.arc[1:] - curve.arc[:-1], steps, atol=1e-6)
        for rising, end in ((curve.arc, steps.sum().item()), (curve.mass, 1)):
            assert rising[0] == 0
            assert (rising[1:] > rising[:-1]).all()
            assert rising[-1].item() == pytest.approx(end)


@pytest.mark.parametrize("reference", TRAINERS)
class TestTrainer:
    """Steps, samples, and goes on after an interruption as if there had been none."""

    def test_steps_at_full_size(self, reference, training):
        ready = training(reference)
        losses = ready.stack.step(0.0)
        assert losses
        assert all(loss.shape == (1,) and torch.isfinite(loss) for loss in losses.values())
        assert not any(loss.requires_grad for loss in losses.values())
        assert ready.stack.samples > 0
        assert ready.stack.updates >= 1

    def test_step_moves_every_network(self, reference, small):
        ready = small(reference)
        before = {name: weight.clone() for name, weight in ready.stack.weights(0).items()}
        ready.run(1.0)
        networks = {name.partition(".")[0] for name in before}
        assert networks == {
            name.partition(".")[0]
            for name, weight in ready.stack.weights(0).items()
            if not torch.equal(weight, before[name])
        }

    def test_samples_are_of_the_event_and_of_the_given_stream(self, reference, small):
        stack = small(reference).stack
        for n in (1, 33):
            samples = stack.sample(n, [stream()])
            assert samples.shape[:2] == (1, n)
            assert samples.shape[2:] in ((2,), (1, 32, 32))
            assert samples.dtype == torch.float32
            assert torch.isfinite(samples).all()
            assert not samples.requires_grad
        assert torch.equal(stack.sample(33, [stream()]), samples)
        assert not torch.equal(stack.sample(33, [stream(1)]), samples)

    def test_weights_are_named_by_network_and_parameter(self, reference, small):
        names = list(small(reference).stack.weights(0))
        assert names
        assert all(network and parameter for network, _, parameter in (name.partition(".") for name in names))

    def test_weights_keep_their_names_and_shapes(self, reference, small):
        ready = small(reference)
        before = {name: (weight.shape, weight.dtype) for name, weight in ready.stack.weights(0).items()}
        ready.run(1.0)
        assert {name: (weight.shape, weight.dtype) for name, weight in ready.stack.weights(0).items()} == before

    def test_state_is_tensors_and_goes_on_at_the_same_bits(self, reference, small):
        first, second = small(reference), small(reference)
        first.run(0.5)
        tensors, meter = first.state()
        tensors = {name: tensor.clone() for name, tensor in tensors.items()}
        first.run(1.0)
        second.restore(tensors, meter)
        second.run(1.0)
        assert second.weights_sha256() == first.weights_sha256()
        assert all(map(torch.equal, second.state()[0].values(), first.state()[0].values()))

    def test_seed_decides_everything(self, reference, small):
        hashes = []
        for seed in (0, 0, 1):
            ready = small(reference, seed)
            ready.run(1.0)
            hashes.append(ready.weights_sha256())
        assert hashes[0] == hashes[1] != hashes[2]

    def test_global_streams_are_left_alone(self, reference, small):
        with global_streams_left_alone():
            ready = small(reference)
            ready.run(1.0)
            ready.stack.sample(5, [stream()])
            ready.state()


def test_recipes_give_parameters_that_their_trainer_has_and_differ_from_the_defaults():
    for entry in trainers:
        for recipe in entry.recipes:
            chosen = entry.resolve({"recipe": recipe})
            assert chosen.items() >= entry.recipes[recipe].items()
            assert chosen != entry.resolve({})


def test_every_recipe_says_where_it_comes_from_and_where_it_departs_from_there():
    for entry in trainers:
        assert entry.notes.keys() == entry.recipes.keys()
        for note in entry.notes.values():
            assert re.fullmatch(r"Source: \S.{10,}\. Departs: \S.{10,}\.", note)


@pytest.mark.parametrize(("name", "target"), APPLYING)
class TestMetric:
    """A number of a set of samples: nothing else about them matters, and nothing is left behind."""

    @pytest.fixture
    def dataset(self, target):
        return TRUTHS[target].dataset

    @pytest.fixture
    def samples(self, dataset):
        return poor_samples(dataset, N, stream())

    def test_is_one_finite_number(self, name, target, samples):
        with global_streams_left_alone():
            built = metric_of_few(name, target)
            built.update(samples)
            found = built.compute()
        assert found.shape == ()
        assert torch.isfinite(found)

    def test_pieces_are_the_whole(self, name, target, samples):
        built = metric_of_few(name, target)
        whole = value(built, samples)
        assert value(built, samples[:1], samples[1:150], samples[150:]) == pytest.approx(whole, rel=1e-9)

    def test_order_does_not_matter(self, name, target, samples):
        built = metric_of_few(name, target)
        shuffled = samples[torch.randperm(N, generator=stream())]
        difference = OF_SUBSETS.get(name, 1e-9)
        assert value(built, shuffled) == pytest.approx(value(built, samples), rel=difference, abs=1e-12)

    def test_forgets_at_reset(self, name, target, dataset, samples):
        built = metric_of_few(name, target)
        before = value(built, samples)
        value(built, true_samples(dataset, N, stream(1)))
        assert value(built, samples) == before

    def test_leaves_the_samples_alone(self, name, target, samples):
        given = samples.clone()
        value(metric_of_few(name, target), given)
        assert torch.equal(given, samples)

    def test_tells_the_truth_from_something_else_in_its_direction(self, name, target, dataset):
        built = metric_of_few(name, target)
        draws = [value(built, true_samples(dataset, N, stream(seed))) for seed in range(3)]
        other = value(built, something_else(name, dataset))
        gap, scatter = other - sum(draws) / 3, max(draws) - min(draws)
        direction = metrics[name].higher_is_better
        assert abs(gap) > 2 * scatter
        assert direction is None or direction == (gap < 0)


@pytest.mark.parametrize("name", METRICS)
def test_metric_says_its_unit_and_its_direction(name):
    entry = metrics[name]
    assert entry.unit.strip()
    assert entry.higher_is_better in (True, False, None)


@pytest.mark.parametrize("name", METRICS)
def test_metric_says_its_bounds_and_whether_it_counts(name):
    low, high = metrics[name].bounds
    assert low is None or high is None or low < high
    assert metrics[name].whole in (True, False)


@pytest.mark.parametrize("control", [entry.name for entry in controls])
@pytest.mark.parametrize(
    ("target", "protocol"), [("ring8", "smoke"), ("swissroll", "smoke"), ("digits", "mnist-smoke")], ids=str
)
def test_scores_lie_within_their_bounds(control, target, protocol):
    about = TRUTHS[target].dataset
    judge = Scorer(about, protocol_named(protocol))
    try:
        samples = controls[control].build(about, judge.protocol.n, stream())
    except Skip as skip:
        pytest.skip(str(skip))
    found = [score for score in judge(samples) if score.value is not None]
    assert found
    for score in found:
        entry = metrics[score.identity.metric]
        low, high = entry.bounds
        assert (-math.inf if low is None else low) <= score.value <= (math.inf if high is None else high), score.name
        assert not entry.whole or score.value == round(score.value), score.name


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_metric_applies_somewhere_and_says_why_not_elsewhere(name):
    places = [target for metric, target in APPLYING if metric == name]
    assert places
    for target in TRUTHS.keys() - places:
        with pytest.raises(Skip, match=r"^the dataset('s)? "):
            metric_of_few(name, target)


@pytest.mark.parametrize("name", [entry.name for entry in protocols])
def test_protocols_name_metrics_and_columns_that_exist(name):
    protocol = protocol_named(name)
    for reference in protocol.columns.values():
        parsed = Reference.parse(reference)
        resolved = metrics[parsed.name].resolve(parsed.parameters)
        assert resolved.get("n", protocol.n) <= protocol.n
    assert set(protocol.headline) | set(protocol.curve) <= set(protocol.columns)


@pytest.mark.parametrize("name", [entry.name for entry in controls])
@pytest.mark.parametrize("target", DATASETS)
def test_control_gives_samples_of_its_dataset_or_says_why_not(name, target, dataset):
    built = dataset(target)
    with global_streams_left_alone():
        try:
            samples = controls[name].build(built, 40, stream())
        except Skip as skip:
            pytest.skip(str(skip))
        assert samples.shape == (40, *built.event_shape)
        assert samples.dtype == torch.float32
        assert torch.isfinite(samples).all()
        assert torch.equal(samples, controls[name].build(built, 40, stream()))
        assert not torch.equal(samples, controls[name].build(built, 40, stream(1)))


@pytest.mark.parametrize("name", SUITES)
class TestSuite:
    """A plan in which every name can be found."""

    def test_is_registered_under_its_own_name_and_version(self, name):
        plan = suites[name].build()
        assert (plan.name, plan.version) == (name, suites[name].version)

    def test_names_resolve_and_stand_once_in_their_shortest_form(self, name):
        plan = suites[name].build()
        assert plan.canonical() == plan

    def test_trials_are_all_combinations_each_with_an_id_of_its_own(self, name):
        plan = suites[name].build()
        if not all(map(is_at_hand, plan.datasets)):
            pytest.skip("its data is not at hand")
        trials = plan.trials()
        assert len({trial.id for trial in trials}) == len(trials)
        of_a_seed = len(plan.datasets) * len(plan.trainers) * len(plan.budgets)
        assert len(trials) == of_a_seed * len(plan.seeds)
        assert {trial.seed for trial in trials[:of_a_seed]} == {plan.seeds[0]}

    def test_has_seeds_enough_to_tell_one_pair_apart_though_nothing_else_differs(self, name):
        plan = suites[name].build()
        assert len(plan.seeds) >= seeds_needed(len(plan.trainers), len(plan.datasets) * len(plan.budgets))

    def test_protocols_exist(self, name):
        assert set(suites[name].build().protocols) <= {entry.name for entry in protocols}
