"""What a method is given: networks and streams that depend on the seed and the role alone."""

import pytest
import torch
from torch import nn

from genbench.engine.problem import Problem, together
from genbench.errors import GenbenchError, UnknownName


def weights(network):
    return torch.cat([parameter.flatten() for parameter in network.parameters()])


@pytest.mark.parametrize("build", ["generator", "critic"])
def test_networks_start_alike_at_one_seed(build):
    sizes = {"width": 8, "depth": 2} | ({"latent": 2} if build == "generator" else {})
    one, same, other = (getattr(Problem((2,), seed), build)("mlp", **sizes) for seed in (0, 0, 1))
    assert torch.equal(weights(one), weights(same))
    assert not torch.equal(weights(one), weights(other))


def test_networks_do_not_depend_on_the_order_in_which_they_are_made():
    one, other = Problem((2,), 0), Problem((2,), 0)
    first = one.generator("mlp", latent=2, width=8, depth=2)
    other.critic("mlp", width=8, depth=2)
    assert torch.equal(weights(first), weights(other.generator("mlp", latent=2, width=8, depth=2)))


@pytest.mark.parametrize("made", [None, [nn.Linear(2, 2)], nn.Linear])
def test_builder_of_anything_but_a_network_is_refused_by_its_role(made):
    with pytest.raises(GenbenchError, match=r"The network 'encoder' is .* return a torch\.nn\.Module"):
        Problem((2,), 0).initialised("encoder", lambda rng: made)


def test_network_that_initialises_itself_is_reproducible_and_leaves_no_trace():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one = Problem((2,), 0).initialised("mine", lambda rng: torch.nn.Linear(3, 3))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert torch.equal(weights(one), weights(Problem((2,), 0).initialised("mine", lambda rng: torch.nn.Linear(3, 3))))
    assert not torch.equal(
        weights(one), weights(Problem((2,), 0).initialised("other", lambda rng: torch.nn.Linear(3, 3)))
    )


@pytest.mark.parametrize("build", ["generator", "critic"])
def test_second_network_of_a_role_is_another_one_and_the_first_stays_what_it_is(build):
    sizes = {"width": 8, "depth": 2} | ({"latent": 2} if build == "generator" else {})
    one, again = Problem((2,), 0), Problem((2,), 0)
    first, second, third = (weights(getattr(one, build)("mlp", **sizes)) for _ in range(3))
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)
    assert torch.equal(first, weights(getattr(again, build)("mlp", **sizes)))
    assert torch.equal(second, weights(getattr(again, build)("mlp", **sizes)))
    named = weights(getattr(again, build)("mlp", **sizes, role="another"))
    assert not any(torch.equal(named, other) for other in (first, second, third))
    assert torch.equal(named, weights(getattr(Problem((2,), 0), build)("mlp", **sizes, role="another")))


def test_network_of_ones_own_that_is_second_in_its_role_is_another_one():
    problem = Problem((2,), 0)
    first, second = (weights(problem.initialised("mine", lambda rng: nn.Linear(3, 3))) for _ in range(2))
    assert not torch.equal(first, second)


def test_stream_is_one_and_the_same_for_its_role():
    problem = Problem((2,), 0)
    stream = problem.stream("mine")
    assert problem.stream("mine") is stream
    assert problem.stream("other").initial_seed() != stream.initial_seed()
    assert Problem((2,), 0).stream("mine").initial_seed() == stream.initial_seed()


def test_unknown_pair_of_networks_suggests():
    with pytest.raises(UnknownName, match="Did you mean mlp"):
        Problem((2,), 0).critic("mpl", width=8, depth=2)


def test_networks_see_several_batches_together_unless_rows_change_each_other():
    batches = torch.randn(3, 5, 4)
    seen = []
    plain = nn.Linear(4, 1)
    plain.register_forward_hook(lambda network, args, output: seen.append(len(args[0])))
    outputs = together(plain, *batches)
    assert seen == [15]
    assert all(torch.allclose(output, plain(batch)) for output, batch in zip(outputs, batches, strict=True))
    normalised = nn.Sequential(nn.Linear(4, 1), nn.BatchNorm1d(1, affine=False))
    for output in together(normalised, *batches):
        assert output.mean().item() == pytest.approx(0, abs=1e-5)
        assert output.var(correction=0).item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("event", [(2,), (1, 8, 8)])
def test_one_number_a_sample_broadcasts_over_samples(event):
    problem = Problem(event, 0)
    assert (torch.rand(5, *problem.number_shape) * torch.rand(5, *event)).shape == (5, *event)
