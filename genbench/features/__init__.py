"""Fixed feature extractors, which make features and logits of images for metrics.

Each is registered, named with its version, `mnist-cnn-1`, and known by the SHA-256 of its weights, which stand in the
identity of every score that it took part in. Of a plugin's, that is of its source as well.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, NamedTuple, Protocol

from genbench.parameters import NameOf
from genbench.registry import extractors

if TYPE_CHECKING:
    from torch import Tensor

    from genbench.features.download import Download

ExtractorName = Annotated[str, NameOf(extractors)]
"""The name of a registered extractor."""

INCEPTION_WEIGHTS = "GENBENCH_INCEPTION"
"""The environment variable that names the file of Inception's weights; worker processes inherit it."""


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


@cache
def extractor(name: str) -> Extractor:
    """The extractor that `name` stands for, loaded once.

    Raises UnknownName, Skip with a reason where it needs what isn't there, and GenbenchError for damaged weights.
    """
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


@extractors.register("celeba-cnn", version=2)
def faces() -> Extractor:
    """Tells CelebA's 40 attributes: 128 features, and a pair of logits, no and yes, for each attribute."""
    from genbench.features.celeba_cnn import celeba_cnn

    return celeba_cnn()


def _inception_file() -> Download:
    from genbench.features.download import INCEPTION

    return INCEPTION


@extractors.register("inception", citation="arXiv:1512.00567", download=_inception_file)
def inception_v3() -> Extractor:
    """FID's InceptionV3, by torchmetrics and torch-fidelity: 2048 features, 1008 logits.

    `genbench data prepare inception` fetches its weights, 96 MB. What goes through it is called `fid`, `kid` and `is`,
    and is skipped where they aren't at hand.
    """
    from genbench.features.inception import inception

    return inception()


@extractors.register("efficientnet-lite0", citation="arXiv:1905.11946")
def imagenet() -> Extractor:
    """Tells ImageNet's 1 000 classes apart: EfficientNet-Lite0, with 1280 features and 1000 logits.

    Its weights are the extra `genbench[imagenet]`, 18.8 MB under the Apache licence; without it, what goes through the
    network is skipped.
    """
    from genbench.features.efficientnet import efficientnet_lite0

    return efficientnet_lite0()
