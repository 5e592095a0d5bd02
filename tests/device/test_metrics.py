"""Every registered metric is computed where its samples are; nothing but exact W2 needs the host."""

import pytest
import torch
import torchmetrics

from genbench import api
from genbench.contract.fake_cuda import value_on_fake_cuda
from genbench.contract.findings import Broken
from genbench.contract.metric_case import MetricCase, value
from genbench.contract.metrics import runs_on_the_samples_device
from genbench.engine.torch_internals import needs_numbers
from genbench.errors import Skip
from genbench.metrics.manifold import Neighbourhood, radii
from genbench.metrics.models import UNSAID
from genbench.metrics.observed import Observed, ObservedMetric
from genbench.registry import metrics

ON_HOST = {"w2"}
OF_SAMPLES = [entry.name for entry in metrics if entry.build.__module__ != "genbench.metrics.models"]
OF_MODELS = [entry.name for entry in metrics if entry.name not in OF_SAMPLES]
OF_THE_PLANE = [name for name in OF_SAMPLES if name not in ON_HOST and not name.startswith(("image", "class"))]


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_it_runs_where_its_samples_are(name):
    case = MetricCase(name)
    if name in ON_HOST:
        with pytest.raises(Exception, match="_local_scalar_dense") as caught:
            value_on_fake_cuda(case.built(), case.samples)
        assert needs_numbers(caught.value)
        assert case.built().on_host
        return
    made = value_on_fake_cuda(case.built(), case.samples)
    assert (made.device.type, made.dtype, tuple(made.shape)) == ("cuda", torch.float64, ())


@pytest.mark.parametrize("name", OF_MODELS)
def test_what_no_samples_say_has_no_device(name):
    with pytest.raises(Skip, match=UNSAID.split(":")[0]):
        MetricCase(name)


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_what_it_is_checked_with_stays_as_it_was(name):
    """Following a metric through leaves its networks and constants where they are."""
    case = MetricCase(name)
    before = value(case.built(), case.samples)
    if name not in ON_HOST:
        value_on_fake_cuda(case.built(), case.samples)
    assert value(case.built(), case.samples) == before


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_several_replicas_are_each_what_they_are_alone(name):
    case = MetricCase(name)
    metric = case.built()
    sets = torch.stack([case.samples, case.fresh(1), case.fresh(2).flip(0)])
    alone = [float(metric.of(Observed(samples))) for samples in sets]
    together = Observed(sets, replicas=True)
    if metric.replicas:
        values = metric.of(together)
        assert values.shape == (3,)
    else:
        values = torch.stack([metric.of(each) for each in together.each()])
    assert values.tolist() == pytest.approx(alone, rel=1e-12, nan_ok=True)


class Astray(torchmetrics.Metric):
    """Holds a tensor that `.to` doesn't see."""

    def __init__(self, how):
        super().__init__()
        self.how, self.held = how, torch.ones(2)
        self.add_state("total", default=torch.zeros(2), dist_reduce_fx="sum")

    def update(self, samples):
        self.total += samples.sum(0)

    def compute(self):
        match self.how:
            case "stays behind":
                return (self.total + self.held).mean()
            case "numpy":
                return torch.as_tensor(float(self.total.cpu().numpy().mean()))
            case "looks":
                return self.total.mean() if bool(self.total.sum() > 0) else self.total.sum()
        return self.total.mean()


def checked(how):
    case = MetricCase("modes")
    case.built = lambda: Astray(how)
    return runs_on_the_samples_device(case)


def test_a_tensor_that_stays_behind_is_told():
    with pytest.raises(Broken, match=r"Let tensors that it holds be constants of api\.observed_metric, or register"):
        checked("stays behind")


@pytest.mark.parametrize("how", ["looks", "numpy"])
def test_what_looks_at_numbers_can_not_be_followed_and_is_not_blamed(how):
    with pytest.raises(Skip, match="looks at numbers on the host"):
        checked(how)


def test_a_metric_that_moves_is_praised():
    assert "no tensor of the host" in checked("well")


def test_constants_move_and_are_shared():
    """What a metric holds, in tuples too, is on the device once it is moved there."""
    held = api.observed_metric(
        lambda observed, pair, deep: observed.samples.sum() + pair[0].sum() + deep[1][0].sum(),
        pair=(torch.ones(2), 3),
        deep=("name", (torch.ones(1),)),
    )
    assert value_on_fake_cuda(held, torch.ones(3, 2)).device.type == "cuda"
    assert isinstance(held, ObservedMetric)
    assert held.constants["pair"][0].device.type == "cpu"


@pytest.mark.parametrize("name", OF_THE_PLANE)
def test_the_way_of_a_device_gives_what_the_processors_own_gives(name, monkeypatch):
    """Trees, orders and numpy's sort find what tables do."""
    case = MetricCase(name)
    expected = value(case.built(), case.samples)
    monkeypatch.setattr("genbench.metrics.manifold.by_tree", lambda points: False)
    monkeypatch.setattr("genbench.metrics.curve.by_tree", lambda points: False)
    monkeypatch.setattr("genbench.metrics.transport.by_numpy", lambda places: False)
    assert value(case.built(), case.samples) == pytest.approx(expected, rel=1e-12)


def test_ties_are_ties_on_either_way(monkeypatch):
    """Of points on a lattice most balls end on another point."""
    points = torch.cartesian_prod(torch.arange(12.0), torch.arange(12.0))
    samples = torch.cat([points + 1, points[:7]])
    found = {}
    for way in (True, False):
        monkeypatch.setattr("genbench.metrics.manifold.by_tree", lambda points, way=way: way)
        found[way] = [radii(points, 5), *Neighbourhood.of(points, 5)(Observed(samples))]
    for by_tree, by_table in zip(found[True], found[False], strict=True):
        assert torch.equal(by_tree, by_table)
