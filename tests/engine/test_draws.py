"""What phases draw beside noise of one kind: labels of what is real, classes, and several kinds side by side."""

import math

import pytest
import torch
from agreement import far_apart, trained
from torch import nn

from genbench import api, seeding
from genbench.datasets.base import Dataset
from genbench.engine.feed import Feed
from genbench.registry import datasets

N = 20_000


def stream(seed=0):
    return seeding.stream(seed, "test")


def labelling(problem, draws=None, loss=None):
    """A method that learns from labelled samples."""

    def gap(nets, batch):
        return (nets.generator(batch.label) - batch.real).square().mean()

    return api.Method(
        networks={"generator": problem.initialised("generator", lambda rng: nn.Linear(problem.classes or 3, 2))},
        phases=[api.Phase("generator", loss or gap, draws or {"label": api.Labels(), "real": api.Real()})],
        optimizers={"generator": api.Optimizer("adam", 0.05)},
        prior=api.Categorical(problem.classes or 3),
        batch=32,
    )


def problem_of(dataset, seed=0):
    return api.Problem(dataset.event_shape, seed, classes=len(dataset.classes))


@pytest.mark.parametrize("name", ["ring8", "grid25", "printed", "printed-stacks"])
def test_labels_are_those_of_the_real_samples(name, printed):
    """Drawing labels beside them leaves the samples as they are, and each is of the class that its label names."""
    dataset = datasets.build(name)
    samples, labels = dataset.labelled(64, stream())
    assert torch.equal(samples, dataset.sample(64, stream()))
    assert labels.shape == (64,)
    assert labels.dtype == torch.long
    assert int(labels.max()) < len(dataset.classes)
    if name in ("ring8", "grid25"):
        assert torch.equal(torch.cdist(samples, dataset.modes.centres).argmin(1), labels)


def test_a_phase_gets_them_as_rows_of_zeros_and_a_one():
    ring8 = datasets.build("ring8")
    problem = problem_of(ring8)
    (block,) = Feed(labelling(problem), ring8, problem).block(0, 3)
    assert block["label"].shape == (3, 1, 32, 8)
    assert torch.equal(block["label"].sum(-1), torch.ones(3, 1, 32))
    assert torch.equal(torch.cdist(block["real"][0, 0], ring8.modes.centres).argmin(1), block["label"][0, 0].argmax(1))


def test_of_several_real_samples_each_label_knows_its_own():
    ring8 = datasets.build("ring8")
    problem = problem_of(ring8)
    draws = {"one": api.Real(), "label": api.Labels("other"), "other": api.Real()}
    (block,) = Feed(labelling(problem, draws, lambda nets, batch: 0), ring8, problem).block(0, 1)
    nearest = torch.cdist(block["other"][0, 0], ring8.modes.centres).argmin(1)
    assert torch.equal(nearest, block["label"][0, 0].argmax(1))


def test_a_method_learns_from_labels_alike_on_every_path(assembled, eager, double):
    plain, stacked = (trained(assembled(labelling, engine, budget="steps=200")) for engine in ("plain", "compiled"))
    assert far_apart(plain.stack.weights(0), stacked.stack.weights(0)) < 1e-9
    samples = stacked.stack.sample(64, [stream()])[0]
    assert float(torch.cdist(samples, datasets.build("ring8").modes.centres.double()).min(1).values.max()) < 0.2


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        ({"label": api.Labels()}, r'label are labels of real samples, and it draws 0 such; add some: "real": api.Real'),
        (
            {"a": api.Real(), "b": api.Real(), "label": api.Labels()},
            r"it draws 2 such; name one: api.Labels\('a'\)",
        ),
        ({"real": api.Real(), "label": api.Labels("rael")}, "Did you mean real"),
        ({"real": api.Real(), "label": api.Labels("label")}, "No draw of real samples is named 'label'"),
    ],
)
def test_labels_of_nothing_are_refused(draws, message):
    with pytest.raises(api.GenbenchError, match=message):
        api.Phase("generator", lambda nets, batch: 0, draws)


def test_a_dataset_without_classes_is_refused_before_anything_trains(assembled, monkeypatch):
    monkeypatch.setattr(type(datasets.build("ring8")), "classes", property(lambda self: (), lambda self, _: None))
    with pytest.raises(api.GenbenchError, match="draws labels, and the dataset's samples have no classes"):
        assembled(labelling)


@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 1.0, 4.0)])
def test_classes_come_as_often_as_they_should(weights):
    noise = api.Categorical(4, weights)
    drawn = noise.sample((N,), stream())
    expected = torch.tensor(weights or (1.0,) * 4) / sum(weights or (1.0,) * 4)
    assert torch.equal(drawn.sum(1), torch.ones(N))
    assert (drawn.mean(0) - expected).abs().max() < 4 * math.sqrt(0.25 / N)


def test_a_class_of_no_weight_never_comes():
    assert api.Categorical(3, (1, 0, 1)).sample((N,), stream())[:, 1].sum() == 0
    assert api.Categorical(3, (0, 1, 0)).sample((N,), stream())[:, 1].sum() == N


def test_kinds_lie_side_by_side_and_are_told_apart_again():
    joint = api.Joint(api.Normal((2,)), api.Categorical(3), api.Uniform(1, 2))
    drawn = joint.sample((N, 2), stream())
    assert joint.shape == (6,)
    assert drawn.shape == (N, 2, 6)
    normal, classes, uniform = joint.split(drawn)
    assert [part.shape[-1] for part in (normal, classes, uniform)] == [2, 3, 1]
    assert torch.equal(classes.sum(-1), torch.ones(N, 2))
    assert 1 <= uniform.min() <= uniform.max() < 2
    assert abs(float(normal.std()) - 1) < 0.02


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: api.Categorical(1), "classes must be a whole number from 2 on, not 1"),
        (lambda: api.Categorical(0), "problem.classes says how many the dataset has"),
        (lambda: api.Categorical(2.0), "classes must be a whole number"),
        (lambda: api.Categorical(2, (1,)), "weights must be 2 numbers from zero on"),
        (lambda: api.Categorical(2, (1, -1)), "weights must be 2 numbers from zero on"),
        (lambda: api.Categorical(2, (0, 0)), "weights must be 2 numbers"),
        (lambda: api.Joint(), "name what lies side by side"),
        (lambda: api.Joint(api.Normal((2, 2))), "noise of one dimension"),
        (lambda: api.Joint(api.Real()), "noise of one dimension"),
    ],
)
def test_noise_that_cannot_be_is_refused(make, message):
    with pytest.raises(api.GenbenchError, match=message):
        make()


class Doubled(Dataset):
    """A dataset whose samples are of a type that networks aren't."""

    event_shape = (2,)

    def sample(self, n, rng):
        return torch.randn(n, 2, generator=rng).double()


def test_real_samples_are_of_the_networks_type():
    """Compiled code would read anything else as numbers that it isn't."""
    problem = api.Problem((2,), 0)
    method = labelling(problem, {"real": api.Real()}, lambda nets, batch: 0)
    (block,) = Feed(method, Doubled(), problem).block(0, 1)
    assert block["real"].dtype == torch.float32
