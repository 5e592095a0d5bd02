"""DINOv2: the same features as timm's, with the weights of a file that is one, and what it says of any other."""

import pytest
import torch
from foreign_weights import WIDTH, dinov2_published, dinov2_twin
from torch.nn.functional import interpolate

from genbench.errors import GenbenchError, Skip
from genbench.features import dinov2, extractor

LEARNT_GRID = 37


def noise(*shape, seed=0):
    return 2 * torch.rand(shape, generator=torch.Generator().manual_seed(seed)) - 1


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Weights in a file that is named to genbench; without any, what a network for 518 × 518 pixels has learnt."""

    def of(weights):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.pth"
        torch.save(weights, path)
        monkeypatch.setenv("GENBENCH_DINOV2", str(path))
        return path

    monkeypatch.delenv("GENBENCH_DINOV2", raising=False)
    return of


def test_features_are_those_of_timm(named):
    network = dinov2_twin(dinov2.GRID)
    named(dinov2_published(network))
    images = noise(3, 3, 224, 224)
    mean, std = (torch.tensor(each)[:, None, None] for each in (dinov2.MEAN, dinov2.STD))
    with torch.no_grad():
        theirs = network(((images + 1) / 2 - mean) / std)
    ours = extractor("dinov2")(images)
    torch.testing.assert_close(ours.features, theirs, rtol=1e-4, atol=1e-4)
    assert ours.features.shape == (3, WIDTH)
    assert ours.logits.shape == (3, 0, 0)


def test_positions_are_those_of_the_places(named):
    """On a grid that learnt its own place, a resized one says where its patches' middles are, but for the offset."""
    axis = torch.arange(LEARNT_GRID).float()
    learnt = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1).reshape(1, -1, 2)
    token = torch.full((1, 1, 2), -7.0)
    found = dinov2._positions(torch.cat([token, learnt], 1))
    assert torch.equal(found[:, :1], token)
    square = found[:, 1:].reshape(dinov2.GRID, dinov2.GRID, 2)
    places = (torch.arange(dinov2.GRID) + 0.5) * LEARNT_GRID / (dinov2.GRID + dinov2.OFFSET) - 0.5
    within = slice(1, -1)  # beyond the last place there is nothing to interpolate with
    # Bicubic weights keep a slope to a twentieth of a place; the offset moves the last one by a quarter.
    torch.testing.assert_close(square[within, 3, 0], places[within], rtol=0, atol=0.05)
    torch.testing.assert_close(square[3, within, 1], places[within], rtol=0, atol=0.05)


def test_a_file_for_larger_images_is_taken(named):
    named(dinov2_published(dinov2_twin(LEARNT_GRID)))
    assert extractor("dinov2")(noise(2, 3, 32, 32)).features.isfinite().all()


def test_grey_images_and_sizes_and_blocks(named, monkeypatch):
    named(dinov2_published(dinov2_twin(dinov2.GRID)))
    look = extractor("dinov2")
    grey = noise(5, 1, 32, 32)
    whole = look(grey)
    torch.testing.assert_close(look(grey.expand(-1, 3, -1, -1)).features, whole.features)
    large = interpolate(grey, (224, 224), mode="bicubic", antialias=True).clamp(-1, 1)
    torch.testing.assert_close(look(large).features, whole.features, rtol=1e-3, atol=1e-3)
    monkeypatch.setattr(dinov2, "BLOCK", 2)
    torch.testing.assert_close(look(grey).features, whole.features, rtol=1e-4, atol=1e-4)
    with pytest.raises(Skip, match="takes images of 1 or 3 channels and these have 2"):
        look(noise(2, 2, 32, 32))


def test_other_weights_are_another_identity(named):
    weights = dinov2_published(dinov2_twin(dinov2.GRID))
    named(weights)
    first = extractor("dinov2").sha256
    named({**weights, "cls_token": weights["cls_token"] + 1})
    assert extractor("dinov2").sha256 != first


def test_without_a_file_it_is_skipped_with_the_option(monkeypatch):
    monkeypatch.delenv("GENBENCH_DINOV2", raising=False)
    with pytest.raises(Skip, match="--dinov2-weights FILE, or GENBENCH_DINOV2=FILE"):
        dinov2.dinov2()


def test_a_file_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("GENBENCH_DINOV2", str(tmp_path / "absent.pth"))
    with pytest.raises(Skip, match=r"absent\.pth, which is no file"):
        dinov2.dinov2()


class Boobytrap:
    def __reduce__(self):
        return pytest.fail, ("opened",)


@pytest.mark.parametrize(
    "weights",
    [
        {},
        [],
        Boobytrap(),
        {"cls_token": torch.zeros(1, 1, WIDTH)},
        {"blocks.0.norm1.weight": "text"},
        {"blocks.one.norm1.weight": torch.zeros(WIDTH)},
    ],
    ids=["empty", "list", "code", "part", "text", "number"],
)
def test_any_other_file_is_refused_by_its_name(weights, named):
    path = named(weights)
    with pytest.raises(GenbenchError, match="is none of dinov2_vits14_pretrain") as refused:
        dinov2.dinov2()
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "damage", "reason"),
    [
        ("norm.weight", lambda weight: weight / 0, "not all of norm.weight is finite"),
        ("norm.bias", lambda weight: weight[:3], "norm.bias has the shape (3,)"),
        ("cls_token", lambda weight: weight[:, :0], "cls_token has the shape (1, 0, 128)"),
        ("patch_embed.proj.weight", lambda weight: weight[:, :1], "patch_embed.proj.weight has the shape"),
        ("blocks.1.mlp.fc1.weight", lambda weight: weight[:, :5], "size mismatch|Error"),
    ],
)
def test_weights_of_other_shapes_or_that_are_not_finite_are_refused(name, damage, reason, named):
    weights = dinov2_published(dinov2_twin(dinov2.GRID))
    path = named({**weights, name: damage(weights[name])})
    with pytest.raises(GenbenchError) as refused:
        dinov2.dinov2()
    assert str(path) in str(refused.value)
    assert any(part in str(refused.value) for part in reason.split("|"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_weights_of_any_precision_are_taken(dtype, named):
    weights = dinov2_published(dinov2_twin(dinov2.GRID))
    named({name: weight.to(dtype) for name, weight in weights.items()})
    assert extractor("dinov2")(noise(2, 3, 32, 32)).features.dtype == torch.float32


@pytest.mark.parametrize("lacking", ["norm.bias", "blocks.1.ls1.gamma", "pos_embed", "blocks.2.mlp.fc1.bias"])
def test_weights_that_lack_some_are_refused(lacking, named):
    weights = dinov2_published(dinov2_twin(dinov2.GRID))
    del weights[lacking]
    named(weights)
    with pytest.raises(GenbenchError, match=lacking.replace(".", r"\.")):
        dinov2.dinov2()


def test_bytes_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"anything else")
    monkeypatch.setenv("GENBENCH_DINOV2", str(path))
    with pytest.raises(GenbenchError, match="Name one: --dinov2-weights FILE"):
        dinov2.dinov2()


def test_weights_of_another_kind_of_network_are_refused(named):
    """Registers are tokens that this network has no place for."""
    named({**dinov2_published(dinov2_twin(dinov2.GRID)), "register_tokens": torch.zeros(1, 4, WIDTH)})
    with pytest.raises(GenbenchError, match="register_tokens"):
        dinov2.dinov2()
