"""Fixed feature extractors: what image metrics look through.

Each is named with its version, `mnist-cnn-1`, and known by the SHA-256 of its weights, which stand in the identity of
every score that it took part in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor

ExtractorName = Literal["mnist-cnn", "celeba-cnn", "inception"]
VERSIONS: dict[ExtractorName, str] = {
    "mnist-cnn": "mnist-cnn-1",
    "celeba-cnn": "celeba-cnn-1",
    "inception": "inception",
}
"""The extractors with the version of their weights, as scores name them."""


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
    """The number of features."""

    def __call__(self, images: Tensor) -> Seen:
        """Looks at images `(n, channels, height, width)` in [−1, 1], of any size; in blocks, so memory stays flat."""


def extractor(name: ExtractorName) -> Extractor:
    """The extractor of that name; raises Skip, with the reason, where its weights aren't at hand."""
    raise NotImplementedError
