"""Weights that a user names: what goes through them is scored, and skipped with the option where they aren't there."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from genbench import seeding
from genbench.contract.digits import digits
from genbench.features import DINOV2_WEIGHTS, INCEPTION_WEIGHTS

PLUGIN = Path(__file__).parent.parent / "helpers" / "printed.py"
WIDTH, PAIR = 64, ("weight", "bias")
METRIC = "fd[extractor=dinov2,n=100]"


def vision_transformer(seed):
    """Random weights of one block, called as the published files call them."""
    shapes = {
        "cls_token": (1, 1, WIDTH),
        "pos_embed": (1, 1 + 16**2, WIDTH),
        "patch_embed.proj.weight": (WIDTH, 3, 14, 14),
        "patch_embed.proj.bias": (WIDTH,),
        "blocks.0.attn.qkv.weight": (3 * WIDTH, WIDTH),
        "blocks.0.attn.qkv.bias": (3 * WIDTH,),
        "blocks.0.attn.proj.weight": (WIDTH, WIDTH),
        "blocks.0.attn.proj.bias": (WIDTH,),
        "blocks.0.mlp.fc1.weight": (4 * WIDTH, WIDTH),
        "blocks.0.mlp.fc1.bias": (4 * WIDTH,),
        "blocks.0.mlp.fc2.weight": (WIDTH, 4 * WIDTH),
        "blocks.0.mlp.fc2.bias": (WIDTH,),
        "blocks.0.ls1.gamma": (WIDTH,),
        "blocks.0.ls2.gamma": (WIDTH,),
        **{f"{norm}.{kind}": (WIDTH,) for norm in ("norm", "blocks.0.norm1", "blocks.0.norm2") for kind in PAIR},
    }
    rng = torch.Generator().manual_seed(seed)
    return {name: 0.1 * torch.randn(shape, generator=rng) for name, shape in shapes.items()}


@pytest.fixture(autouse=True)
def no_weights(monkeypatch):
    for variable in (DINOV2_WEIGHTS, INCEPTION_WEIGHTS):
        monkeypatch.setenv(variable, "")  # which is put back, whatever a command sets
    monkeypatch.setenv("GENBENCH_CACHE", "cache")


@pytest.fixture
def scored(genbench, monkeypatch):
    """What the command says of printed digits through DINOv2; no band is measured, which takes longer than all else."""
    monkeypatch.setattr("genbench.scoring.bands.bands", lambda *_: {})
    samples = digits().held_out.distinct(500, seeding.stream(0, "test")).numpy()
    np.save("samples.npy", samples)

    def of(*options):
        monkeypatch.setenv(DINOV2_WEIGHTS, "")
        plain = ("--dataset", "printed", "--protocol", "mnist-smoke", "--plugin", PLUGIN, "--metric", METRIC, "--json")
        ran = genbench("score", "samples.npy", *plain, *options)
        assert ran.code == 0, ran.err
        return json.loads(ran.out)["scores"][METRIC]

    return of


def test_named_weights_are_looked_through_and_others_are_another_score(scored):
    lacking = scored()
    assert lacking["state"] == "skipped"
    assert "--dinov2-weights FILE" in lacking["reason"]
    values = []
    for seed in (0, 1):
        torch.save(vision_transformer(seed), f"{seed}.pth")
        score = scored("--dinov2-weights", f"{seed}.pth")
        assert score["state"] == "ok", score["reason"]
        values.append(score["value"])
    assert values[0] != values[1]


@pytest.mark.parametrize("option", ["--dinov2-weights", "--inception-weights"])
@pytest.mark.parametrize(
    "command", [("run", "--suite", "toy2d"), ("rescore", "results"), ("score", "x.npy", "--dataset", "mnist")]
)
def test_a_file_that_is_not_there_is_told_first(command, option, genbench):
    ran = genbench(*command, option, "none.pth")
    assert ran.code == 2
    assert ran.err == f"genbench: {option} none.pth is not a file.\n"


def test_any_other_file_is_told_by_its_name(genbench, scored):
    Path("other.pth").write_bytes(b"anything else")
    ran = genbench(
        "score",
        "samples.npy",
        "--dataset",
        "printed",
        "--plugin",
        PLUGIN,
        "--metric",
        METRIC,
        "--dinov2-weights",
        "other.pth",
        "--json",
    )
    assert ran.code == 2
    assert "other.pth holds no weights alone, and is none of dinov2_vits14_pretrain.pth" in ran.err
