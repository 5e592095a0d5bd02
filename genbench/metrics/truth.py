"""What metrics may ask of a dataset. Asking for what it doesn't have raises Skip, with the reason."""

from __future__ import annotations

from copy import copy
from functools import cache, cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genbench import seeding
from genbench.datasets.base import Dataset, Finite, Modes, Target
from genbench.datasets.files.roots import cache_root
from genbench.datasets.images import as_pixels
from genbench.errors import Skip
from genbench.features import Extracted, Extractor, extractor
from genbench.features.extraction import extract, recalling, remembered
from genbench.registry import extractors

if TYPE_CHECKING:
    from genbench.metrics.curve import CurveBins, Projection
    from genbench.metrics.kernel import SubsetPairs
    from genbench.metrics.manifold import Neighbourhood

REFERENCE_SEED = 0


class Truth:
    """A dataset as metrics see it: fixed reference samples and, for a target, modes, curve and density.

    Args:
        dataset: where it lies; its reference samples are drawn there, the same for every device.
        device: where samples are judged, and so all that is asked for lives.
        lasting: whether what is extracted from reference images is kept on disk for those who ask again.
    """

    def __init__(self, dataset: Dataset, *, device: torch.device | str = "cpu", lasting: bool = True) -> None:
        self.dataset, self.device = dataset, torch.device(device)
        self.lasting, self.recalling = lasting, False
        self.reference = cache(self._reference)
        self.neighbourhood = cache(self._neighbourhood)
        self.projection = cache(self._projection)
        self.curve_bins = cache(self._curve_bins)
        self.extracted = cache(self._extracted)
        self.subset_pairs = cache(self._subset_pairs)

    def dealt(self, dataset: Dataset) -> Truth:
        """The truth about the same dataset after it was dealt anew, which shares all that is of the reference.

        Samples of it are real images that come back in other deals, so each is extracted once.
        """
        other = copy(self)
        other.__dict__.pop("_there", None)
        other.dataset, other.recalling = dataset, True
        return other

    @cached_property
    def _there(self) -> Dataset:
        """The dataset on the device."""
        return self.dataset.to(self.device)

    @property
    def target(self) -> Target:
        if not isinstance(self._there, Target):
            raise Skip("the dataset's density is unknown")
        return self._there

    @property
    def finite(self) -> Finite:
        if not isinstance(self._there, Finite):
            raise Skip("the dataset has no training set")
        return self._there

    @property
    def modes(self) -> Modes:
        if self.target.modes is None:
            raise Skip("the dataset has no modes")
        return self.target.modes

    def extractor(self, name: str) -> Extractor:
        """The feature extractor of that name, for a dataset of images."""
        if len(self.dataset.event_shape) != 3:
            raise Skip("the dataset has no images")
        return recalling(extractor(name)) if self.recalling else extractor(name)

    def classifier(self, name: str) -> Extractor:
        """The extractor of that name, of a dataset whose classes are those that it tells apart."""
        classifier = self.extractor(name)
        classes = extractors[name].classes ** self.dataset.event_shape[0]
        if len(self.finite.classes) != classes:
            raise Skip(f"the dataset's classes aren't those that {name} tells apart")
        return classifier

    def _projection(self) -> Projection:
        """The nearest points of the target's curve."""
        from genbench.metrics.curve import Projection

        if self.target.curve is None:
            raise Skip("the dataset doesn't lie along a curve")
        return Projection.on(self.target.curve)

    def _curve_bins(self, k: float) -> CurveBins:
        """The bins closer than `k` noise stds to the target's curve, and what the truth has of each."""
        from genbench.metrics.curve import CurveBins

        return CurveBins.around(self.projection(), k)

    def _neighbourhood(self, n: int, k: int, name: str | None = None) -> Neighbourhood:
        """The balls to the k-th neighbour of `n` reference points, or of the features of as many reference images."""
        from genbench.metrics.manifold import Neighbourhood

        return Neighbourhood.of(self.reference(n) if name is None else self.extracted(name, n).features, k)

    def _subset_pairs(self, name: str, n: int, count: int, size: int) -> SubsetPairs:
        """Random subsets of n samples and of the features of as many reference images."""
        from genbench.metrics.kernel import SubsetPairs

        return SubsetPairs(self.extracted(name, n).features, n, count, size)

    def _reference(self, n: int) -> Tensor:
        """`n` real points, the same at every call: from a stream that neither training nor controls draw from."""
        if len(self.dataset.event_shape) != 1:
            raise Skip("the dataset's samples are no points")
        rng = seeding.stream(REFERENCE_SEED, f"{seeding.REFERENCE_DATA}/{n}")
        return self.dataset.sample(n, rng).to(self.device)

    def _extracted(self, name: str, n: int) -> Extracted:
        """What an extractor makes of `n` reference images, the same at every call."""
        if not isinstance(self.dataset, Finite):
            raise Skip("the dataset has no training set")
        images = self.dataset.reference.distinct(n, seeding.stream(REFERENCE_SEED, seeding.REFERENCE_DATA))
        pixels = as_pixels(images).to(self.device)
        if self.lasting:
            return remembered(self.extractor(name), pixels, cache_root() / "features")
        return extract(self.extractor(name), pixels)
