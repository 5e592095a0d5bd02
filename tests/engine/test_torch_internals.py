"""What genbench uses of torch that torch keeps to itself still does what it did."""

import tomllib
from pathlib import Path

import pytest
import torch

from genbench.engine import torch_internals
from genbench.engine.torch_internals import SEEN, channels_last_pays, compiled, copy_each, lerp_each, traced


def release(version):
    return tuple(map(int, version.split(".")[:2]))


NOTE = (
    f"torch {torch.__version__}: genbench/engine/torch_internals.py was last seen to work with {SEEN[1]}. "
    "Mend it there, and name the release."
)


def step(weight, gradient):
    """A function that changes what it is given, as an update does."""
    weight.sub_(0.1 * gradient)
    return (weight * gradient).sum()


def test_compiled_function_does_what_the_function_does():
    rng = torch.Generator().manual_seed(0)
    weight, gradient = torch.randn(2, 5, 7, generator=rng).unbind()
    ours, theirs = weight.clone(), weight.clone()
    code = compiled(step, [ours, gradient])
    assert torch.equal(ours, weight), NOTE
    for _ in range(3):
        assert code(ours, gradient).item() == pytest.approx(step(theirs, gradient).item(), rel=1e-5), NOTE
    assert torch.allclose(ours, theirs), NOTE


@pytest.mark.parametrize("channels, images, pays", [(2, 16, True), (64, 1, False)])
def test_convolutions_are_reordered_only_where_their_activations_outweigh_their_weights(channels, images, pays):
    rng = torch.Generator().manual_seed(0)
    weight = torch.randn(channels, channels, 3, 3, generator=rng)
    pixels = torch.randn(images, channels, 8, 8, generator=rng)

    def activations(weight, pixels):
        return torch.nn.functional.conv2d(pixels, weight, padding=1).relu()

    assert channels_last_pays(traced(activations, [weight, pixels])) is pays
    code = compiled(activations, [weight, pixels])
    assert torch.allclose(code(weight, pixels), activations(weight, pixels), atol=1e-4), NOTE


def test_tensors_are_copied_and_moved_each_to_its_own():
    into = [torch.zeros(2), torch.zeros(3)]
    copy_each(into, [torch.ones(2), torch.full((3,), 2.0)])
    assert [tensor.tolist() for tensor in into] == [[1, 1], [2, 2, 2]], NOTE
    lerp_each(into, [torch.zeros(2), torch.zeros(3)], 0.25)
    assert [tensor.tolist() for tensor in into] == [[0.75, 0.75], [1.5, 1.5, 1.5]], NOTE


def test_releases_of_torch_are_those_that_pyproject_allows_and_that_were_seen():
    settings = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"torch>={SEEN[0]}" in settings["project"]["dependencies"]
    assert release(SEEN[0]) <= release(torch.__version__), torch_internals.__doc__
