"""Samples as metrics see them, and the one wrapper that makes a `torchmetrics.Metric` of a function of such.

A metric is a pure function of an `Observed` and of constants that it takes by name. What several metrics ask of the
same samples, a histogram or who lies in whose ball, `Observed.once` makes once for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar, cast

import torch
import torchmetrics
from torch import Tensor

from genbench.errors import Undefined
from genbench.features import Extracted, Extractor
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
        replicas: whether a dimension of replicas comes before the samples', in both: as many sets of samples, which a
            metric that takes them all at once gives a value each.
    """

    def __init__(self, samples: Tensor, logits: Tensor | None = None, *, replicas: bool = False) -> None:
        self.samples, self.replicas = samples, replicas
        self.logits = samples.new_empty(*samples.shape[: 1 + replicas], 0, 0) if logits is None else logits
        self._whole: tuple[Observed, Callable[[Observed], Observed]] | None = None
        self._made: dict[object, Any] = {}

    def __len__(self) -> int:
        """The number of samples, of each replica."""
        return self.samples.shape[int(self.replicas)]

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
            part = (slice(None), slice(n)) if self.replicas else slice(n)
            first = Observed(self.samples[part], self.logits[part], replicas=self.replicas)
            first._whole = self, lambda whole: whole.first(n)
            self._made["first", n] = first
        return cast(Observed, self._made["first", n])

    def each(self) -> list[Observed]:
        """The replicas one by one, which share what extractors make of all."""
        if not self.replicas:
            return [self]
        if "each" not in self._made:
            self._made["each"] = [self._replica(i) for i in range(len(self.samples))]
        return cast("list[Observed]", self._made["each"])

    def through(self, extractor: Extractor) -> Observed:
        """The features of images, and their logits."""
        if self._whole is not None:
            whole, part = self._whole
            return part(whole.through(extractor))
        if ("through", extractor.name) not in self._made:
            seen = extract(extractor, self.samples.flatten(0, 1) if self.replicas else self.samples)
            if self.replicas:
                lead = self.samples.shape[:2]
                seen = Extracted(*(part.reshape(*lead, *part.shape[1:]) for part in seen))
            self._made["through", extractor.name] = Observed(*seen, replicas=self.replicas)
        return cast(Observed, self._made["through", extractor.name])

    def _replica(self, i: int) -> Observed:
        replica = Observed(self.samples[i], self.logits[i])
        replica._whole = self, lambda whole: whole.each()[i]
        return replica


class ObservedMetric(torchmetrics.Metric):
    """A pure function of an `Observed` as a metric that collects samples until `compute`.

    Args:
        function: gives the value, a number or a tensor `()`, of an `Observed` and the constants.
        extractor: what makes features of images, which `function` is then given; None where it wants the samples.
        replicas: whether `function` takes several replicas' samples at once and gives a value each, `(replicas,)`.
        on_host: whether it needs the processor, and time: where a core is free it is worked out there beside all else.
        undefined: why its value may be NaN, where that is no fault.
        constants: what `function` takes besides, by name. Tensors, tuples of such, and what has a `to` move along with
            `.to(device)`; they keep their precision.
    """

    full_state_update = False
    samples: list[Tensor]

    def __init__(
        self,
        function: Callable[..., Tensor | float],
        *,
        extractor: Extractor | None = None,
        replicas: bool = False,
        on_host: bool = False,
        undefined: str | None = None,
        **constants: object,
    ) -> None:
        super().__init__()
        self.function, self.extractor, self.constants = function, extractor, constants
        self.replicas, self.on_host, self.undefined = replicas, on_host, undefined
        self.add_state("samples", default=[], dist_reduce_fx="cat")

    def update(self, samples: Tensor) -> None:
        self.samples.append(samples)

    def compute(self) -> Tensor:
        """The value; raises Undefined where there is none."""
        parts = self.samples  # a lone tensor once processes were brought together
        value = self.of(Observed(parts if isinstance(parts, Tensor) else torch.cat(parts)))
        if self.undefined is not None and math.isnan(value):
            raise Undefined(self.undefined)
        return value

    def of(self, observed: Observed) -> Tensor:
        """The value of some samples, `()`, or of each replica's, `(replicas,)`; NaN where it is undefined.

        It shares what other metrics made of the samples.
        """
        return self.value(self.seen(observed))

    def seen(self, observed: Observed) -> Observed:
        """The samples as the function takes them: themselves, or their features."""
        return observed if self.extractor is None else observed.through(self.extractor)

    def value(self, seen: Observed) -> Tensor:
        """The value of what `seen` gives."""
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
