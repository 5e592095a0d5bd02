"""DINOv2 (arXiv:2304.07193), a vision transformer that learnt without labels; its weights are a file that users bring.

The Fréchet distance of its features agrees with people better than Inception's does (arXiv:2306.04675).
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, layer_norm

from genbench.errors import GenbenchError, Skip
from genbench.features import DINOV2_WEIGHTS, Extracted
from genbench.features.extraction import follow, some

NAME = "dinov2-1"
SIDE, PATCH, HEAD, WIDER = 224, 14, 64, 4
GRID = SIDE // PATCH
OFFSET = 0.1
"""Added to the grid's side where positions are resized, as the original does it."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours in [0, 1]."""

EPSILON = 1e-6
"""Of its layer normalisations."""

BLOCK = 32
"""So many images are taken at once on a processor."""

HELD_BYTES = 2**25
"""About what the network holds of an image at once."""

ENDS: dict[str, tuple[int | None, ...]] = {
    "cls_token": (1, 1, None),
    "pos_embed": (),
    "patch_embed.proj.weight": (None, 3, PATCH, PATCH),
    "patch_embed.proj.bias": (None,),
    "norm.weight": (None,),
    "norm.bias": (None,),
}
"""What stands before and after the blocks, and its shape, with None for the width; positions have any square's."""

PREFIX, UNUSED = "blocks.", "mask_token"
FILES = "dinov2_vits14_pretrain.pth, dinov2_vitb14_pretrain.pth, dinov2_vitl14_pretrain.pth"
GIVE = "--dinov2-weights FILE, or GENBENCH_DINOV2=FILE"


class Dinov2:
    """The normalised class token, `(n, width)` with 384, 768 or 1024 by the file; it tells no classes apart.

    Images become colours in [0, 1] and are resized to 224 × 224, bicubically with antialiasing; grey ones are repeated
    over the colours. The network follows the images to their device.
    """

    name = NAME

    def __init__(self, weights: Mapping[str, Tensor], sha256: str) -> None:
        """`weights` are called as in the published files; raises KeyError, ValueError or RuntimeError for others."""
        weights = _checked(weights)
        self.sha256 = sha256
        depth = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith(PREFIX))
        self.blocks = nn.Sequential(*(_block(weights, f"{PREFIX}{number}.") for number in range(depth)))
        self.blocks.eval().requires_grad_(False)
        self.ends = {name: weights[name] for name in ENDS}
        self.ends["pos_embed"] = _positions(weights["pos_embed"])
        self.ends |= {"mean": torch.tensor(MEAN)[:, None, None], "std": torch.tensor(STD)[:, None, None]}

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Extracted:
        """Raises Skip for images that are neither grey nor in colour."""
        if images.shape[1] not in (1, 3):
            raise Skip(f"{self.name} takes images of 1 or 3 channels and these have {images.shape[1]}")
        follow(self.blocks, images)
        self.ends = {name: weight.to(images.device) for name, weight in self.ends.items()}
        features = torch.cat([self._features(block) for block in some(images, BLOCK, HELD_BYTES)])
        return Extracted(features, features.new_zeros(len(images), 0, 0))

    def _features(self, images: Tensor) -> Tensor:
        ends = self.ends
        colours = (images.float().expand(-1, 3, -1, -1) + 1) / 2
        resized = interpolate(colours, (SIDE, SIDE), mode="bicubic", align_corners=False, antialias=True).clamp(0, 1)
        patches = conv2d(
            (resized - ends["mean"]) / ends["std"],
            ends["patch_embed.proj.weight"],
            ends["patch_embed.proj.bias"],
            PATCH,
        )
        tokens = torch.cat([ends["cls_token"].expand(len(images), -1, -1), patches.flatten(2).mT], 1)
        seen: Tensor = self.blocks(tokens + ends["pos_embed"])[:, 0]
        return layer_norm(seen, seen.shape[1:], ends["norm.weight"], ends["norm.bias"], EPSILON)


def dinov2() -> Dinov2:
    """The extractor; raises Skip where no file is named, and GenbenchError for one that holds no such weights."""
    path = weights()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a file is that is none
            held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # it may be any file, and raise anything
        raise GenbenchError(f"{path} holds no weights alone, and is none of {FILES}. Name one: {GIVE}") from error
    try:
        return Dinov2(held, digest)
    except Exception as error:
        said = str(error).split("\n", 1)[0].rstrip(".: ")
        reason = f"it lacks {said}" if isinstance(error, KeyError) else said
        raise GenbenchError(f"{path} is none of {FILES} ({reason}). Name one: {GIVE}") from error


def weights() -> Path:
    """The file that the user named; raises Skip without one."""
    given = os.environ.get(DINOV2_WEIGHTS, "")
    if not given:
        raise Skip(f"{NAME} needs its weights, dinov2_vitl14_pretrain.pth say: {GIVE}")
    if not Path(given).is_file():
        raise Skip(f"{NAME} needs its weights and {DINOV2_WEIGHTS} names {given}, which is no file")
    return Path(given)


def _checked(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in single precision; raises ValueError or KeyError where they aren't such a network's."""
    floats = {name: weight.float() for name, weight in weights.items() if name != UNUSED}
    if foreign := [name for name in floats if not name.startswith(PREFIX) and name not in ENDS]:
        raise ValueError(f"it holds {foreign[0]}, which such a network has no place for")
    if odd := [name for name, weight in floats.items() if not weight.isfinite().all()]:
        raise ValueError(f"not all of {odd[0]} is finite")
    width = floats["norm.weight"].shape[0]
    for name, shape in ENDS.items():
        if shape and floats[name].shape != tuple(each or width for each in shape):
            raise ValueError(f"{name} has the shape {tuple(floats[name].shape)}")
    return floats


def _block(weights: Mapping[str, Tensor], place: str) -> nn.TransformerEncoderLayer:
    """One of the blocks, with the scale of each of its two parts multiplied into the part's last layer."""
    width = weights[f"{place}norm1.weight"].shape[0]
    block = nn.TransformerEncoderLayer(
        width, width // HEAD, WIDER * width, 0.0, "gelu", EPSILON, batch_first=True, norm_first=True, device="meta"
    )
    block.load_state_dict(dict(_renamed(weights, place)), assign=True)
    return block


def _renamed(weights: Mapping[str, Tensor], place: str) -> Iterator[tuple[str, Tensor]]:
    for kind in ("weight", "bias"):
        yield f"self_attn.in_proj_{kind}", weights[f"{place}attn.qkv.{kind}"]
        for name, theirs in (("norm1", "norm1"), ("norm2", "norm2"), ("linear1", "mlp.fc1")):
            yield f"{name}.{kind}", weights[f"{place}{theirs}.{kind}"]
        for name, theirs, scale in (("self_attn.out_proj", "attn.proj", "ls1"), ("linear2", "mlp.fc2", "ls2")):
            weight, gamma = weights[f"{place}{theirs}.{kind}"], weights[f"{place}{scale}.gamma"]
            yield f"{name}.{kind}", weight * (gamma[:, None] if kind == "weight" else gamma)


def _positions(learnt: Tensor) -> Tensor:
    """The positions `(1, 1 + side², width)` of a square grid, with the class token's first, for images of `SIDE`."""
    token, grid = learnt[:, :1], learnt[:, 1:]
    side = round(grid.shape[1] ** 0.5)
    if side == GRID:
        return learnt
    scale = (GRID + OFFSET) / side
    square = grid.mT.reshape(1, -1, side, side)
    resized = interpolate(square, scale_factor=(scale, scale), mode="bicubic", align_corners=False)
    return torch.cat([token, resized.flatten(2).mT], 1)
