"""Networks that keep buffers, as normalisations do: stacked and compiled, each replica has its own."""

from functools import partial

import pytest
import torch
from agreement import far_apart, trained
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from genbench import api
from genbench.contract.digits import digits
from genbench.engine.training import Training
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial

pytestmark = pytest.mark.usefixtures("double")

STEPS = 30


class Shifted(nn.Module):
    """A layer with a buffer that no state holds and that never changes."""

    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.full((2,), 0.5), persistent=False)

    def forward(self, x):
        return x + self.shift


def normalised(rng):
    return nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2), Shifted())


def critic(rng):
    layers = nn.Linear(2, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Linear(8, 1)
    return nn.Sequential(*layers)


def spectral(rng):
    return nn.Sequential(spectral_norm(nn.Linear(2, 8)), nn.LeakyReLU(0.2), spectral_norm(nn.Linear(8, 1)))


CRITICS = {"batch normalised": critic, "spectrally normalised": spectral}


def build(problem, critic):
    noise = api.Normal((2,))

    def critic_loss(nets, batch):
        real, fake = api.together(nets.critic, batch.real, nets.generator(batch.noise))
        return nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean()

    def generator_loss(nets, batch):
        return nn.functional.softplus(-nets.critic(nets.generator(batch.noise))).mean()

    adam = api.Optimizer("adam", 1e-2)
    return api.Method(
        networks={
            "generator": problem.initialised("generator", normalised),
            "critic": problem.initialised("critic", critic),
        },
        phases=[
            api.Phase("critic", critic_loss, {"real": api.Real(), "noise": noise}, repeats=2),
            api.Phase("generator", generator_loss, {"noise": noise}),
        ],
        optimizers={"generator": adam, "critic": adam},
        prior=noise,
        batch=16,
        landscape="critic",
    )


@pytest.fixture(params=CRITICS)
def ready(request, assembled):
    """`ready(engine, seeds)`: a training whose generator and critic keep buffers."""
    return partial(assembled, lambda problem: build(problem, CRITICS[request.param]), budget=f"steps={STEPS}")


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.usefixtures("eager")
def test_replicas_keep_buffers_of_their_own_as_if_alone(ready):
    both = trained(ready("compiled", (0, 1)))
    samples, points = both.stack.sample(50, [stream(0), stream(1)]), torch.randn(9, 2)
    for replica, seed in enumerate((0, 1)):
        alone = trained(ready("plain", (seed,)))
        assert far_apart(both.stack.weights(replica), alone.stack.weights(0)) < 1e-6
        torch.testing.assert_close(samples[replica], alone.stack.sample(50, [stream(seed)])[0], rtol=1e-6, atol=1e-8)
        torch.testing.assert_close(both.stack.landscape(points)[replica], alone.stack.landscape(points)[0])


def test_compiled_updates_agree_with_plain_ones(ready):
    compiled, plain = trained(ready("compiled")), trained(ready())
    assert (compiled.path.name, plain.path.name) == ("compiled", "plain")
    assert far_apart(compiled.stack.weights(0), plain.stack.weights(0)) < 1e-6


@pytest.mark.usefixtures("eager")
def test_sampling_changes_no_buffer(ready):
    training = trained(ready("compiled", (0, 1)), 0.5)
    before = training.weights_sha256(1)
    training.stack.sample(50, [stream(0), stream(1)])
    training.stack.landscape(torch.randn(9, 2))
    assert training.weights_sha256(1) == before


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("first", "then"), [("compiled", "compiled"), ("plain", "compiled"), ("compiled", "plain")])
def test_goes_on_after_a_pause_on_either_path(first, then, ready):
    whole, start, rest = trained(ready(then)), ready(first), ready(then)
    start.run(0.5)
    rest.restore(*start.state())
    rest.run(1.0)
    assert far_apart(rest.stack.weights(0), whole.stack.weights(0)) < 1e-6
    assert rest.stack.weights(0).keys() == whole.stack.weights(0).keys()


@pytest.mark.slow
def test_dcgan_with_batch_normalisation_loses_alike_compiled(double):
    """The small recipe's networks: losses of 50 steps in double precision, step by step."""
    images = digits()
    trial = Trial(
        dataset=Component.resolve(datasets, "ring8"),  # which names the trial alone
        trainer=Component.resolve(trainers, "gan[recipe=small-images,width=4,batch=8]"),
        budget=Budget.parse("steps=50"),
        seed=0,
    )
    plain, compiled = (Training([trial], images, "cpu", engine) for engine in ("plain", "compiled"))
    for step in range(1, 51):
        plain.run(step / 50), compiled.run(step / 50)
        for name, loss in plain.losses.items():
            assert compiled.losses[name].item() == pytest.approx(loss.item(), rel=1e-6), (name, step)
    assert compiled.path.name == "compiled"
    assert far_apart(compiled.stack.weights(0), plain.stack.weights(0)) < 1e-6
