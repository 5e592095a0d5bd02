"""Metrics: `points`, `images` and `models` are their catalogues, in which torch waits until a metric is built.

A metric's function takes a `Truth` and gives a `torchmetrics.Metric` that is updated with points `(n, features)`, or
with images `(n, channels, height, width)` of uint8; `observed_metric` makes one of a pure function of the samples. It
raises Skip, with the reason, where the dataset lacks what the metric needs.
"""

from genbench.metrics import images, models, points
from genbench.metrics.catalogue import metric, observed_metric

__all__ = ["images", "metric", "models", "observed_metric", "points"]
