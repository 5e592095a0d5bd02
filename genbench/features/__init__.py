"""Fixed feature extractors: what image metrics look through.

Each is named with its version, `mnist-cnn-1`, and known by the SHA-256 of its weights, which stand in the identity of
every score that it took part in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor

ExtractorName = Literal["mnist-cnn", "celeba-cnn", "inception"]


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
