"""Fixed feature extractors: what image metrics look through.

Each is named with its version, `mnist-cnn-1`, and known by the SHA-256 of its weights, which stand in the identity of
every score that it took part in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from genbench.errors import UnknownName

if TYPE_CHECKING:
    from torch import Tensor

ExtractorName = Literal["mnist-cnn", "celeba-cnn", "inception"]
VERSIONS: dict[ExtractorName, str] = {
    "mnist-cnn": "mnist-cnn-1",
    "celeba-cnn": "celeba-cnn-2",
    "inception": "inception",
}
"""The extractors with the version of their weights, as scores name them."""

INCEPTION_WEIGHTS = "GENBENCH_INCEPTION"
"""The environment variable that names the file of Inception's weights; worker processes inherit it."""


class Seen(NamedTuple):
    """What an extractor sees in images: `features` `(n, size)` and `logits` `(n, heads, classes)`."""

    features: Tensor
    logits: Tensor


class Extractor(Protocol):
    """A frozen network in evaluation mode that draws nothing."""

    name: str
    """With its version, `mnist-cnn-1`."""

    sha256: str
    """Of the weights' file."""

    size: int
    """The number of features of one look; what looks at each channel by itself has as many a channel."""

    def __call__(self, images: Tensor) -> Seen:
        """Looks at images `(n, channels, height, width)` in [−1, 1], of any size; in blocks, so memory stays flat."""


@cache
def extractor(name: ExtractorName) -> Extractor:
    """The extractor that `name` stands for, loaded once.

    Raises UnknownName, Skip with a reason where it needs what isn't there, and GenbenchError for damaged weights.
    """
    from genbench.features import celeba_cnn, inception, mnist_cnn

    extractors: dict[ExtractorName, Callable[[], Extractor]] = {
        "mnist-cnn": mnist_cnn.mnist_cnn,
        "celeba-cnn": celeba_cnn.celeba_cnn,
        "inception": inception.inception,
    }
    if name not in extractors:
        raise UnknownName("feature extractor", name, extractors)
    return extractors[name]()
