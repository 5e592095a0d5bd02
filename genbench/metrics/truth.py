"""What metrics may ask of a dataset. Asking for what it doesn't have raises Skip, with the reason."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from torch import Tensor

from genbench import seeding
from genbench.datasets.base import Dataset, Modes, Target
from genbench.errors import Skip

if TYPE_CHECKING:
    from genbench.metrics.curve import Projection
    from genbench.metrics.manifold import Neighbourhood

REFERENCE_SEED = 0


class Truth:
    """A dataset as metrics see it: fixed reference samples and, for a target, modes, curve and density."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.reference = cache(self._reference)
        self.neighbourhood = cache(self._neighbourhood)
        self.projection = cache(self._projection)

    @property
    def target(self) -> Target:
        if not isinstance(self.dataset, Target):
            raise Skip("the dataset's density is unknown")
        return self.dataset

    @property
    def modes(self) -> Modes:
        if self.target.modes is None:
            raise Skip("the dataset has no modes")
        return self.target.modes

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
        """`n` real samples, the same at every call: from a stream that neither training nor controls draw from."""
        return self.dataset.sample(n, seeding.stream(REFERENCE_SEED, f"{seeding.REFERENCE_DATA}/{n}"))
