"""Samples as metrics see them, and the one wrapper that makes a `torchmetrics.Metric` of a function of such.

A metric is a pure function of an `Observed` and of constants that it takes by name. What several metrics ask of the
same samples, a histogram or who lies in whose ball, `Observed.once` makes once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar, cast

import torch
import torchmetrics
from torch import Tensor

from genbench.features import Extractor
from genbench.features.extraction import extract

Made = TypeVar("Made")
Made_co = TypeVar("Made_co", covariant=True)


class Making(Protocol[Made_co]):
    """Makes something of samples: a function, or a NamedTuple of constants with a `__call__`."""

    def __call__(self, observed: Observed, /) -> Made_co:
        """What it makes of them."""


class Observed:
    """Samples, and what has been made of them.

    Args:
        samples: points or features `(n, features)`, or images `(n, channels, height, width)` of uint8.
        logits: of features from a classifier, its own `(n, heads, classes)`.
    """

    def __init__(self, samples: Tensor, logits: Tensor | None = None) -> None:
        self.samples = samples
        self.logits = samples.new_empty(len(samples), 0, 0) if logits is None else logits
        self._whole: Observed | None = None
        self._made: dict[object, Any] = {}

    def __len__(self) -> int:
        return len(self.samples)

    def once(self, make: Making[Made]) -> Made:
        """What `make` makes of these samples, made once: tuples of the same constants, of tensors of the same ones,
        make the same."""
        key = type(make), make
        if key not in self._made:
            self._made[key] = make(self)
        return cast(Made, self._made[key])

    def first(self, n: int) -> Observed:
        """The first `n` of the samples, which share what extractors make of all."""
        if n == len(self):
            return self
        if ("first", n) not in self._made:
            part = Observed(self.samples[:n], self.logits[:n])
            part._whole = self
            self._made["first", n] = part
        return cast(Observed, self._made["first", n])

    def through(self, extractor: Extractor) -> Observed:
        """The features of images, and their logits."""
        if self._whole is not None:
            return self._whole.through(extractor).first(len(self))
        if ("through", extractor.name) not in self._made:
            self._made["through", extractor.name] = Observed(*extract(extractor, self.samples))
        return cast(Observed, self._made["through", extractor.name])


class ObservedMetric(torchmetrics.Metric):
    """A pure function of an `Observed` as a metric that collects samples until `compute`.

    Args:
        function: gives the value, a number or a tensor `()`, of an `Observed` and the constants.
        extractor: what makes features of images, which `function` is then given; None where it wants the samples.
        constants: what `function` takes besides, by name. Tensors, tuples of such, and what has a `to` move along with
            `.to(device)`; they keep their precision.
    """

    full_state_update = False
    samples: list[Tensor]

    def __init__(
        self, function: Callable[..., Tensor | float], *, extractor: Extractor | None = None, **constants: object
    ) -> None:
        super().__init__()
        self.function, self.extractor, self.constants = function, extractor, constants
        self.add_state("samples", default=[], dist_reduce_fx="cat")

    def update(self, samples: Tensor) -> None:
        self.samples.append(samples)

    def compute(self) -> Tensor:
        parts = self.samples  # a lone tensor once processes were brought together
        return self.of(Observed(parts if isinstance(parts, Tensor) else torch.cat(parts)))

    def of(self, observed: Observed) -> Tensor:
        """The value of some samples, which shares what other metrics made of them."""
        seen = observed if self.extractor is None else observed.through(self.extractor)
        return torch.as_tensor(self.function(seen, **self.constants), dtype=torch.float64)

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        super()._apply(*args, **kwargs)
        self.constants = {name: _moved(constant, self.device) for name, constant in self.constants.items()}
        return self


def _moved(constant: Any, device: torch.device) -> Any:
    if isinstance(constant, tuple):
        parts = (_moved(part, device) for part in constant)
        return constant._make(parts) if hasattr(constant, "_make") else tuple(parts)
    return constant.to(device) if hasattr(constant, "to") else constant
