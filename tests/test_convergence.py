"""Each baseline's losses are the papers', worked out by hand in numpy, and a short training beats noise."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from genbench import seeding
from genbench.engine.inner import ahead_of
from genbench.engine.method import Batch, Networks
from genbench.engine.problem import Problem
from genbench.engine.training import Training
from genbench.metrics.truth import Truth
from genbench.registry import controls, datasets, metrics, trainers
from genbench.spec import Budget, Component, Trial
from genbench.trials.resources import build_dataset

SIZE = "width=6,depth=2"
N = 64
STEP = 1e-6


class Twin:
    """A method's networks and a batch in numpy and double precision, with losses spelled out unit by unit."""

    def __init__(self, method, batch):
        self.layers = {
            name: [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in network[::2]]
            for name, network in method.networks.items()
        }
        self.batch = {name: tensor.numpy() for name, tensor in batch.items()}

    def run(self, name, x):
        *hidden, (weight, bias) = self.layers[name]
        for inner, inner_bias in hidden:
            x = np.maximum(x @ inner.T + inner_bias, 0)
        return x @ weight.T + bias

    def fake(self):
        return self.run("generator", self.batch["noise"])

    def scores(self, critic):
        """What the critic says of the real and of the fake ones."""
        return self.run(critic, self.batch["real"])[:, 0], self.run(critic, self.fake())[:, 0]

    def discriminator(self, label=1.0):
        real, fake = (1 / (1 + np.exp(-score)) for score in self.scores("discriminator"))
        label = np.ravel(label)
        return -(label * np.log(real) + (1 - label) * np.log(1 - real)).mean() - np.log(1 - fake).mean()

    def gap(self):
        real, fake = self.scores("critic")
        return fake.mean() - real.mean()

    def penalty(self):
        """The mean of (‖∇D(x̂)‖ − 1)², its slopes by central differences."""
        between = self.batch["mix"] * self.batch["real"] + (1 - self.batch["mix"]) * self.fake()
        steps = STEP * np.eye(2)
        slope = np.stack(
            [
                (self.run("critic", between + step) - self.run("critic", between - step))[:, 0] / (2 * STEP)
                for step in steps
            ],
            1,
        )
        return ((np.sqrt((slope**2).sum(1)) - 1) ** 2).mean()


@pytest.fixture(params=[0, 1, 2], ids="seed {}".format)
def losses(request):
    """`losses(reference)`: a method in double precision, its critic's and generator's loss on a batch, and a twin."""

    def ready(reference):
        rng = torch.Generator().manual_seed(request.param)
        method = trainers.build(reference, Problem((2,), request.param))
        for network in method.networks.values():
            network.double()
        batch = {
            "real": torch.randn(N, 2, generator=rng, dtype=torch.float64),
            "noise": 3 * torch.randn(N, 2, generator=rng, dtype=torch.float64),
            "mix": torch.rand(N, 1, generator=rng, dtype=torch.float64),
            "label": 0.7 + 0.2 * torch.rand(N, 1, generator=rng, dtype=torch.float64),
        }
        networks = Networks(method.networks)
        return method, *((lambda p=p: p.loss(networks, Batch(batch))) for p in method.phases), Twin(method, batch)

    return ready


def slopes(loss, network):
    """The loss's derivative by each parameter of a network, in a row."""
    parts = torch.autograd.grad(loss(), network.parameters())
    return torch.cat([part.flatten() for part in parts]).numpy()


def differences(loss, network):
    """The same by moving each parameter a little to both sides; the twin sees the parameters' own memory."""
    found = []
    for parameter in network.parameters():
        values = parameter.detach().numpy().reshape(-1)
        for i, value in enumerate(values.copy()):
            values[i] = value + STEP
            above = loss()
            values[i] = value - STEP
            found.append((above - loss()) / (2 * STEP))
            values[i] = value
    return np.array(found)


@pytest.mark.parametrize("kind", ["non-saturating", "minimax"])
def test_discriminator_loses_what_cross_entropy_says(kind, losses):
    method, critic, _, twin = losses(f"gan[{SIZE},loss={kind}]")
    assert critic().item() == pytest.approx(twin.discriminator())
    discriminator = method.networks["discriminator"]
    assert slopes(critic, discriminator) == pytest.approx(differences(twin.discriminator, discriminator), abs=1e-6)


def test_smoothing_softens_the_real_label_alone(losses):
    _, critic, generator, twin = losses(f"gan[{SIZE},smoothing=true]")
    assert critic().item() == pytest.approx(twin.discriminator(twin.batch["label"]))
    assert critic().item() != pytest.approx(twin.discriminator(), rel=1e-3)
    _, fake = twin.scores("discriminator")
    assert generator().item() == pytest.approx(np.log1p(np.exp(-fake)).mean())


@pytest.mark.parametrize(
    ("kind", "loss"),
    [("non-saturating", lambda d: -np.log(d)), ("minimax", lambda d: np.log(1 - d))],
)
def test_generator_loses_as_its_game_says(kind, loss, losses):
    method, _, generator, twin = losses(f"gan[{SIZE},loss={kind}]")

    def by_hand():
        return loss(1 / (1 + np.exp(-twin.scores("discriminator")[1]))).mean()

    assert generator().item() == pytest.approx(by_hand())
    network = method.networks["generator"]
    assert slopes(generator, network) == pytest.approx(differences(by_hand, network), abs=1e-6)


@pytest.mark.parametrize("trainer", ["wgan", "wgan-gp"])
def test_generator_raises_the_critics_mean(trainer, losses):
    method, _, generator, twin = losses(f"{trainer}[{SIZE}]")
    assert generator().item() == pytest.approx(-twin.scores("critic")[1].mean())
    network = method.networks["generator"]
    by_hand = differences(lambda: -twin.scores("critic")[1].mean(), network)
    assert slopes(generator, network) == pytest.approx(by_hand, abs=1e-6)


def test_critic_of_the_wgan_maximises_the_gap(losses):
    method, critic, _, twin = losses(f"wgan[{SIZE}]")
    assert critic().item() == pytest.approx(twin.gap())
    network = method.networks["critic"]
    assert slopes(critic, network) == pytest.approx(differences(twin.gap, network), abs=1e-6)


@pytest.mark.parametrize("weight", [0, 0.1, 10])
def test_critic_of_the_wgan_gp_pays_for_its_slopes(weight, losses):
    _, critic, _, twin = losses(f"wgan-gp[{SIZE},penalty={weight}]")
    assert twin.penalty() > 0.01
    assert critic().item() == pytest.approx(twin.gap() + weight * twin.penalty(), rel=1e-5)


def test_penalty_teaches_the_critic_by_its_slopes(losses):
    """The loss's derivative by the weights of the smooth critic D(x) = v·tanh(Wx + b), whose ∇D is (1 − tanh²)·v W."""
    method, _, _, twin = losses(f"wgan-gp[{SIZE},penalty=10]")
    smooth = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1)).double()
    rng = torch.Generator().manual_seed(0)
    for parameter in smooth.parameters():
        nn.init.normal_(parameter, generator=rng)
    inner, bias, outer, _ = (parameter.detach().numpy() for parameter in smooth.parameters())
    real, mix, fake = twin.batch["real"], twin.batch["mix"], twin.fake()

    def by_hand():
        def hidden(x):
            return np.tanh(x @ inner.T + bias)

        slope = ((1 - hidden(mix * real + (1 - mix) * fake) ** 2) * outer) @ inner
        gap = (hidden(fake) @ outer.T).mean() - (hidden(real) @ outer.T).mean()
        return gap + 10 * ((np.linalg.norm(slope, axis=1) - 1) ** 2).mean()

    def loss():
        batch = Batch({name: torch.from_numpy(values) for name, values in twin.batch.items()})
        return method.phases[0].loss(Networks({**method.networks, "critic": smooth}), batch)

    assert loss().item() == pytest.approx(by_hand())
    assert slopes(loss, smooth) == pytest.approx(differences(by_hand, smooth), abs=1e-5)


@pytest.mark.parametrize("norm", [0.2, 1.0, 5.0])
def test_penalty_of_a_linear_critic_is_the_square_of_its_norm_less_one(norm):
    method = trainers.build("wgan-gp[penalty=3]", Problem((2,), 0))
    weight = norm * torch.tensor([[0.6], [-0.8]])
    networks = Networks({"generator": method.networks["generator"], "critic": lambda x: x @ weight + 7})
    rng = torch.Generator().manual_seed(0)
    noise, mix = torch.randn(N, 2, generator=rng), torch.rand(N, 1, generator=rng)
    real = method.networks["generator"](noise).detach()
    loss = method.phases[0].loss(networks, Batch({"real": real, "noise": noise, "mix": mix}))
    assert loss.item() == pytest.approx(3 * (norm - 1) ** 2, abs=1e-5)


def test_unrolled_generator_descends_what_the_game_is_worth_after_the_discriminators_next_steps(losses):
    """f_K, worked out by training a copy of the discriminator with torch's Adam, moves as G's gradient says."""
    method, *_, twin = losses(f"unrolled[{SIZE},steps=3,lr=0.05,beta1=0.5]")
    phase, generator = method.phases[1], method.networks["generator"]
    batch = Batch({name: torch.from_numpy(values) for name, values in twin.batch.items()})

    def game(discriminator):
        real, fake = discriminator(batch.real).sigmoid(), discriminator(generator(batch.noise)).sigmoid()
        return real.log().mean() + (1 - fake).log().mean()

    def by_hand():
        discriminator = deepcopy(method.networks["discriminator"])
        adam = torch.optim.Adam(discriminator.parameters(), lr=0.05, betas=(0.5, 0.999))
        for _ in range(3):
            adam.zero_grad()
            (-game(discriminator)).backward()
            adam.step()
        return game(discriminator).item()

    def loss():
        return phase.loss(Networks(method.networks, ahead_of(method, phase)), batch)

    assert loss().item() == pytest.approx(by_hand(), rel=1e-6)
    assert slopes(loss, generator) == pytest.approx(differences(by_hand, generator), abs=1e-4)


def trained(reference, steps):
    trial = Trial(
        dataset=Component.resolve(datasets, "ring8"),
        trainer=Component.resolve(trainers, reference),
        budget=Budget.parse(f"steps={steps}"),
        seed=0,
    )
    training = Training([trial], build_dataset(trial.dataset))
    training.run(1.0)
    return training.stack


@pytest.mark.parametrize("clip", [0.01, 0.3])
def test_clipped_weights_stay_within_their_bounds_and_reach_them(clip):
    critic = trained(f"wgan[{SIZE},clip={clip},lr=0.05,batch=16]", 20).method.networks["critic"]
    largest = max(parameter.abs().max().item() for parameter in critic.parameters())
    assert largest == pytest.approx(clip)


@pytest.fixture(scope="module")
def distance():
    """`distance(samples)`: the sliced W2 to ring8."""
    truth = Truth(datasets.build("ring8"))

    def to_the_truth(samples):
        metric = metrics.build("sliced_w2[n=2000]", truth)
        metric.update(samples)
        return metric.compute().item()

    return to_the_truth


@pytest.fixture(scope="module")
def noise(distance):
    """The least distance of five draws of uniform noise."""
    ring8 = datasets.build("ring8")
    return min(distance(controls["noise"].build(ring8, 2_000, seeding.stream(seed, "noise"))) for seed in range(5))


@pytest.mark.parametrize(("trainer", "steps"), [("gan", 600), ("wgan", 600), ("wgan-gp", 400)])
def test_short_training_beats_noise(trainer, steps, distance, noise):
    samples = trained(trainer, steps).sample(2_000, [seeding.stream(0, seeding.EVALUATION_NOISE)])[0]
    assert distance(samples) < noise


@pytest.mark.slow
@pytest.mark.parametrize("trainer", [entry.name for entry in trainers])
def test_every_method_comes_near_the_modes_with_its_defaults(trainer):
    """A twin written with the same misunderstanding agrees to the last bit; the data doesn't. Noise has .005 of it."""
    samples = trained(trainer, 6_000).sample(2_000, [seeding.stream(0, seeding.EVALUATION_NOISE)])[0]
    metric = metrics.build("hq", Truth(datasets.build("ring8")))
    metric.update(samples)
    assert metric.compute().item() > 0.1


def test_untrained_generator_is_worse_than_noise(distance, noise):
    samples = trained("gan", 1).sample(2_000, [seeding.stream(0, seeding.EVALUATION_NOISE)])[0]
    assert distance(samples) > noise
