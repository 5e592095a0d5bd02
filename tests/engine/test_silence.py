"""What would train as something else on one path, or after a pause, without a word."""

from functools import partial

import pytest
import torch
from agreement import far_apart, trained
from torch import nn

from genbench import api

pytestmark = pytest.mark.usefixtures("double")

STEPS = 12
ADAM = api.Optimizer("adam", 1e-2)


def method(problem, generator=None, critic_loss=None, generator_loss=None, optimizer=ADAM, critic=None):
    """A small GAN of which a part may be another."""
    noise = api.Normal((2,))

    def plain_critic_loss(nets, batch):
        return nets.critic(nets.generator(batch.noise)).mean() - nets.critic(batch.real).mean()

    def plain_generator_loss(nets, batch):
        return -nets.critic(nets.generator(batch.noise)).mean()

    return api.Method(
        networks={
            "generator": problem.initialised("generator", lambda rng: generator() if generator else nn.Linear(2, 2)),
            "critic": critic or problem.critic("mlp", width=8, depth=1),
        },
        phases=[
            api.Phase("critic", critic_loss or plain_critic_loss, {"real": api.Real(), "noise": noise}),
            api.Phase("generator", generator_loss or plain_generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": optimizer, "critic": optimizer},
        prior=noise,
        batch=16,
    )


@pytest.fixture
def ready(assembled):
    """`ready(build, engine=…)`: the training of what `build(problem)` gives."""
    return partial(assembled, budget=f"steps={STEPS}")


def frozen():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    network[0].requires_grad_(False)
    return network


class Idle(nn.Module):
    """A generator with a layer that nothing goes through."""

    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(2, 2), nn.Linear(2, 2)

    def forward(self, noise):
        return self.used(noise)


def steered(nets, batch):
    """A generator's loss that goes through the critic's gradient by its samples."""
    fake = nets.generator(batch.noise)
    return -nets.critic(fake).mean() + api.input_gradient(nets.critic, fake).square().sum(1).mean()


DECAYING = api.Optimizer("adamw", 1e-2, weight_decay=0.3)
BUILDS = {
    "frozen layer": lambda problem: method(problem, frozen),
    "unused layer": lambda problem: method(problem, Idle, optimizer=DECAYING),
    "gradient by samples": lambda problem: method(
        problem, generator_loss=steered, critic=nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    ),
    "sgd": lambda problem: method(problem, optimizer=api.Optimizer("sgd", 1e-2, beta1=0.0)),
}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", BUILDS)
class TestPaths:
    def test_train_alike(self, name, ready):
        build = BUILDS[name]
        plain, stack = trained(ready(build)), trained(ready(build, "compiled"))
        assert far_apart(stack.stack.weights(0), plain.stack.weights(0)) < 1e-9

    @pytest.mark.parametrize(("first", "then"), [("plain", "compiled"), ("compiled", "plain")])
    def test_go_on_from_each_other(self, first, then, name, ready):
        build = BUILDS[name]
        start, rest = trained(ready(build, first), 0.5), ready(build, then)
        rest.restore(*start.state())
        rest.run(1.0)
        assert far_apart(rest.stack.weights(0), trained(ready(build)).stack.weights(0)) < 1e-9


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_frozen_parameters_stay_what_they_are(engine, ready):
    training = ready(BUILDS["frozen layer"], engine)
    before = {name: value.clone() for name, value in training.stack.weights(0).items()}
    training.run(1.0)
    moved = {name for name, value in training.stack.weights(0).items() if not torch.equal(value, before[name])}
    assert {name for name in moved if name.startswith("generator")} == {"generator.1.weight", "generator.1.bias"}


def resting(problem):
    """A generator with a normalisation that is kept in evaluation mode."""

    def build():
        network = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
        network[1].eval()
        return network

    return method(problem, build)


def test_layer_that_is_kept_in_evaluation_mode_stays_so_however_often_one_looks(ready):
    seldom, often = ready(resting), ready(resting)
    for share in (0.25, 0.5, 0.75, 1.0):
        often.run(share)
        often.stack.sample(5, [torch.Generator()])
    seldom.run(1.0)
    assert often.weights_sha256() == seldom.weights_sha256()


def test_streams_of_a_methods_own_go_on_after_a_pause(ready):
    def build(problem):
        stream = problem.stream("mine")

        def loss(nets, batch):
            return nets.critic(batch.real).mean() * (1 + torch.rand((), generator=stream))

        return method(problem, critic_loss=loss)

    whole, first, second = (ready(build) for _ in range(3))
    whole.run(1.0)
    first.run(0.5)
    second.restore(*first.state())
    second.run(1.0)
    assert second.weights_sha256() == whole.weights_sha256()


class Fourier(nn.Module):
    """A network with a tensor of its own that no state holds."""

    def __init__(self):
        super().__init__()
        self.frequencies = torch.randn(2, 8)
        self.layer = nn.Linear(8, 2)

    def forward(self, noise):
        return self.layer((noise @ self.frequencies).sin())


def test_tensor_of_one_seed_is_not_compiled_for_all(ready):
    with pytest.raises(api.GenbenchError, match="neither its argument nor a parameter or buffer"):
        ready(lambda problem: method(problem, Fourier), "compiled")


def test_samples_that_nobody_draws_are_no_budget(ready):
    def build(problem):
        return method(problem, critic_loss=lambda nets, batch: nets.critic(batch.noise).mean())

    def blind(problem):
        made = build(problem)
        phases = [api.Phase(phase.networks, phase.loss, {"noise": api.Normal((2,))}) for phase in made.phases]
        return api.Method(made.networks, phases, made.optimizers, made.prior, made.batch)

    with pytest.raises(api.GenbenchError, match="draws no real samples, which its budget counts"):
        ready(blind, budget="samples=100")


@pytest.mark.parametrize("rows", [0.5, 2])
def test_procedure_that_gives_another_number_of_samples_is_refused(rows, ready):
    def sample(nets, noise):
        return nets.generator(noise.repeat(2, 1)[: int(rows * len(noise))])

    def build(problem):
        made = method(problem)
        return api.Method(made.networks, made.phases, made.optimizers, made.prior, made.batch, sample=sample)

    with pytest.raises(api.GenbenchError, match=r"10 samples of the dataset have the shape \(10, 2\), and sample made"):
        ready(build).stack.sample(10, [torch.Generator()])
