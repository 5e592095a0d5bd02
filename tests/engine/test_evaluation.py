"""Samples that are made by a procedure: counted, alike on every path, and of streams of their own."""

import pytest
import torch
from agreement import trained
from torch import nn

from genbench import api
from genbench.engine.stack import sample_block

EULER = 5


def euler(nets, noise):
    """An ordinary differential equation, in five steps."""
    for _ in range(EULER):
        noise = noise + nets.velocity(noise) / EULER
    return noise


def langevin(nets, noise):
    """Two steps up the gradient of an energy, each with noise of its own."""
    for _ in range(2):
        noise = noise - 0.1 * api.input_gradient(nets.energy, noise) + 0.1 * torch.randn_like(noise)
    return noise


def nothing(nets, noise):
    return noise[:, :1]


def build(problem, sample):
    def loss(nets, batch):
        return (nets.velocity(batch.noise) - batch.real).square().mean() + nets.energy(batch.real).square().mean()

    adam = api.Optimizer("adam", 1e-2)
    return api.Method(
        networks={
            "velocity": problem.initialised("velocity", lambda rng: nn.Linear(2, 2)),
            "energy": problem.critic("mlp", width=8, depth=1),
        },
        phases=[api.Phase(("velocity", "energy"), loss, {"real": api.Real(), "noise": api.Normal((2,))})],
        optimizers={"velocity": adam, "energy": adam},
        prior=api.Normal((2,)),
        batch=16,
        landscape="energy",
        sample=sample,
    )


@pytest.fixture
def ready(assembled, eager):
    """`ready(sample, engine=…)`: a training whose samples are made by that procedure, run to its end."""

    def of(sample, *how, **more):
        return trained(assembled(lambda problem: build(problem, sample), *how, budget="steps=10", **more))

    return of


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("sample", "evaluations"), [(euler, EULER), (langevin, 2)], ids=["euler", "langevin"])
class TestProcedure:
    def test_makes_samples_and_its_evaluations_are_counted(self, sample, evaluations, ready):
        stack = ready(sample).stack
        assert stack.evaluations is None
        samples = stack.sample(700, [stream()])
        assert samples.shape == (1, 700, 2)
        assert torch.isfinite(samples).all()
        assert not samples.requires_grad
        assert stack.evaluations == evaluations

    def test_first_samples_are_the_first_of_all(self, sample, evaluations, ready):
        stack = ready(sample).stack
        block = sample_block((2,))
        for n, first in ((3 * block, block + 10), (50, 20)):
            whole, some = stack.sample(n, [stream()]), stack.sample(n, [stream()], first)
            assert some.shape[1] == first
            torch.testing.assert_close(some, whole[:, :first])

    def test_depends_on_the_seed_and_the_noise_alone(self, sample, evaluations, ready):
        stack = ready(sample).stack
        torch.manual_seed(1)
        one = stack.sample(30, [stream()])
        torch.manual_seed(2)
        before = torch.get_rng_state()
        assert torch.equal(stack.sample(30, [stream()]), one)
        assert torch.equal(torch.get_rng_state(), before)
        assert not torch.equal(stack.sample(30, [stream(1)]), one)

    def test_is_the_same_on_the_stacked_path(self, sample, evaluations, ready):
        both = ready(sample, "compiled", (0, 1)).stack
        samples = both.sample(300, [stream(0), stream(1)])
        assert both.evaluations == evaluations
        points = torch.randn(9, 2)
        for replica, seed in enumerate((0, 1)):
            alone = ready(sample, "plain", (seed,)).stack
            torch.testing.assert_close(samples[replica], alone.sample(300, [stream(seed)])[0], rtol=1e-3, atol=1e-4)
            torch.testing.assert_close(
                both.landscape(points)[replica], alone.landscape(points)[0], rtol=1e-3, atol=1e-4
            )


def test_average_is_of_all_networks_that_a_procedure_may_evaluate(ready):
    training = ready(euler, ema=0.9)
    names = {name.partition(".")[0] for name in training.average.weights(0)}
    assert names == {"velocity", "energy"}
    before = training.stack.sample(20, [stream()])
    with training.average.in_place():
        assert not torch.equal(training.stack.sample(20, [stream()]), before)
    assert torch.equal(training.stack.sample(20, [stream()]), before)


def test_generator_is_evaluated_once(training):
    stack = training().stack
    stack.sample(20, [stream()])
    assert stack.evaluations == 1


def test_samples_of_another_shape_are_refused(ready):
    with pytest.raises(api.GenbenchError, match=r"have the shape \(20, 2\), and sample made \(20, 1\)"):
        ready(nothing).stack.sample(20, [stream()])


def test_sample_that_is_no_function_is_refused():
    with pytest.raises(api.GenbenchError, match="sample must be a function, not 5"):
        build(api.Problem((2,), 0), 5)


def test_networks_are_in_the_mode_that_they_were_in_whatever_happens(ready):
    training = ready(nothing)
    with pytest.raises(api.GenbenchError):
        training.stack.sample(20, [stream()])
    assert all(network.training for network in training.stack.method.networks.values())
