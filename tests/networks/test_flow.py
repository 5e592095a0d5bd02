"""Flows are invertible, and their log-determinant is that of the Jacobian which autograd finds."""

import itertools
import math

import pytest
import torch

from genbench.errors import BadParameter
from genbench.networks import flow
from genbench.seeding import stream

SHAPES = [(2,), (3,), (7,), (1, 4, 4)]
KINDS = ["affine", "spline"]


@pytest.fixture
def made():
    """`made(kind, shape)`: a flow in double precision whose couplings do something."""

    def build(kind, shape, scale=1.0):
        rng = stream(0, "test")
        more = {"bins": 5} if kind == "spline" else {}
        network = getattr(flow, kind)(shape, layers=5, width=8, depth=2, rng=rng, **more).double()
        with torch.no_grad():
            for coupling in network.couplings:
                last = coupling.conditioner[-1]
                last.weight.normal_(std=0.5 * scale, generator=rng)
                last.bias.normal_(std=scale, generator=rng)
        return network

    return build


@pytest.fixture(params=SHAPES, ids=str)
def x(request):
    return 2 * torch.randn(50, *request.param, generator=stream(1, "test"), dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_inverse_gives_the_samples_back(kind, made, x):
    network = made(kind, tuple(x.shape[1:]), scale=0.5)
    noise = network(x)[:, :-1]
    assert not torch.allclose(noise, x.flatten(1), atol=0.1)
    assert torch.allclose(network(noise, inverse=True), x, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_determinant_is_the_jacobians(kind, made, x):
    network = made(kind, tuple(x.shape[1:]))
    jacobians = torch.stack(
        [torch.autograd.functional.jacobian(lambda one: network(one[None])[0, :-1], one) for one in x]
    )
    square = jacobians.flatten(2)
    assert torch.allclose(network(x)[:, -1], torch.linalg.slogdet(square).logabsdet, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_moved(kind, made, x):
    network = made(kind, tuple(x.shape[1:]))
    moved = network(x)[:, :-1] - x.flatten(1)
    assert bool((moved.abs().amax(0) > 1e-3).all())


@pytest.fixture
def moves(x):
    """Which numbers of a sample each of five affine couplings moves, bool `(5, size)`."""
    network = flow.affine(tuple(x.shape[1:]), layers=5, width=8, depth=2, rng=stream(0, "test")).double()
    states = [x.flatten(1)]
    for i in range(5):
        shortened = flow.Flow(network.event_shape, list(network.couplings[: i + 1]))
        states.append(shortened(x)[:, :-1])
    return torch.stack([(after != before).any(0) for before, after in itertools.pairwise(states)])


def test_two_couplings_move_every_number_once(moves):
    assert bool((moves[0] ^ moves[1]).all())
    assert bool((moves[2] ^ moves[3]).all())


def test_two_divisions_take_turns_and_of_two_numbers_each_coupling_moves_what_the_last_one_kept(moves):
    """Where two in a row move the same number by the other one, they do no more than one of them could."""
    if moves.shape[1] == 2:
        assert bool((moves[1:] ^ moves[:-1]).all())
    else:
        assert moves[0].tolist() != moves[2].tolist()
    assert moves[0].tolist() == moves[4].tolist()


def test_splines_start_as_the_identity():
    network = flow.spline((3,), layers=4, width=8, depth=2, bins=5, rng=stream(0, "test"))
    x = torch.randn(20, 3, generator=stream(1, "test"))
    assert torch.allclose(network(x), torch.cat([x, torch.zeros(20, 1)], 1), atol=1e-5)


@pytest.mark.parametrize("at_rest", [True, False])
def test_independent_numbers_teach_affine_couplings_nothing_while_they_rest(at_rest):
    """The slope of the likelihood of a grid's points, each number one of two, against that of their own noise."""
    x = torch.cartesian_prod(torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0]))
    couplings = [flow.Affine((1, 1), 16, 2, stream(0, "test"), at_rest) for _ in range(4)]
    network = flow.Flow((2,), couplings)
    said = network(x)
    loss = 0.5 * said[:, :-1].square().sum(1).mean() - said[:, -1].mean()
    slopes = torch.autograd.grad(loss, list(network.parameters()), allow_unused=True)
    steepest = max(slope.abs().max() for slope in slopes if slope is not None)
    assert (steepest < 1e-6) == at_rest


def test_a_spline_is_the_identity_beyond_its_bins_and_rises_within():
    logits = [torch.randn(1, size, generator=stream(0, "test"), dtype=torch.float64) for size in (6, 6, 5)]
    x = torch.linspace(-7, 7, 20_001, dtype=torch.float64)
    moved, log_slope = flow.rational_quadratic(x, *(each.expand(len(x), -1) for each in logits))
    outside = x.abs() >= flow.BOUND
    assert torch.equal(moved[outside], x[outside])
    assert not log_slope[outside].any()
    assert bool((moved[1:] > moved[:-1]).all())
    between = (moved[1:] - moved[:-1]) / (x[1:] - x[:-1])
    inner = ~outside[1:] & ~outside[:-1]
    assert between[inner].log() == pytest.approx((log_slope[1:] + log_slope[:-1])[inner] / 2, abs=0.02)
    back, falling = flow.rational_quadratic(moved, *(each.expand(len(x), -1) for each in logits), inverse=True)
    assert torch.allclose(back, x, atol=1e-9)
    assert torch.allclose(falling, -log_slope, atol=1e-9)


def test_a_number_alone_cannot_be_coupled():
    with pytest.raises(BadParameter, match="these samples are one number"):
        flow.affine((1,), layers=2, width=4, depth=1, rng=stream(0, "test"))


def test_the_density_sums_to_one(made):
    network = made("spline", (2,), scale=0.3)
    axis = torch.linspace(-8, 8, 400, dtype=torch.float64)
    said = network(torch.cartesian_prod(axis, axis)).detach()
    log_density = said[:, -1] - 0.5 * said[:, :-1].square().sum(1) - math.log(2 * math.pi)
    assert float(log_density.exp().sum() * (axis[1] - axis[0]) ** 2) == pytest.approx(1, abs=2e-3)
