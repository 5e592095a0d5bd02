"""All that a plugin imports. Everything else in genbench is private to it.

Importing this module does not import torch; calling what a registered function returns may, and so does the first look
at what `LATE` names.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Gt, Le, Lt, doc

from genbench import registry
from genbench.datasets.base import Box, Curve, Dataset, DataStream, Finite, Modes, Target
from genbench.engine.draws import Categorical, Draw, Joint, Labels, Noise, Normal, Real, Uniform
from genbench.engine.method import (
    Batch,
    Method,
    Networks,
    Optimizer,
    OptimizerName,
    Params,
    Phase,
    Trainer,
)
from genbench.engine.problem import Problem, bernoulli_log_prob, input_gradient, normal_log_prob, together
from genbench.engine.schedule import ScheduleName
from genbench.errors import BadParameter, GenbenchError, Skip, Undefined
from genbench.features import Extracted, ExtractorName
from genbench.metrics import metric, observed_metric
from genbench.networks import Pair, PairName
from genbench.registry import controls, datasets, extractors, panels, protocols, suites, trainers
from genbench.scoring.protocols.base import Protocol
from genbench.spec import Budget, Suite

if TYPE_CHECKING:
    from genbench.datasets.images import Images, ImageSet
    from genbench.metrics.observed import Observed
    from genbench.metrics.truth import Truth

trainer = trainers.register
dataset = datasets.register
protocol = protocols.register
control = controls.register
suite = suites.register
networks = registry.networks.register
extractor = extractors.register
panel = panels.register

Count = Annotated[int, Ge(1)]
Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Decay = Annotated[float, Ge(0), Lt(1)]
Share = Annotated[float, Gt(0), Le(1)]

LATE = {
    "ImageSet": "genbench.datasets.images",
    "Images": "genbench.datasets.images",
    "Observed": "genbench.metrics.observed",
    "Truth": "genbench.metrics.truth",
}
"""Classes whose modules import torch, by their modules."""


def __getattr__(name: str) -> Any:
    if name not in LATE:
        raise AttributeError(f"genbench.api has no {name!r}; it has {', '.join(__all__)}.")
    return getattr(import_module(LATE[name]), name)


__all__ = [
    "BadParameter",
    "Batch",
    "Box",
    "Budget",
    "Categorical",
    "Count",
    "Curve",
    "DataStream",
    "Dataset",
    "Decay",
    "Draw",
    "Extracted",
    "ExtractorName",
    "Finite",
    "GenbenchError",
    "ImageSet",
    "Images",
    "Joint",
    "Labels",
    "Method",
    "Modes",
    "Networks",
    "Noise",
    "NonNegative",
    "Normal",
    "Observed",
    "Optimizer",
    "OptimizerName",
    "Pair",
    "PairName",
    "Params",
    "Phase",
    "Positive",
    "Problem",
    "Protocol",
    "Real",
    "ScheduleName",
    "Share",
    "Skip",
    "Suite",
    "Target",
    "Trainer",
    "Truth",
    "Undefined",
    "Uniform",
    "bernoulli_log_prob",
    "control",
    "dataset",
    "doc",
    "extractor",
    "input_gradient",
    "metric",
    "networks",
    "normal_log_prob",
    "observed_metric",
    "panel",
    "protocol",
    "suite",
    "together",
    "trainer",
]
