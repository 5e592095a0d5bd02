"""What metrics may ask of a dataset. Asking for what it doesn't have raises Skip, with the reason."""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import TYPE_CHECKING

from torch import Tensor

from genbench import seeding
from genbench.datasets.base import Dataset, Finite, Modes, Target
from genbench.datasets.files.roots import cache_root
from genbench.datasets.images import as_pixels
from genbench.errors import Skip
from genbench.features import Extractor, Seen, extractor
from genbench.features.extraction import look, recalling, remembered
from genbench.registry import extractors

if TYPE_CHECKING:
    from genbench.metrics.curve import Projection
    from genbench.metrics.manifold import Neighbourhood

REFERENCE_SEED = 0


class Truth:
    """A dataset as metrics see it: fixed reference samples and, for a target, modes, curve and density."""

    def __init__(self, dataset: Dataset, *, lasting: bool = True) -> None:
        """With `lasting`, what extractors see in reference images is kept on disk for those who ask again."""
        self.dataset, self.lasting, self.recalling = dataset, lasting, False
        self.reference = cache(self._reference)
        self.neighbourhood = cache(self._neighbourhood)
        self.projection = cache(self._projection)
        self.seen = cache(self._seen)
        self.manifold = cache(self._manifold)

    def dealt(self, dataset: Dataset) -> Truth:
        """The truth about the same dataset after it was dealt anew, which shares all that is of the reference.

        Samples of it are real images that come back in other deals, so extractors look at each once.
        """
        other = copy(self)
        other.dataset, other.recalling = dataset, True
        return other

    @property
    def target(self) -> Target:
        if not isinstance(self.dataset, Target):
            raise Skip("the dataset's density is unknown")
        return self.dataset

    @property
    def finite(self) -> Finite:
        if not isinstance(self.dataset, Finite):
            raise Skip("the dataset has no training set")
        return self.dataset

    @property
    def modes(self) -> Modes:
        if self.target.modes is None:
            raise Skip("the dataset has no modes")
        return self.target.modes

    def extractor(self, name: str) -> Extractor:
        """The feature extractor of that name, for a dataset of images."""
        if len(self.dataset.event_shape) != 3:
            raise Skip("the dataset has no images")
        return recalling(name) if self.recalling else extractor(name)

    def labelled(self, name: str) -> None:
        """Makes sure that the dataset's classes are those that an extractor tells apart."""
        self.extractor(name)
        classes = extractors[name].classes ** self.dataset.event_shape[0]
        if len(self.finite.classes) != classes:
            raise Skip(f"the dataset's classes aren't those that {name} tells apart")

    def _projection(self) -> Projection:
        """The nearest points of the target's curve."""
        from genbench.metrics.curve import Projection

        if self.target.curve is None:
            raise Skip("the dataset doesn't lie along a curve")
        return Projection(self.target.curve)

    def _neighbourhood(self, n: int, k: int) -> Neighbourhood:
        """The balls to the k-th neighbour of `n` reference samples."""
        from genbench.metrics.manifold import Neighbourhood

        return Neighbourhood(self.reference(n), k)

    def _reference(self, n: int) -> Tensor:
        """`n` real points, the same at every call: from a stream that neither training nor controls draw from."""
        if len(self.dataset.event_shape) != 1:
            raise Skip("the dataset's samples are no points")
        return self.dataset.sample(n, seeding.stream(REFERENCE_SEED, f"{seeding.REFERENCE_DATA}/{n}"))

    def _manifold(self, name: str, n: int, k: int) -> Neighbourhood:
        """The balls to the k-th neighbour of the features of `n` reference images."""
        from genbench.metrics.manifold import Neighbourhood

        return Neighbourhood(self.seen(name, n).features, k)

    def _seen(self, name: str, n: int) -> Seen:
        """What an extractor sees in `n` reference images, the same at every call."""
        images = self.finite.reference.distinct(n, seeding.stream(REFERENCE_SEED, seeding.REFERENCE_DATA))
        if self.lasting:
            return remembered(self.extractor(name), as_pixels(images), cache_root() / "features")
        return look(self.extractor(name), as_pixels(images))
