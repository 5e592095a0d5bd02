"""Curves of metrics and of losses: the right panels under the right names, whatever the columns are."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from drawn import pixels

from genbench.registry import metrics, protocols
from genbench.report.figures import curves
from genbench.report.figures.axes import Axis
from genbench.report.figures.style import STYLE
from genbench.report.overall import THRESHOLDS, Overall
from genbench.scoring.protocols import protocol
from genbench.stats.intervals import Interval

GENBENCH1, MNIST1 = protocol("genbench1"), protocol("mnist1")
COLOURS = {"gan": "#0173b2", "wgan": "#de8f05"}


def rows(**columns):
    steps = np.arange(1, 41)
    parts = [
        pd.DataFrame({"trainer": trainer, "seed": seed, "steps": steps, "updates": 2 * steps, **columns})
        for trainer in COLOURS
        for seed in range(2)
    ]
    return pd.concat(parts, ignore_index=True)


def panels(figure):
    return [axes for axes in figure.axes if axes.axison]


def drawn(count):
    names = [f"metric_{k}" for k in range(count)]
    return curves.metrics(
        rows(**{name: np.linspace(0, k, 40) for k, name in enumerate(names)}), [*map(Axis, names)], COLOURS
    )


@pytest.mark.parametrize(
    ("name", "way", "label"),
    [
        ("modes", GENBENCH1, "modes captured"),
        ("modes", MNIST1, "modes (classes) captured"),
        ("reverse_kl", GENBENCH1, "reverse KL (nats)"),
        ("sliced_w2", GENBENCH1, "sliced W2 (data units)"),
        ("fd[mnist-cnn-1]", MNIST1, "Fréchet distance\n(squared, mnist-cnn)"),
        ("fid", MNIST1, "FID (squared)"),
        ("confident", MNIST1, "confident samples\n(fraction)"),
        ("my_metric", MNIST1, "my metric (no unit)"),
        ("my_metric", None, "my metric (no unit)"),
    ],
)
def test_every_metric_has_a_label_with_its_unit(name, way, label):
    assert Axis.along(name, way).label == label


@pytest.mark.parametrize("name", [entry.name for entry in protocols])
def test_every_column_of_a_protocol_has_its_metrics_unit_at_its_axis(name):
    way = protocol(name)
    for column in way.columns:
        axis = Axis.along(column, way)
        assert axis.unit == metrics[axis.metric].unit
        assert axis.unit in axis.label.replace("\n", " ")


def test_metrics_stand_in_their_order_and_unknown_ones_last():
    distance = "fd[mnist-cnn-1]"
    frame = rows(theirs=1.0, coverage=1.0, modes=1.0, loss_critic=1.0, seconds=1.0, empty=np.nan, **{distance: 1.0})
    assert [axis.column for axis in curves.metrics_of(frame, MNIST1)] == ["modes", distance, "coverage", "theirs"]


@pytest.mark.parametrize("count", [1, 6, 7, 13])
def test_at_most_six_panels_stand_in_a_row(count):
    found = panels(drawn(count))
    assert len(found) == 2 * count
    rows_of = pd.Series([round(axes.get_position().y0, 3) for axes in found]).value_counts()
    assert rows_of.max() <= 6


def test_each_metric_has_one_scale_of_its_own():
    """Against steps and against updates the same, another for every metric."""
    limits = {}
    for axes in panels(drawn(7)):
        limits.setdefault(axes.get_ylabel(), set()).add(axes.get_ylim())
    assert all(len(found) == 1 for found in limits.values())
    assert len(set.union(*limits.values())) == 7


@pytest.mark.parametrize(("metric", "scale"), [("fd[mnist-cnn-1]", "log"), ("fid", "log"), ("coverage", "linear")])
def test_distances_are_logarithmic(metric, scale):
    figure = curves.metrics(rows(**{metric: np.linspace(30, 200, 40)}), [Axis.along(metric, MNIST1)], COLOURS)
    assert {axes.get_yscale() for axes in panels(figure)} == {scale}


def test_distances_below_zero_are_linear():
    figure = curves.metrics(rows(kid=np.linspace(-1, 2, 40)), [Axis.along("kid", MNIST1)], COLOURS)
    assert {axes.get_yscale() for axes in panels(figure)} == {"linear"}


def test_thick_line_is_the_median_of_the_seeds():
    """One of three seeds runs away, and takes a mean along but no median."""
    steps = np.arange(1, 41)
    frame = pd.concat(
        pd.DataFrame(
            {"trainer": "gan", "seed": seed, "steps": steps, "updates": 2 * steps, "hq": of, "loss_critic": of}
        )
        for seed, of in enumerate((steps / 100, steps / 50, 100 * steps))
    )
    for axes in panels(curves.metrics(frame, [Axis.along("hq", GENBENCH1)], COLOURS)):
        (middle,), (seeds,) = axes.lines, axes.collections
        assert (middle.get_label(), len(seeds.get_segments())) == ("gan", 3)
        assert middle.get_ydata() == pytest.approx(steps / 50)
    (axes,) = panels(curves.losses(frame, COLOURS))
    (middle,) = axes.lines
    assert middle.get_ydata() == pytest.approx(steps / 50)


def test_losses_have_a_panel_a_network_and_the_generator_comes_first():
    frame = rows(loss_generator=1.0, loss_critic=np.linspace(0, 1, 40))
    frame.loc[frame["trainer"] == "gan", "loss_critic"] = np.nan
    found = panels(curves.losses(frame, COLOURS))
    assert [(axes.get_title(), axes.get_ylabel()) for axes in found] == [
        ("gan", "generator's loss\n(own unit)"),
        ("wgan", "generator's loss\n(own unit)"),
        ("", "critic's loss\n(own unit)"),
    ]


def test_single_spikes_do_not_flatten_a_panel():
    loss = np.linspace(0, 1, 400)
    loss[200] = 1e6
    frame = pd.DataFrame({"trainer": "gan", "seed": 0, "steps": np.arange(400), "updates": 0, "loss_generator": loss})
    (axes,) = panels(curves.losses(frame, COLOURS))
    assert axes.get_ylim()[1] < 2


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_losses_that_are_not_finite_are_drawn_around(odd):
    loss = np.where(np.arange(40) == 7, odd, 1.0)
    assert len(panels(curves.losses(rows(loss_generator=loss), COLOURS))) == 2


@pytest.mark.parametrize("frame", [pd.DataFrame(), rows(), rows(loss_generator=np.nan)], ids=["none", "others", "nan"])
def test_without_losses_there_is_no_figure(frame):
    assert curves.losses(frame, COLOURS) is None


@pytest.mark.parametrize("kind", ["put", "put_images"])
def test_losses_are_drawn_where_they_are_stored(kind, request, draw, store):
    put = request.getfixturevalue(kind)
    put("gan")
    assert not any(name.startswith("losses") for name in draw("before"))
    steps = np.arange(100, 1_001, 100)
    frame = pd.DataFrame({"steps": steps, "updates": 2 * steps, "loss_generator": 1 / steps, "loss_critic": steps / 10})
    frame.to_parquet(put("wgan") / "losses.parquet", index=False)
    after = draw("after")
    (name,) = (name for name in after if name.startswith("losses"))
    assert pixels(after[name]).size
    assert draw("again")[name].read_bytes() == after[name].read_bytes()
    assert not store.unreadable


def test_broken_losses_leave_a_note(put, draw, store):
    (put() / "losses.parquet").write_bytes(b"cut off")
    assert "curves-ring8.png" in draw()
    assert [path.name for path, _ in store.unreadable] == ["losses.parquet"]


def of_many(count, **columns):
    names = [f"t{i}" for i in range(count)]
    one = rows(**columns)
    one = one[one.trainer == "gan"]
    return pd.concat([one.assign(trainer=name) for name in names], ignore_index=True), dict.fromkeys(names, "black")


@pytest.mark.parametrize("count", [1, 6, 8, 18])
def test_losses_of_many_trainers_take_several_rows_and_none_is_left_out(count):
    figure = curves.losses(*of_many(count, loss_generator=0.5, loss_critic=np.linspace(0, 1, 40)))
    titles = [axes.get_title() for axes in panels(figure) if axes.get_title()]
    assert sorted(titles) == sorted(f"t{i}" for i in range(count))
    assert len(panels(figure)) == 2 * count
    assert figure.get_size_inches()[0] < 25


@pytest.mark.parametrize("name", ["t", "gan[batch=100,latent=254,loss=non-saturating,recipe=metz2017]", "t" * 40])
@pytest.mark.parametrize("count", [1, 3, 18])
def test_the_profiles_legend_hides_no_line_and_fits(count, name):
    found = [Overall(f"{name}{i}", Interval(0.5, None, None), 1, {}, (1.0,) * len(THRESHOLDS)) for i in range(count)]
    with mpl.rc_context(STYLE):
        figure = curves.profiles(found, {})
        figure.canvas.draw()
    box = figure.axes[0].get_legend().get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 and box.y1 <= figure.bbox.y1
    assert box.x0 > figure.axes[0].bbox.x1


@pytest.mark.parametrize(("count", "lines"), [(6, 2), (7, 0)])
def test_lines_of_seeds_are_drawn_where_they_hide_nothing(count, lines):
    found, colours = of_many(count, hq=np.linspace(0, 1, 40))
    axes = panels(curves.metrics(found, [Axis("hq")], colours))[0]
    assert sum(len(collection.get_segments()) for collection in axes.collections) == lines * count
    assert len(axes.lines) == count, "medians are always there"
