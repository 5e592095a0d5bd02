"""Small convolutional networks that ship with genbench: shape, weights' file and card, what they extract."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn.functional import interpolate

from genbench.errors import GenbenchError, Skip
from genbench.features import Extracted
from genbench.features.extraction import follow, some

WEIGHTS = Path(__file__).with_name("weights")
BLOCK = 256
"""So many images are taken at once on a processor."""

HELD_BYTES = 2**22
"""About what a network holds of an image at once."""


class Layer(NamedTuple):
    """A convolution with a square kernel, whose `stride` divides the image's side."""

    width: int
    kernel: int = 3
    stride: int = 1


class Architecture(NamedTuple):
    """Convolutions over images of `channels` × `side` × `side`; the last one's width is the number of features.

    Or that of `hidden` units, where these stand between convolutions and heads.
    """

    channels: int
    side: int
    layers: tuple[Layer, ...]
    heads: int
    classes: int
    hidden: int = 0

    @property
    def size(self) -> int:
        """The number of features."""
        return self.hidden or self.layers[-1].width

    def __str__(self) -> str:
        layers = ", ".join(f"{width} of {kernel}×{kernel} / {stride}" for width, kernel, stride in self.layers)
        then = f"{self.hidden} hidden units" if self.hidden else "mean"
        return f"{self.channels}×{self.side}×{self.side}; convolutions {layers}; {then}; {self.heads} × {self.classes}"


class Network(nn.Module):
    """Convolutions with ReLU, averaged over all places as Inception's are, and linear heads on these averages.

    Averages of activations are features that no image leaves at zero, so their covariance has full rank. While it
    trains the network is `normalised`, with batch normalisation after each convolution; see `folded`.
    """

    def __init__(self, architecture: Architecture, *, normalised: bool = False) -> None:
        super().__init__()
        self.architecture = architecture
        channels, modules = architecture.channels, list[nn.Module]()
        for width, kernel, stride in architecture.layers:
            modules.append(nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=not normalised))
            if normalised:
                modules.append(nn.BatchNorm2d(width))
            modules.append(nn.ReLU())
            channels = width
        self.body = nn.Sequential(*modules)
        # A yes or no needs one number: the logits are 0 and that.
        answers = 1 if architecture.classes == 2 else architecture.classes
        self.head = nn.Linear(channels, architecture.heads * answers)

    def features(self, images: Tensor) -> Tensor:
        """Of images `(n, channels, side, side)`: `(n, size)`."""
        activations: Tensor = self.body(images)
        return activations.mean((2, 3))

    def logits(self, features: Tensor) -> Tensor:
        """Of features `(n, size)`: `(n, heads, classes)`."""
        answers: Tensor = self.head(features).unflatten(1, (self.architecture.heads, -1))
        return answers if answers.shape[2] > 1 else torch.cat([torch.zeros_like(answers), answers], 2)

    def forward(self, images: Tensor) -> Extracted:
        features = self.features(images)
        return Extracted(features, self.logits(features))


class Convolutional:
    """An extractor made of a network that ships with genbench, a module that has its `architecture`.

    Images of another side are resized to the network's, bilinearly with antialiasing. Where `by_channel`, each channel
    is taken as an image of its own: `(n, channels · size)` features and `(n, channels · heads, classes)` logits.
    Otherwise grey images are repeated over the network's channels. The network follows the images to their device.
    """

    def __init__(self, name: str, sha256: str, network: nn.Module, *, by_channel: bool = False) -> None:
        self.architecture = cast(Architecture, network.architecture)
        self.name, self.sha256, self.size = name, sha256, self.architecture.size
        self.network = network.eval().requires_grad_(False)
        self.by_channel = by_channel

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Extracted:
        """Raises Skip for images with other channels than the network takes."""
        follow(self.network, images)
        blocks = [self._extract(block) for block in some(images, BLOCK, HELD_BYTES)]
        return Extracted(*map(torch.cat, zip(*blocks, strict=True)))

    def _extract(self, images: Tensor) -> Extracted:
        n, channels = images.shape[:2]
        expected, side = self.architecture[:2]
        if self.by_channel:
            images = images.flatten(0, 1)[:, None]
        elif channels == 1:
            images = images.expand(-1, expected, -1, -1)
        elif channels != expected:
            raise Skip(f"{self.name} takes images of 1 or {expected} channels and these have {channels}")
        images = images.float()
        if images.shape[2:] != (side, side):
            images = interpolate(images, (side, side), mode="bilinear", align_corners=False, antialias=True)
        features, logits = self.network(images)
        return Extracted(features.reshape(n, -1), logits.reshape(n, -1, logits.shape[2]))


def shipped(
    name: str,
    architecture: Architecture,
    *,
    by_channel: bool = False,
    made: Callable[[Architecture], nn.Module] = Network,
) -> Convolutional:
    """The extractor whose weights and card ship under `name`; raises GenbenchError where these don't fit."""
    path, sha256 = WEIGHTS / f"{name}.safetensors", card(name)["sha256"]
    content = path.read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != sha256:
        raise GenbenchError(
            f"{path} is damaged: its SHA-256 is {digest} and its card says {sha256}. Install genbench again."
        )
    with torch.device("meta"):  # so that no initial weights are drawn
        network = made(architecture)
    network.load_state_dict({key: tensor.float() for key, tensor in load(content).items()}, assign=True)
    return Convolutional(name, sha256, network, by_channel=by_channel)


def card(name: str) -> dict[str, Any]:
    """What is written down about the weights that ship under `name`."""
    written: dict[str, Any] = json.loads((WEIGHTS / f"{name}.json").read_bytes())
    return written
