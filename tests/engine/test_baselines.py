"""What twins of losses don't see: samplers, bounds of likelihoods, and what is true of a critic or an image alone."""

import math

import pytest
import torch
from reference.trainer_twins import TWINS
from torch import nn

from genbench.contract.digits import digits
from genbench.engine.feed import Feed, Feeds
from genbench.engine.method import Batch, Networks
from genbench.engine.plain import Plain
from genbench.engine.problem import Problem
from genbench.errors import BadParameter
from genbench.registry import datasets, trainers
from genbench.seeding import stream

STD = 0.5
N = 20_000


@pytest.fixture
def built():
    """`built(reference)`: a trainer's method, for points in the plane unless told otherwise."""
    return lambda reference, shape=(2,): trainers.build(reference, Problem(shape, 0))


def kept(t, steps):
    """ᾱ_t, the cosine schedule of arXiv:2102.09672, equation 17."""
    f = [math.cos((s / steps + 0.008) / 1.008 * math.pi / 2) ** 2 for s in (t, 0)]
    return max(f[0] / f[1], 1e-4)


def test_ddpm_with_the_true_noise_gives_a_point_back(built):
    """Of data that is one point x₀, the expected noise is (x − √ᾱ x₀) / √(1 − ᾱ), and every sample is x₀."""
    method, point = built("ddpm[steps=40]"), torch.tensor([0.7, -1.2])

    def denoiser(x, time):
        alpha = kept(round(float(time[0]) * 40), 40)
        return (x - math.sqrt(alpha) * point) / math.sqrt(1 - alpha)

    samples = method.sample(Networks({"denoiser": denoiser}), torch.randn(100, 40, 2, generator=stream(0, "test")))
    assert torch.allclose(samples, point.expand(100, 2), atol=1e-3)


def spread_of_ddpm(steps, variance, std):
    """The std of samples of N(0, std²), of which the expected noise is x √(1 − ᾱ) / (ᾱ std² + 1 − ᾱ).

    A step takes x to (x − β_t ε / √(1 − ᾱ_t)) / √(1 − β_t), and adds noise (arXiv:2006.11239, algorithm 2).
    """
    reached = 1.0
    for t in range(steps, 0, -1):
        now, before = kept(t, steps), kept(t - 1, steps)
        beta = 1 - now / before
        shrunk = (1 - beta / (now * std**2 + 1 - now)) / math.sqrt(1 - beta)
        added = beta if variance == "fixed_large" else beta * (1 - before) / (1 - now)
        reached = reached * shrunk**2 + (added if t > 1 else 0)
    return math.sqrt(reached)


@pytest.mark.parametrize("variance", ["fixed_small", "fixed_large"])
@pytest.mark.parametrize("steps", [10, 200])
def test_ddpm_with_the_true_noise_gives_a_gaussian_back(steps, variance, built):
    """As wide as the variance of the steps' noise makes it, which the more steps there are matters the less."""
    method = built(f"ddpm[steps={steps},variance={variance}]")

    def denoiser(x, time):
        alpha = kept(round(float(time[0]) * steps), steps)
        return x * math.sqrt(1 - alpha) / (alpha * STD**2 + 1 - alpha)

    samples = method.sample(Networks({"denoiser": denoiser}), torch.randn(N, steps, 2, generator=stream(0, "test")))
    assert samples.std(0).tolist() == pytest.approx([spread_of_ddpm(steps, variance, STD)] * 2, rel=0.015)
    assert samples.mean(0).tolist() == pytest.approx([0, 0], abs=0.02)


def test_the_variances_of_ddpms_noise_differ_where_steps_are_few():
    few = [spread_of_ddpm(10, variance, STD) for variance in ("fixed_small", "fixed_large")]
    assert few[1] / few[0] > 1.1
    assert spread_of_ddpm(50, "fixed_small", 0.1) == pytest.approx(0.1 * 0.794, abs=1e-4)
    assert spread_of_ddpm(1_000, "fixed_small", 0.1) == pytest.approx(0.1 * 0.98, abs=1e-4)


@pytest.mark.parametrize(
    ("clip", "shape", "most"), [("", (1, 8, 8), 1), ("clip=2,", (1, 8, 8), 2), ("clip=2,", (2,), 2), ("", (2,), 400)]
)
def test_ddpm_that_takes_all_noise_for_data_ends_at_its_bound(clip, shape, most, built):
    method = built(f"ddpm[{clip}steps=40]", shape)
    noise = torch.randn(50, 40, *shape, generator=stream(0, "test"))
    samples = method.sample(Networks({"denoiser": lambda x, time: torch.zeros_like(x)}), noise)
    assert most / 2 < samples.abs().max() <= most


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2)])
def test_flow_matching_follows_the_velocity_to_the_order_of_its_solver(solver, order, built):
    """With v(x, t) = x cos t, a path from x₀ ends at x₀ exp(sin 1); half the step leaves a quarter of Heun's error."""
    start = torch.ones(1, 2, dtype=torch.float64)
    networks, end = Networks({"velocity": lambda x, t: x * t.cos()}), math.exp(math.sin(1))
    methods = [built(f"flow-matching[solver={solver},steps={steps}]") for steps in (40, 80)]
    errors = [abs(method.sample(networks, start)[0, 0].item() - end) for method in methods]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


class Linear(nn.Module):
    """A mean Wz + b and a log standard deviation: all that a linear VAE is made of."""

    def __init__(self, weight, bias, log_std):
        super().__init__()
        self.weight, self.bias, self.log_std = weight, bias, log_std

    def forward(self, x):
        mean = x @ self.weight.T + self.bias
        return torch.cat([mean, self.log_std.expand_as(mean)], dim=-1)


def test_bounds_of_a_linear_vae_rise_to_its_known_likelihood(built):
    """p(x) = N(b, WWᵀ + σ²I). With a posterior that is off, ELBO < bound of 10 < bound of 1 000 < ln p(x)."""
    weight, bias = torch.tensor([[0.8, 0.1], [-0.3, 0.5]]), torch.tensor([0.2, -0.1])
    networks = Networks({
        "generator": Linear(weight, bias, torch.tensor(math.log(STD))),
        "encoder": Linear(torch.linalg.inv(weight) * 0.5, torch.zeros(2), torch.tensor(-0.3)),
    })  # fmt: skip
    exact = torch.distributions.MultivariateNormal(bias, weight @ weight.T + STD**2 * torch.eye(2))
    x = exact.covariance_matrix.new_tensor([[0.3, 0.2], [-0.5, 0.1], [1.0, -1.0]]).repeat(300, 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        bounds = [built(f"vae[bound={bound}]").log_prob(networks, x).mean().item() for bound in (1, 10, 1_000)]
    truth = exact.log_prob(x).mean().item()
    assert bounds[0] < bounds[1] < bounds[2] <= truth + 0.01
    assert bounds[2] == pytest.approx(truth, abs=0.02)


def test_samples_of_a_vae_are_its_decoders(built):
    networks = Networks({"generator": Linear(torch.eye(2), torch.tensor([3.0, 0.0]), torch.tensor(math.log(STD)))})
    noise = torch.randn(N, 4, generator=stream(0, "test"))
    samples = built("vae").sample(networks, noise)
    assert samples.mean(0).tolist() == pytest.approx([3, 0], abs=0.05)
    assert samples.std(0).tolist() == pytest.approx([math.sqrt(1 + STD**2)] * 2, rel=0.03)


def test_bernoulli_decoders_are_of_images_alone(built):
    with pytest.raises(BadParameter, match="decoder=gaussian suits points"):
        built("vae[decoder=bernoulli]")
    method = built("vae[decoder=bernoulli,latent=3,width=8]", (1, 4, 4))
    assert method.log_prob is None
    with torch.no_grad():
        samples = method.sample(Networks(method.networks), torch.randn(5, 3, generator=stream(0, "test")))
    assert tuple(samples.shape) == (5, 1, 4, 4)
    assert float(samples.abs().max()) < 1


def test_bernoulli_decoders_learn_what_their_twin_does(built):
    method = built("vae[decoder=bernoulli,latent=3,width=8]", (1, 4, 4))
    (phase,), ((_, twin),) = method.phases, TWINS["vae"]({"decoder": "bernoulli", "beta": 1.0, "warmup": 0.5})
    rng = stream(0, "test")
    real, epsilon = torch.rand(20, 1, 4, 4, generator=rng) * 2 - 1, torch.randn(20, 3, generator=rng)
    batch = {"real": real, "epsilon": epsilon, "progress": torch.tensor(0.25)}
    loss = phase.loss(Networks(method.networks), Batch(batch))
    assert loss.item() == pytest.approx(twin(method.networks, {**batch, "real": real.flatten(1)}).item(), rel=1e-6)


@pytest.mark.parametrize("name", ["vae", "realnvp", "nsf"])
def test_densities_of_images_are_learnt_of_dequantised_pixels(name, built):
    """A density may grow without end at 256 levels; of points nothing is drawn."""
    method = built(f"{name}[width=8]", (1, 4, 4))
    (phase,) = method.phases
    assert phase.draws["within"].shape == (1, 4, 4)
    assert "within" not in built(f"{name}[width=8]").phases[0].draws
    fixed = {"real": torch.full((6, 1, 4, 4), -1.0), "epsilon": torch.zeros(6, 2), "progress": torch.tensor(0.0)}
    loss = [
        phase.loss(Networks(method.networks), Batch({**fixed, "within": torch.full((6, 1, 4, 4), off)})).item()
        for off in (-0.5, 0.5)
    ]
    assert loss[0] != loss[1]


def test_a_spectrally_normalised_critic_has_singular_values_of_one():
    def largest(critic):
        layers = [layer for layer in critic.modules() if isinstance(layer, nn.Linear)]
        return [torch.linalg.matrix_norm(layer.weight, 2).item() for layer in layers]

    normalised, plain = (Problem((2,), 0).critic("mlp", width=16, depth=2, spectral=s) for s in (True, False))
    with torch.no_grad():
        for _ in range(30):
            normalised(torch.zeros(1, 2))
    assert largest(normalised) == pytest.approx([1.0] * 3, abs=0.02)
    assert max(abs(size - 1) for size in largest(plain)) > 0.1


@pytest.mark.parametrize("name", [entry.name for entry in trainers if entry.is_own])
def test_every_trainer_learns_and_samples_images(name, built):
    small = {"width": 8, "batch": 4, "steps": 2, "pack": 2, "bins": 3, "layers": 2, "depth": 1}
    own = ",".join(f"{key}={value}" for key, value in small.items() if key in trainers[name].annotations)
    data = digits()
    problem = Problem(data.event_shape, 0)
    method = trainers.build(f"{name}[{own}]", problem)
    stack = Plain(method, Feeds([Feed(method, data, problem)]), "cpu")
    losses = stack.step(0.0)
    assert all(bool(torch.isfinite(loss).all()) for loss in losses.values())
    assert tuple(stack.sample(3, [stream(0, "test")]).shape) == (1, 3, *data.event_shape)


def test_half_of_unequal_modes_are_dropped_from_frequent_and_rare_alike():
    target = datasets.build("unequal")
    left = target.altered(20_000, stream(0, "test"), keep=0.5)
    nearest = torch.cdist(left, target.modes.centres).argmin(1)
    found = torch.bincount(nearest, minlength=25) > 0
    heavy = target.modes.weights > target.modes.weights.min()
    assert int(found[heavy].sum()) in (6, 7)
    assert int(found[~heavy].sum()) == 6
