"""Every score as a point, medians and intervals as the tables have them, and nothing drawn where runs failed."""

from dataclasses import replace

import pytest
from made_up_tables import BAND, FAILED, cells, table

from genbench.report.figures import scatter
from genbench.report.model import Row

COLOURS = {"gan": "#0173b2"}
FIVE, THREE = (0.1, 0.3, 0.2, 0.5, 0.4), (0.1, 0.3, 0.2)


def row(label, values, lost=0, kind="trainer", column="reverse_kl"):
    of = cells(lost, **{column: values})
    return Row(kind, label, of, len(values), len(values) + lost, ("no luck",) * lost)


def drawn(*rows, column="reverse_kl", **more):
    figure = scatter.scores(table(*rows, columns=[column]), COLOURS, **more)
    (axes,) = (axes for axes in figure.axes if axes.axison)
    return axes


def points(axes):
    return [sorted(found.get_offsets()[:, 0].tolist()) for found in axes.collections]


def intervals(axes):
    return [line.get_xdata().tolist() for line in axes.lines if len(line.get_xdata()) == 2]


def medians(axes):
    return [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1]


@pytest.mark.parametrize(
    ("values", "lost", "median", "interval"),
    [
        (FIVE, 0, 0.3, [0.1, 0.5]),
        (tuple(i / 10 for i in range(1, 10)), 0, 0.5, [0.2, 0.8]),
        (THREE, 0, 0.2, None),
        (FIVE[:4], 1, 0.3, [0.1, 0.5]),
        (THREE, 2, 0.3, [0.1, 0.3]),
        ((0.25, 0.5), 3, None, [0.25, 0.5]),
    ],
)
def test_a_row_has_its_points_its_median_and_its_interval_up_to_the_worst_seen(values, lost, median, interval):
    axes = drawn(row("gan", values, lost))
    assert points(axes) == [sorted(values)]
    assert medians(axes) == ([] if median is None else [median])
    assert intervals(axes) == ([] if interval is None else [pytest.approx(interval)])


def test_rows_stand_below_each_other_and_one_without_a_value_is_empty():
    axes = drawn(row("gan", FIVE), row("dead", (), 2), row("oracle", THREE, kind="control"))
    assert [text.get_text() for text in axes.get_yticklabels()] == ["gan", "dead", "oracle"]
    assert [set(found.get_offsets()[:, 1].tolist()) for found in axes.collections] == [{0}, {2}]
    assert axes.get_ylim() == (2.5, -0.5)


def test_null_band_is_behind_all_rows():
    (patch,) = drawn(row("gan", FIVE), BAND).patches
    assert (patch.get_x(), patch.get_x() + patch.get_width()) == pytest.approx((0.0003, 0.0029))


@pytest.mark.parametrize(
    ("column", "values", "scale"),
    [("reverse_kl", FIVE, "log"), ("reverse_kl", (0.0, 0.5), "linear"), ("hq", FIVE, "linear")],
)
def test_what_varies_by_factors_has_a_logarithmic_scale_unless_there_is_a_zero(column, values, scale):
    assert drawn(row("gan", values, column=column), column=column).get_xscale() == scale


def test_without_any_run_there_is_no_figure():
    assert scatter.scores(table(FAILED), COLOURS) is None


def test_behaviour_shows_controls_alone_on_each_dataset_that_has_the_metric():
    one = table(row("gan", FIVE), row("oracle", THREE, kind="control"), columns=["reverse_kl"])
    other = replace(table(row("noise", FIVE, kind="control"), columns=["reverse_kl"]), dataset="grid25")
    without = table(row("oracle", THREE, kind="control", column="hq"), columns=["hq"])
    found = [axes for axes in scatter.behaviour([one, other, without], "reverse_kl").axes if axes.axison]
    assert [axes.get_xlabel() for axes in found] == ["ring8 (nats)", "grid25 (nats)"]
    assert [text.get_text() for text in found[0].get_yticklabels()] == ["oracle", "noise"]
    assert [points(axes) for axes in found] == [[sorted(THREE)], [sorted(FIVE)]]
    assert scatter.behaviour([one], "hq") is None


@pytest.mark.parametrize("values", [(0.12, 0.13, 0.19), (0.2, 0.9), (0.3, 7.0), (0.001, 40.0)])
def test_logarithmic_axes_have_numbers_however_little_they_span(values):
    axes = drawn(row("gan", values))
    axes.figure.canvas.draw()
    low, high = axes.get_xlim()
    numbered = [text for at, text in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True) if low <= at <= high]
    assert sum(bool(text.get_text()) for text in numbered) >= 2
