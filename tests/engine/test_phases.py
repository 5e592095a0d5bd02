"""One step of a method: who learns, on what, and how."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from genbench import api
from genbench.engine import evaluation
from genbench.engine.feed import Feed, Feeds
from genbench.engine.method import Batch, Networks
from genbench.engine.plain import Plain
from genbench.engine.problem import Problem
from genbench.registry import datasets, trainers

BATCH = 16


class Watched:
    """A method's trainer that notes each update: its phase's network, its batch, and which networks may learn."""

    def __init__(self, reference, seed=0):
        self.problem = Problem((2,), seed)
        method = trainers.build(reference, self.problem)
        self.updates = []
        watched = replace(method, phases=[self.watch(phase) for phase in method.phases])
        self.feeds = Feeds([Feed(watched, datasets.build("ring8"), self.problem)])
        self.trainer = Plain(watched, self.feeds, "cpu")
        self.networks = method.networks

    def watch(self, phase):
        def loss(nets, batch):
            learning = {n for n, net in self.networks.items() if any(p.requires_grad for p in net.parameters())}
            self.updates.append((phase.name, vars(batch), learning, self.weights()))
            return phase.loss(nets, batch)

        return replace(phase, loss=loss)

    def weights(self):
        return {name: value.clone() for name, value in self.trainer.weights(0).items()}

    def step(self):
        return self.trainer.step(0.0)


def changed(before, after):
    """The networks whose weights differ."""
    return {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])}


@pytest.fixture(params=["gan", "wgan", "wgan-gp"])
def watched(request):
    return Watched(f"{request.param}[width=8,batch={BATCH},critic_steps=3]")


def test_critic_learns_first_then_the_generator(watched):
    losses = watched.step()
    order = [network for network, *_ in watched.updates]
    critic = order[0]
    assert order == [critic] * 3 + ["generator"]
    assert set(losses) == {critic, "generator"}
    assert watched.trainer.updates == 4


def test_only_the_phases_network_learns(watched):
    watched.step()
    states = [weights for *_, weights in watched.updates] + [watched.weights()]
    for (network, _, learning, _), before, after in zip(watched.updates, states, states[1:], strict=False):
        assert learning == changed(before, after) == {network}
    assert not any(p.requires_grad for net in watched.networks.values() for p in net.parameters())


def test_frozen_networks_get_no_gradient(watched):
    for network in watched.networks.values():
        for parameter in network.parameters():
            parameter.grad = None
    critic_phase, generator_phase = watched.trainer.method.phases
    critic_draws, generator_draws = watched.feeds.next()
    watched.trainer._run(critic_phase, critic_draws)
    assert all(parameter.grad is None for parameter in watched.networks["generator"].parameters())
    before = [parameter.grad.clone() for parameter in watched.networks[critic_phase.name].parameters()]
    watched.trainer._run(generator_phase, generator_draws)
    after = [parameter.grad for parameter in watched.networks[critic_phase.name].parameters()]
    assert all(map(torch.equal, before, after))


def test_every_update_sees_fresh_samples_and_fresh_noise(watched):
    for _ in range(2):
        watched.step()
    real = [batch["real"] for _, batch, *_ in watched.updates if "real" in batch]
    noise = [batch["noise"] for _, batch, *_ in watched.updates]
    assert watched.trainer.samples == len(real) * BATCH == 6 * BATCH
    assert len(torch.cat(real).unique(dim=0)) == 6 * BATCH
    assert len(torch.cat(noise).unique(dim=0)) == 8 * BATCH


def test_generator_phase_draws_no_real_samples(watched):
    watched.step()
    assert "real" not in watched.updates[-1][1]


def test_weight_clipping_clips_the_critic_alone():
    watched = Watched(f"wgan[width=8,batch={BATCH},clip=0.02,lr=0.1,critic_steps=2]")
    for _ in range(3):
        watched.step()
        assert all(float(p.abs().max()) <= 0.02 for p in watched.networks["critic"].parameters())
    assert max(float(p.abs().max()) for p in watched.networks["critic"].parameters()) == pytest.approx(0.02)
    assert max(float(p.abs().max()) for p in watched.networks["generator"].parameters()) > 0.05


def test_weights_are_clipped_after_every_critic_update():
    watched = Watched(f"wgan[width=8,batch={BATCH},clip=0.02,lr=0.1,critic_steps=4]")
    watched.step()
    for *_, weights in watched.updates[1:]:
        critic = [value for name, value in weights.items() if name.startswith("critic.")]
        assert max(float(value.abs().max()) for value in critic) <= 0.02


def test_smoothed_labels_fill_their_range():
    watched = Watched("gan[width=8,batch=512,smoothing=true]")
    watched.step()
    label = watched.updates[0][1]["label"]
    assert label.shape == (512, 1)
    assert 0.7 <= float(label.min()) < 0.71
    assert 0.89 < float(label.max()) <= 0.9
    assert label.mean() == pytest.approx(0.8, abs=0.02)
    assert "label" not in watched.updates[-1][1]


def test_without_smoothing_no_labels_are_drawn():
    watched = Watched(f"gan[width=8,batch={BATCH}]")
    watched.step()
    assert "label" not in watched.updates[0][1]


def tensors(**shapes):
    rng = torch.Generator().manual_seed(0)
    return Batch({name: torch.rand(BATCH, *shape, generator=rng) for name, shape in shapes.items()})


def losses(reference):
    """A method's networks, and its critic's and generator's losses."""
    method = trainers.build(reference, Problem((2,), 0))
    critic, generator = method.phases
    return Networks(method.networks), critic.loss, generator.loss


@pytest.mark.parametrize("smoothing", [False, True])
def test_discriminator_loss_is_cross_entropy(smoothing):
    nets, loss, _ = losses(f"gan[width=8,smoothing={smoothing}]")
    batch = tensors(real=(2,), noise=(2,), label=(1,))
    real, fake = nets.discriminator(batch.real), nets.discriminator(nets.generator(batch.noise))
    truth = batch.label if smoothing else torch.ones_like(real)
    twin = functional.binary_cross_entropy_with_logits(real, truth)
    twin += functional.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
    assert loss(nets, batch).item() == pytest.approx(twin.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "twin"),
    [
        ("non-saturating", lambda score: -torch.sigmoid(score).log().mean()),
        ("minimax", lambda score: (1 - torch.sigmoid(score)).log().mean()),
    ],
)
def test_generator_losses_of_the_gan(kind, twin):
    nets, _, loss = losses(f"gan[width=8,loss={kind}]")
    batch = tensors(noise=(2,))
    expected = twin(nets.discriminator(nets.generator(batch.noise)))
    assert loss(nets, batch).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("reference", ["wgan[width=8]", "wgan-gp[width=8,penalty=0]"])
def test_wasserstein_losses(reference):
    nets, critic_loss, generator_loss = losses(reference)
    batch = tensors(real=(2,), noise=(2,), mix=(1,))
    fake, real = nets.critic(nets.generator(batch.noise)).mean(), nets.critic(batch.real).mean()
    assert critic_loss(nets, batch).item() == pytest.approx((fake - real).item(), rel=1e-5)
    assert generator_loss(nets, batch).item() == pytest.approx(-fake.item(), rel=1e-5)


def test_gradient_penalty_of_a_linear_critic_is_known():
    nets, loss, _ = losses("wgan-gp[width=8,penalty=10]")
    slope = torch.tensor([[3.0], [4.0]])
    linear = Networks({"generator": nets.generator, "critic": lambda x: x @ slope})
    batch = tensors(real=(2,), noise=(2,), mix=(1,))
    gap = (nets.generator(batch.noise) @ slope).mean() - (batch.real @ slope).mean()
    assert loss(linear, batch).item() == pytest.approx(gap.item() + 10 * (5 - 1) ** 2, rel=1e-5)


def test_gradient_penalty_lies_between_real_and_fake():
    nets, loss, _ = losses("wgan-gp[width=8]")
    batch, seen = tensors(real=(2,), noise=(2,), mix=(1,)), []
    loss(Networks({"generator": nets.generator, "critic": lambda x: seen.append(x) or nets.critic(x)}), batch)
    fake = nets.generator(batch.noise)
    expected = batch.mix * batch.real + (1 - batch.mix) * fake
    assert any(torch.allclose(points, expected, atol=1e-6) for points in seen)


def test_learning_rate_follows_the_schedule():
    watched = Watched(f"gan[width=8,batch={BATCH},lr=0.01,schedule=linear]")
    for progress, rate in ((0.0, 0.01), (0.5, 0.005), (0.99, 0.0005)):
        watched.trainer.step(progress)
        rates = [group["lr"] for o in watched.trainer._optimizers.values() for group in o.param_groups]
        assert rates == pytest.approx([rate] * 2)


def test_samples_do_not_depend_on_blocks_or_mode(monkeypatch):
    watched = Watched(f"gan[width=8,batch={BATCH},networks=pacgan]")
    watched.step()
    whole = watched.trainer.sample(100, [torch.Generator().manual_seed(0)])
    assert torch.allclose(whole[:, :16], watched.trainer.sample(16, [torch.Generator().manual_seed(0)]), rtol=1e-4)
    assert watched.networks["generator"].training
    assert not whole.requires_grad
    monkeypatch.setattr(evaluation, "sample_block", lambda shape: 30)
    in_blocks = watched.trainer.sample(100, [torch.Generator().manual_seed(0)])
    assert torch.allclose(in_blocks, whole, rtol=1e-4)
    first = watched.trainer.sample(100, [torch.Generator().manual_seed(0)], first=40)
    assert torch.allclose(first, whole[:, :40], rtol=1e-4)


def test_landscape_is_the_critics_score():
    watched = Watched(f"wgan[width=8,batch={BATCH}]")
    points = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(watched.trainer.landscape(points)[0], watched.networks["critic"](points).flatten())


def test_method_without_a_critic_has_no_landscape():
    problem = Problem((2,), 0)
    method = replace(trainers.build("gan[width=8]", problem), landscape=None)
    feeds = Feeds([Feed(method, datasets.build("ring8"), problem)])
    assert Plain(method, feeds, "cpu").landscape(torch.zeros(3, 2)) is None


def test_missing_names_say_what_there_is():
    with pytest.raises(AttributeError, match=r"no network 'discriminator'; it has critic, generator\."):
        Networks({"critic": None, "generator": None}).discriminator  # noqa: B018
    with pytest.raises(AttributeError, match="draws no 'label'; add it to the phase's draws"):
        Batch({}).label  # noqa: B018


@pytest.mark.parametrize("flat", [False, True], ids=["sloped", "flat"])
def test_input_gradient_is_autograds(flat):
    network = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    with torch.no_grad():
        for i, parameter in enumerate(network.parameters()):
            parameter.copy_(
                torch.zeros_like(parameter) if flat else torch.linspace(-1, 1, parameter.numel()).view_as(parameter) + i
            )
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    found = api.input_gradient(network, x)
    twin = torch.stack([torch.autograd.functional.jacobian(lambda row: network(row)[0], row) for row in x])
    assert found.shape == x.shape
    assert torch.allclose(found, twin, atol=1e-6)
    assert not x.requires_grad


def test_input_gradient_is_differentiable_by_the_weights():
    weight = torch.tensor([[1.0], [2.0]], requires_grad=True)
    slope = api.input_gradient(lambda x: (x @ weight).square(), torch.tensor([[1.0, 1.0]]))
    slope.sum().backward()
    # d/dw of Σᵢ 2(x·w)wᵢ at x = (1, 1), w = (1, 2): 2(w₁ + w₂) + 2(x·w) = 12 for each
    assert weight.grad.flatten().tolist() == pytest.approx([12, 12])


def test_gradient_penalty_of_a_flat_critic_has_a_finite_gradient():
    nets, loss, _ = losses("wgan-gp[width=8,penalty=1]")
    with torch.no_grad():
        for parameter in nets.critic.parameters():
            parameter.zero_()
    batch = tensors(real=(2,), noise=(2,), mix=(1,))
    value = loss(nets, batch)
    value.backward()
    assert value.item() == pytest.approx(1)
    assert all(
        torch.isfinite(parameter.grad).all() for parameter in nets.critic.parameters() if parameter.grad is not None
    )
