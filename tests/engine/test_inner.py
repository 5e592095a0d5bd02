"""What losses and networks draw by themselves: each replica's own numbers, the same on every path."""

import pytest
import torch
from agreement import far_apart, trained
from scipy import stats
from torch import nn

from genbench import api
from genbench.engine.inner import ANSWERS, Answered, live

pytestmark = pytest.mark.usefixtures("double")

STEPS = 20


class Noisy(nn.Module):
    """A generator that adds noise of its own while it learns."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, noise):
        return self.layer(noise) + (0.3 * torch.randn(len(noise), 2) if self.training else 0)


def dropping(rng):
    return nn.Sequential(nn.Linear(2, 16), nn.Dropout(0.4), nn.LeakyReLU(0.2), nn.Linear(16, 1))


def build(problem, penalised=True):
    """A WGAN-GP whose mix is drawn in the loss, with dropout in the critic and noise in the generator."""
    noise = api.Normal((2,))

    def critic_loss(nets, batch):
        fake = nets.generator(batch.noise)
        between = fake.lerp(batch.real, torch.rand(len(fake), 1))
        jittered = batch.real + 0.1 * torch.randn_like(batch.real)
        loss = nets.critic(fake).mean() - nets.critic(jittered).mean()
        if not penalised:
            return loss
        return loss + (api.input_gradient(nets.critic, between).norm(2, dim=1) - 1).square().mean()

    def generator_loss(nets, batch):
        return -nets.critic(nets.generator(batch.noise)).mean()

    adam = api.Optimizer("adam", 1e-2)
    return api.Method(
        networks={
            "generator": problem.initialised("generator", lambda rng: Noisy()),
            "critic": problem.initialised("critic", dropping),
        },
        phases=[
            api.Phase("critic", critic_loss, {"real": api.Real(), "noise": noise}, repeats=2),
            api.Phase("generator", generator_loss, {"noise": noise}, every=2),
        ],
        optimizers={"generator": adam, "critic": adam},
        prior=noise,
        batch=16,
    )


@pytest.fixture
def ready(assembled):
    """`ready(engine, seeds)`: a training whose networks and losses draw by themselves, or of another `build`."""

    def of(engine="plain", seeds=(0,), build=build):
        return assembled(build, engine, seeds, f"steps={STEPS}")

    return of


@pytest.mark.usefixtures("eager")
def test_replicas_draw_their_own_numbers_as_if_alone(ready):
    both = trained(ready("compiled", (0, 1)))
    assert both.path.name == "compiled"
    for replica, seed in enumerate((0, 1)):
        alone = trained(ready("plain", (seed,)))
        assert far_apart(both.stack.weights(replica), alone.stack.weights(0)) < 1e-8


def test_compiled_updates_draw_anew_each_time(ready):
    compiled, plain = trained(ready("compiled")), trained(ready())
    assert far_apart(compiled.stack.weights(0), plain.stack.weights(0)) < 1e-6


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("first", "then"), [("plain", "plain"), ("compiled", "compiled"), ("plain", "compiled")])
def test_goes_on_after_a_pause_with_the_numbers_that_would_have_followed(first, then, ready):
    whole, start, rest = trained(ready(then)), ready(first), ready(then)
    start.run(7 / STEPS)
    torch.manual_seed(9)
    rest.restore(*start.state())
    rest.run(1.0)
    assert far_apart(rest.stack.weights(0), whole.stack.weights(0)) < 1e-8


def test_numbers_do_not_come_from_the_global_stream(ready):
    torch.manual_seed(1)
    one = trained(ready()).weights_sha256()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert trained(ready()).weights_sha256() == one
    assert torch.equal(torch.get_rng_state(), before)
    assert trained(ready(seeds=(1,))).weights_sha256() != one


def test_generator_that_nobody_keeps_is_not_compiled(ready):
    """What it gave at the first call would be given again each time."""
    own = torch.Generator().manual_seed(0)

    def hidden(problem):
        method = build(problem, penalised=False)
        critic, generator = method.phases

        def loss(nets, batch):
            return critic.loss(nets, batch) + torch.rand(1, generator=own).sum()

        phases = [api.Phase("critic", loss, critic.draws), generator]
        return api.Method(method.networks, phases, method.optimizers, method.prior, method.batch)

    with pytest.raises(api.GenbenchError, match="can't be trained with --engine compiled"):
        ready("compiled", build=hidden)


X = torch.zeros(4_000, 3)
CALLS = {
    "randn": (lambda: torch.randn(12_000), stats.norm().cdf),
    "randn of a size": (lambda: torch.randn(size=(4_000, 3)), stats.norm().cdf),
    "randn of a tuple": (lambda: torch.randn((4_000, 3), dtype=torch.float64), stats.norm().cdf),
    "rand": (lambda: torch.rand(4_000, 3), stats.uniform().cdf),
    "randn_like": (lambda: torch.randn_like(X), stats.norm().cdf),
    "rand_like": (lambda: torch.rand_like(X), stats.uniform().cdf),
    "normal": (lambda: torch.normal(X + 2, 3.0), stats.norm(2, 3).cdf),
    "normal of a size": (lambda: torch.normal(2.0, 3.0, (4_000, 3)), stats.norm(2, 3).cdf),
    "in place": (lambda: torch.empty(4_000, 3).normal_(2, 3), stats.norm(2, 3).cdf),
    "uniform in place": (lambda: torch.empty(4_000, 3).uniform_(-1, 3), stats.uniform(-1, 4).cdf),
    "a distribution": (lambda: torch.distributions.Normal(X + 2, 3.0).rsample(), stats.norm(2, 3).cdf),
}


def answered(call, seed=0):
    with Answered(live(torch.Generator().manual_seed(seed))):
        return call()


@pytest.mark.parametrize("name", CALLS)
def test_answers_are_distributed_as_torchs_own(name):
    call, distribution = CALLS[name]
    found = answered(call)
    assert found.shape == call().shape
    assert found.dtype == call().dtype
    assert stats.kstest(found.flatten().numpy(), distribution).pvalue > 1e-3
    assert torch.equal(answered(call), found)
    assert not torch.equal(answered(call, 1), found)


def test_whole_numbers_and_coins_are_distributed_as_torchs_own():
    whole = answered(lambda: torch.randint(2, 7, (20_000,)))
    assert (whole.dtype, whole.min(), whole.max()) == (torch.long, 2, 6)
    assert whole.bincount()[2:].numpy() == pytest.approx([4_000] * 5, rel=0.1)
    assert answered(lambda: torch.randint(5, (9, 2))).shape == (9, 2)
    coins = answered(lambda: torch.bernoulli(torch.full((20_000,), 0.3)))
    assert coins.unique().tolist() == [0, 1]
    assert coins.mean().item() == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize(("p", "kept"), [(0.0, 1), (0.25, 0.75), (1.0, 0)])
def test_dropout_keeps_as_many_and_scales_them(p, kept):
    ones = torch.ones(4_000, 5)
    dropped = answered(lambda: nn.Dropout(p)(ones))
    assert set(dropped.unique().tolist()) <= {0, 1 / (1 - p) if p < 1 else 0}
    assert (dropped != 0).double().mean().item() == pytest.approx(kept, abs=0.02)
    assert torch.equal(answered(lambda: nn.Dropout(p).eval()(ones)), ones)


def test_dropout_of_channels_drops_them_whole():
    dropped = answered(lambda: nn.Dropout2d(0.5)(torch.ones(500, 8, 3, 3)))
    sums = dropped.flatten(2).sum(-1)
    assert set(sums.unique().tolist()) == {0, 18}
    assert (sums > 0).double().mean().item() == pytest.approx(0.5, abs=0.05)


def test_own_generators_are_refused():
    with pytest.raises(api.GenbenchError, match="a generator of its own"):
        answered(lambda: torch.rand(3, generator=torch.Generator()))


def test_every_answer_is_held_against_torch():
    in_place = {torch.Tensor.normal_, torch.Tensor.uniform_}
    held = {torch.randn, torch.rand, torch.randn_like, torch.rand_like, torch.normal, torch.randint, torch.bernoulli}
    dropping_ = {getattr(nn.functional, name) for name in ("dropout", "dropout1d", "dropout2d", "dropout3d")}
    assert ANSWERS.keys() == held | dropping_ | in_place
