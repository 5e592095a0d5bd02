"""How a metric is registered, and the types of its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from genbench.registry import Bounds, Built, metrics

if TYPE_CHECKING:
    from torch import Tensor

    from genbench.features import Extractor
    from genbench.metrics.observed import ObservedMetric

Radius = Annotated[float, Gt(0)]
Share = Annotated[float, Gt(0), Le(1)]
Count = Annotated[int, Ge(1)]
Rule = Literal["fair", "any"]
"""When a mode counts as captured: when it holds its share of samples, or any at all."""

FRACTION: Bounds = (0, 1)
NOT_NEGATIVE: Bounds = (0, None)


def metric(
    name: str,
    *,
    unit: str,
    higher_is_better: bool | None,
    bounds: Bounds = (None, None),
    whole: bool = False,
    version: int = 1,
    citation: str = "",
) -> Callable[[Built], Built]:
    """Registers a metric with its unit, its direction and its range.

    Args:
        name: what people type.
        unit: of its values.
        higher_is_better: None means that the truth's own value is best.
        bounds: between which every value lies, both ends included, whatever the dataset. What an estimate can pass by
            chance, such as zero for an unbiased one, is no bound, nor is what depends on the dataset, such as its
            number of modes.
        whole: whether it counts, so that every value is a whole number.
        version: rises with its definition.
        citation: where that stands.
    """
    return metrics.register(
        name,
        version=version,
        citation=citation,
        unit=unit,
        higher_is_better=higher_is_better,
        bounds=bounds,
        whole=whole,
    )


def observed_metric(
    function: Callable[..., Tensor | float],
    *,
    extractor: Extractor | None = None,
    replicas: bool = False,
    on_host: bool = False,
    undefined: str | None = None,
    **constants: object,
) -> ObservedMetric:
    """The metric that a pure function of an `Observed` and of constants is: see `ObservedMetric`."""
    from genbench.metrics.observed import ObservedMetric

    return ObservedMetric(
        function, extractor=extractor, replicas=replicas, on_host=on_host, undefined=undefined, **constants
    )
