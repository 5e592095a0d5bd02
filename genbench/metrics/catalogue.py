"""How a metric is registered, and the types of its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from annotated_types import Ge, Gt, Le

from genbench.registry import Built, metrics

Radius = Annotated[float, Gt(0)]
Share = Annotated[float, Gt(0), Le(1)]
Count = Annotated[int, Ge(1)]


def metric(
    name: str, *, unit: str, higher_is_better: bool | None, version: int = 1, citation: str = ""
) -> Callable[[Built], Built]:
    """Registers a metric with its unit and direction; a direction of None means that the truth's own value is best."""
    facts = {"unit": unit, "higher_is_better": higher_is_better}
    return metrics.register(name, version=version, citation=citation, facts=facts)
