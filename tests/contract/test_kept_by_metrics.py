"""Every metric passes the contract's checks wherever it applies."""

import pytest
from keeping import each, keeps

from genbench.contract.metric_case import PLACES, MetricCase, on_few, truth_about
from genbench.contract.metrics import CHECKS as OF_METRICS
from genbench.errors import Skip
from genbench.metrics import models
from genbench.registry import metrics


def applies(metric, place):
    try:
        return metrics[metric].build(truth_about(place), **on_few(metrics[metric], {})) is not None
    except Skip:
        return False


OF_SAMPLES = [entry for entry in metrics if entry.origin != models.__name__]
APPLYING = [(entry.name, place) for entry in OF_SAMPLES for place in PLACES if applies(entry.name, place)]


@each(OF_METRICS)
@pytest.mark.parametrize(("name", "place"), APPLYING)
def test_metric(name, place, check, made):
    keeps(check, made(MetricCase, name, place))


@pytest.mark.parametrize("name", [entry.name for entry in OF_SAMPLES])
def test_metric_applies_somewhere_and_says_why_not_elsewhere(name):
    places = [place for metric, place in APPLYING if metric == name]
    assert places
    for place in set(PLACES) - set(places):
        with pytest.raises(Skip, match=r"^the dataset('s)? "):
            metrics[name].build(truth_about(place), **on_few(metrics[name], {}))
