"""The digits' truth is a flow: its density is exact and that of its samples, and what ships is what the card says."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from genbench import seeding
from genbench.datasets import flows
from genbench.datasets.base import Target
from genbench.datasets.flows import NAME, SIZE, WEIGHTS, ClassFlow, Couplings, FlowDigits, card, entropy, loaded
from genbench.errors import GenbenchError
from genbench.metrics.likelihood import cross_entropy
from genbench.metrics.observed import Observed
from genbench.registry import datasets
from genbench.scoring.likelihood import held_out, likelihoods
from genbench.scoring.protocols import protocol

WEIGHTS_FILE = WEIGHTS / f"{NAME}.safetensors"
MOST_BYTES = 1_000_000
DRAWS = 20_000


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def target():
    return datasets.build("flow-digits")


@pytest.fixture(scope="module")
def exact():
    """The shipped flow in double precision."""
    return loaded(WEIGHTS_FILE, card()["sha256"]).double().requires_grad_(False)


@pytest.fixture(scope="module")
def small():
    """A tiny flow that is far from the identity, since no weight is zero."""
    flow = ClassFlow(Couplings(layers=3, width=8), stream())
    rng = stream(1)
    with torch.no_grad():
        for weights in flow.parameters():
            weights.add_(0.3 * torch.randn(weights.shape, generator=rng))
        flow.std.copy_(0.5 + torch.rand(SIZE, generator=rng))
        flow.mean.copy_(torch.randn(SIZE, generator=rng))
    return flow.double()


def by_the_jacobian(flow, x):
    """ln p(x) from the change of variables, with the determinant of the whole Jacobian and torch's own Gaussians."""
    z = flow(x[None])[0][0]
    jacobian = torch.func.jacrev(lambda row: flow(row[None])[0][0])(x)
    components = torch.distributions.Independent(torch.distributions.Normal(flow.centres, flow.log_stds.exp()), 1)
    shares = torch.distributions.Categorical(logits=flow.log_shares)
    base = torch.distributions.MixtureSameFamily(shares, components)
    return base.log_prob(z) + torch.linalg.slogdet(jacobian).logabsdet


def test_density_is_the_change_of_variables(target, exact):
    for x in target.sample(4, stream()).double():
        assert target.log_prob(x[None]).item() == pytest.approx(by_the_jacobian(exact, x).item(), abs=1e-8)


def test_density_of_any_flow_is_the_change_of_variables(small):
    for x in torch.randn(4, SIZE, generator=stream(), dtype=torch.float64):
        found = small.joint(x[None]).logsumexp(1).item()
        assert found == pytest.approx(by_the_jacobian(small, x).item(), abs=1e-9)


@pytest.mark.parametrize("which", ["exact", "small"])
def test_inverse_undoes_it(which, request):
    flow = request.getfixturevalue(which)
    z = torch.randn(500, SIZE, generator=stream(), dtype=torch.float64)
    torch.testing.assert_close(flow(flow.inverse(z))[0], z, rtol=0, atol=1e-8)


def test_samples_are_the_inverse_of_their_digits_noise(target, exact):
    samples, labels = target.labelled(5_000, stream())
    z = (exact(samples.double())[0] - exact.centres[labels]) / exact.log_stds.exp()[labels]
    assert z.mean(0).abs().max().item() < 5 / math.sqrt(5_000)
    assert (z.std(0) - 1).abs().max().item() < 5 / math.sqrt(2 * 5_000)
    shares = torch.bincount(labels, minlength=10) / 5_000
    assert (shares - exact.log_shares.softmax(0)).abs().max().item() < 5 * math.sqrt(0.1 * 0.9 / 5_000)


def test_samples_are_of_the_density(target):
    """E[q/p] over samples of p is the mass of q, which is one: here q is the flow with a little less noise."""
    cooler = loaded(WEIGHTS_FILE, card()["sha256"]).requires_grad_(False)
    cooler.log_stds.add_(math.log(0.95))
    samples = target.sample(DRAWS, stream(5))
    ratio = (FlowDigits(cooler).log_prob(samples) - target.log_prob(samples)).exp()
    assert ratio.mean().item() == pytest.approx(1, abs=5 * ratio.std().item() / math.sqrt(DRAWS))
    assert ratio.std().item() < 1.5


def test_entropy_is_that_of_fresh_draws(target):
    written, error = entropy()
    surprise = -target.log_prob(target.sample(DRAWS, stream(7)))
    assert surprise.mean().item() == pytest.approx(
        written, abs=4 * math.hypot(error, surprise.std() / math.sqrt(DRAWS))
    )
    assert card()["truth"]["draws"] >= 200_000


def test_less_noise_is_less_surprising_and_half_the_digits_are_no_others(target):
    plain, calm = (-target.log_prob(target.altered(2_000, stream(), spread=s)).mean().item() for s in (1.0, 0.8))
    assert calm < plain - 5
    half = target.altered(2_000, stream(), keep=0.5)
    told = target.class_log_prob(half).argmax(1)
    kept = torch.isin(told, torch.tensor([0, 2, 4, 6, 8])) | torch.isin(told, torch.tensor([1, 3, 5, 7, 9]))
    assert kept.all() and (torch.bincount(told, minlength=10) > 100).sum() == 5


def test_digits_are_told_apart_by_their_own_density(target):
    samples, labels = target.labelled(2_000, stream())
    assert (target.class_log_prob(samples).argmax(1) == labels).double().mean().item() > 0.95
    together = target.class_log_prob(samples).exp().sum(1)
    torch.testing.assert_close(together, torch.ones(2_000, dtype=torch.float64))


def test_the_truth_has_no_gap_and_a_warmer_flow_has(target):
    """The gap of a Gaussian base half as wide again is its divergence, ln s + ½ s⁻² − ½ a dimension, at the most."""
    way = protocol("flow-digits1")
    data = held_out(target, way.n)
    model = loaded(WEIGHTS_FILE, card()["sha256"]).requires_grad_(False)
    gap = likelihoods(model.joint(data).logsumexp(1), data, target, way, None, None)[1]
    assert gap.value == pytest.approx(0, abs=1e-3)
    model.log_stds.add_(math.log(1.5))
    wide = likelihoods(model.joint(data).logsumexp(1), data, target, way, None, None)[1].value
    most = SIZE * (math.log(1.5) + 0.5 / 1.5**2 - 0.5)
    assert 0.9 * most < wide <= most + 0.1


def test_cross_entropy_of_its_own_samples_is_its_entropy(target):
    written, _ = entropy()
    found = cross_entropy(Observed(target.sample(DRAWS, stream(3))), target).item()
    assert found == pytest.approx(written, abs=0.5)
    far = cross_entropy(Observed(torch.full((4, SIZE), 3.0)), target).item()
    assert math.isfinite(far) and far > written + 100


def test_nothing_is_rounded_or_cut_off(target):
    samples = target.sample(2_000, stream())
    assert len(samples.unique()) > 0.9 * samples.numel()
    assert samples.min().item() < -1 and (samples.abs() < 1.5).double().mean().item() > 0.999


def test_it_is_the_same_each_time_it_is_loaded(target):
    before = torch.get_rng_state()
    again = flows.shipped()
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(again.sample(64, stream()), target.sample(64, stream()))
    assert again is not target and isinstance(again, Target)


def test_version_is_that_of_the_weights():
    """Other weights are another target, and its trials are other trials."""
    assert f"flow-digits-{datasets['flow-digits'].version}" == NAME == card()["name"]
    assert WEIGHTS_FILE.stat().st_size < MOST_BYTES


def test_other_weights_are_refused(tmp_path, monkeypatch):
    weights = load(WEIGHTS_FILE.read_bytes())
    weights["mean"] = weights["mean"] + 0.01
    (tmp_path / WEIGHTS_FILE.name).write_bytes(save(weights))
    (tmp_path / f"{NAME}.json").write_text(json.dumps(card()))
    monkeypatch.setattr(flows, "WEIGHTS", Path(tmp_path))
    flows._loaded.cache_clear()
    try:
        with pytest.raises(GenbenchError, match="is damaged: its SHA-256 is"):
            datasets.build("flow-digits")
    finally:
        flows._loaded.cache_clear()


def test_it_needs_no_data(monkeypatch, tmp_path):
    monkeypatch.setenv("GENBENCH_DATA", str(tmp_path / "none"))
    flows._loaded.cache_clear()
    assert datasets.build("flow-digits").sample(3, seeding.stream(0, seeding.TRAINING_DATA)).shape == (3, SIZE)
