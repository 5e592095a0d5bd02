"""The flow that ships is what the committed script makes, and is as good as its card says."""

import hashlib

import pytest
import torch

from genbench.datasets.flows import NAME, SIZE, Couplings, FlowDigits, card, loaded, shipped
from genbench.datasets.training import flow_digits as training
from genbench.datasets.training.flow_digits import FlowRecipe, digits_of, entropy_of, halves, measured, trained
from genbench.registry import datasets

TINY = FlowRecipe(Couplings(layers=2, width=8), steps=40, batch=32, lr=1e-2)
BITS, ACCURACY = 6.6, 0.95
"""Of digits that training didn't see; the first is of pixels 0 … 255 whose noise has a std of 12.75."""


def stripes(n=256):
    """Two classes of pixels that are bright in one half and dark in the other."""
    labels = torch.randint(2, (n,), generator=torch.Generator().manual_seed(0))
    x = torch.full((n, SIZE), -1.0)
    x[labels == 0, : SIZE // 2] = 1
    x[labels == 1, SIZE // 2 :] = 1
    return x, labels


@pytest.fixture(scope="module")
def flow():
    return trained(TINY, *stripes())


def test_learns(flow):
    x, labels = stripes()
    x = training.dequantised(x, TINY, torch.Generator().manual_seed(1))
    untrained = trained(TINY._replace(steps=1, lr=0.0), *stripes())
    assert flow.joint(x).logsumexp(1).mean() > untrained.joint(x).logsumexp(1).mean() + 10
    assert (flow.joint(x)[:, :2].argmax(1) == labels).double().mean() > 0.95


def test_training_is_repeatable_and_draws_from_no_global_stream(flow):
    before = torch.get_rng_state()
    again = trained(TINY, *stripes())
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, again.state_dict().values(), flow.state_dict().values()))


def test_half_precision_changes_little_and_leaves_a_density(flow):
    """Each order of pixels stays as it is, and the classes' shares sum to one whatever rounding does."""
    x, _ = stripes()
    before = flow.joint(x).logsumexp(1)
    rounded = trained(TINY._replace(steps=1, lr=0.0), *stripes())
    rounded.load_state_dict(halves(flow))
    assert torch.equal(rounded.orders, flow.orders)
    torch.testing.assert_close(rounded.joint(x).logsumexp(1), before, rtol=0, atol=1.0)
    off = rounded.log_shares + 0.5
    rounded.log_shares.copy_(off)
    torch.testing.assert_close(rounded.joint(x).logsumexp(1), before, rtol=0, atol=1.0)


@pytest.mark.usefixtures("real_data")
def test_digits_are_means_of_nine_pixels():
    part = datasets.build("mnist[size=28]").held_out
    x, labels = digits_of(part)
    assert x.shape == (10_000, SIZE) and torch.equal(labels, part.labels)
    image = part.at(torch.tensor([3]))[0, 0]
    assert x[3].reshape(8, 8)[4, 2].item() == pytest.approx(image[14:17, 8:11].mean().item(), abs=1e-6)


@pytest.mark.usefixtures("real_data")
def test_is_as_good_as_its_card_says():
    written = card()
    mnist = datasets.build("mnist[size=28]")
    for name, part in (("held_out", mnist.held_out), ("reference", mnist.reference)):
        found = measured(shipped(), part, FlowRecipe())
        assert found == pytest.approx(written["measured"][name], abs=2e-3)
        assert found["bits_per_dim"] <= BITS and found["accuracy"] >= ACCURACY


def test_card_is_of_the_recipe():
    written, recipe = card(), FlowRecipe()
    assert written["architecture"] == str(recipe.couplings)
    for name in ("noise", "steps", "batch", "lr", "clip"):
        assert written["trained"][name] == getattr(recipe, name)


@pytest.mark.slow
@pytest.mark.usefixtures("real_data")
def test_training_again_is_as_good(tmp_path):
    """The same machine and torch make the same bits; others the same figures, near enough."""
    again, written = training.make(tmp_path, FlowRecipe()), card()
    for part in ("held_out", "reference"):
        assert again["measured"][part]["bits_per_dim"] == pytest.approx(
            written["measured"][part]["bits_per_dim"], abs=0.02
        )
    path = tmp_path / f"{NAME}.safetensors"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == again["sha256"]
    target = FlowDigits(loaded(path, again["sha256"]))
    assert entropy_of(target, 20_000)["entropy"] == pytest.approx(again["truth"]["entropy"], abs=1)
