"""Fixed feature extractors, which make features and logits of images for metrics.

Each is registered, named with its version, `mnist-cnn-1`, and known by the SHA-256 of its weights, which stand in the
identity of every score that it took part in. Of a plugin's, that is of its source as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, NamedTuple, Protocol

from genbench.parameters import NameOf
from genbench.registry import extractors

if TYPE_CHECKING:
    from torch import Tensor

    from genbench.features.download import Download

ExtractorName = Annotated[str, NameOf(extractors)]
"""The name of a registered extractor."""

INCEPTION_WEIGHTS, DINOV2_WEIGHTS = "GENBENCH_INCEPTION", "GENBENCH_DINOV2"
"""The environment variables that name files of weights that don't come with genbench; worker processes inherit them."""


class Extracted(NamedTuple):
    """What an extractor makes of images.

    `features` are `(n, size)`; `logits` `(n, heads, classes)`, empty of one that tells no classes apart.
    """

    features: Tensor
    logits: Tensor


class Extractor(Protocol):
    """A frozen network in evaluation mode that draws nothing."""

    name: str
    """With its version, `mnist-cnn-1`."""

    sha256: str
    """Of the weights' file."""

    def __call__(self, images: Tensor) -> Extracted:
        """Takes images `(n, channels, height, width)` in [−1, 1], of any size; in blocks, so memory stays flat."""

    def __hash__(self) -> int:
        """Each is its own."""


def extractor(name: str) -> Extractor:
    """The extractor that `name` stands for, loaded once with the weights that are named now.

    Raises UnknownName, Skip with a reason where it needs what isn't there, and GenbenchError for damaged weights.
    """
    return _loaded(name, extractors[name].build, named_weights())


def named_weights() -> tuple[str | None, ...]:
    """The files of weights that the user names now."""
    return tuple(map(os.environ.get, (INCEPTION_WEIGHTS, DINOV2_WEIGHTS)))


@cache
def _loaded(name: str, build: Callable[[], object], weights: tuple[str | None, ...]) -> Extractor:
    """`build` is what the name stands for, which another plugin's may stand for later."""
    entry = extractors[name]
    if entry.is_own:
        own: Extractor = entry.build()
        return own
    from genbench.features.brought import Brought

    return Brought(entry)


@extractors.register("mnist-cnn", classes=10)
def digits() -> Extractor:
    """Tells handwritten digits apart: 64 features and 10 logits a channel, so stacked digits are seen one by one."""
    from genbench.features.mnist_cnn import mnist_cnn

    return mnist_cnn()


@extractors.register("fashion-cnn", classes=10)
def clothes() -> Extractor:
    """Tells Fashion-MNIST's pieces of clothing apart: 64 features and 10 logits."""
    from genbench.features.fashion_cnn import fashion_cnn

    return fashion_cnn()


@extractors.register("celeba-cnn", version=2)
def faces() -> Extractor:
    """Tells CelebA's 40 attributes: 128 features, and a pair of logits, no and yes, for each attribute."""
    from genbench.features.celeba_cnn import celeba_cnn

    return celeba_cnn()


@extractors.register("meg-cnn", citation="arXiv:1901.08508", classes=10)
def digits_of_meg() -> Extractor:
    """Tells handwritten digits apart as MEG's classifier does: 50 features and 10 logits a channel."""
    from genbench.features.meg_cnn import meg_cnn

    return meg_cnn()


def _inception_file() -> Download:
    from genbench.features.download import INCEPTION

    return INCEPTION


@extractors.register("inception", citation="arXiv:1512.00567", costly=True, download=_inception_file)
def inception_v3() -> Extractor:
    """FID's InceptionV3, by torchmetrics and torch-fidelity: 2048 features, 1008 logits.

    `genbench data prepare inception` fetches its weights, 96 MB. What goes through it is called `fid`, `kid` and `is`,
    and is skipped where they aren't at hand.
    """
    from genbench.features.inception import inception

    return inception()


@extractors.register("efficientnet-lite0", citation="arXiv:1905.11946", costly=True)
def imagenet() -> Extractor:
    """Tells ImageNet's 1 000 classes apart: EfficientNet-Lite0, with 1280 features and 1000 logits.

    Its weights are the extra `genbench[imagenet]`, 18.8 MB under the Apache licence; without it, what goes through the
    network is skipped.
    """
    from genbench.features.efficientnet import efficientnet_lite0

    return efficientnet_lite0()


@extractors.register("dinov2", citation="arXiv:2304.07193", costly=True)
def self_taught() -> Extractor:
    """DINOv2, which learnt without labels: 384, 768 or 1024 features of the ViT-S, B or L that a user's file holds.

    `--dinov2-weights FILE` names one of the published files, `dinov2_vitl14_pretrain.pth` say; without it, what goes
    through the network is skipped. Scores through different files are never compared.
    """
    from genbench.features.dinov2 import dinov2

    return dinov2()
