"""Samples in the plane: whatever stands side by side shows the same part of it."""

import numpy as np
import pytest

from genbench.report.figures.points import landscapes, strip
from genbench.report.figures.style import ABREAST

COLOURS = dict.fromkeys("abc", "black")


def cell(*, landscape=False, real=True, spread=1.0):
    """What a trial stores for its pictures."""
    rng = np.random.default_rng(0)
    tensors = {
        "final": spread * rng.standard_normal((50, 2)),
        "strip": spread * rng.standard_normal((7, 40, 2)),
        "steps": np.arange(7),
    }
    tensors |= {"real": rng.standard_normal((60, 2))} if real else {}
    extent = np.array([[-3.0, -4.0], [5.0, 6.0]])
    return tensors | ({"landscape": rng.standard_normal((8, 8)), "extent": extent} if landscape else {})


CELLS = [
    [cell(landscape=True), cell(), cell(spread=9.0)],
    [cell(), cell(spread=0.1), cell(real=False)],
    [cell(real=False), cell(real=False, spread=2.0), cell(real=False)],
]


@pytest.mark.parametrize("cells", CELLS, ids=["a landscape", "none", "samples alone"])
def test_panels_of_a_dataset_show_the_same_part_of_the_plane(cells):
    of = {("ring8", name): tensors for name, tensors in zip("abc", cells, strict=True)}
    figure = landscapes(of, ["ring8"], [*"abc"], COLOURS)
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes}) == 1
    if "extent" in cells[0]:
        assert (figure.axes[1].get_xlim(), figure.axes[1].get_ylim()) == ((-3, 5), (-4, 6))


@pytest.mark.parametrize("cells", CELLS, ids=["a landscape", "none", "samples alone"])
def test_rows_of_a_strip_show_the_same_part_of_the_plane(cells):
    figure = strip(dict(zip("abc", cells, strict=True)), COLOURS)
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes}) == 1


@pytest.mark.parametrize("datasets", [["ring8"], ["ring8", "grid25"]], ids=len)
def test_many_trainers_take_several_rows(datasets):
    trainers = [f"t{i}" for i in range(ABREAST + 2)]
    of = {(dataset, trainer): cell(landscape=True) for dataset in datasets for trainer in trainers}
    figure = landscapes(of, datasets, trainers, dict.fromkeys(trainers, "black"))
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in shown] == [f"{t} on\N{NO-BREAK SPACE}{d}" for d in datasets for t in trainers]
    assert figure.axes[0].get_gridspec().get_geometry() == (2 * len(datasets), ABREAST)
    columns = {}
    for axes in shown:
        columns.setdefault(axes.get_subplotspec().colspan.start, []).append(axes.get_xlabel())
    assert all(labels[-1] for labels in columns.values()), "each column says at its foot what lies across"


def test_a_sample_far_away_does_not_shrink_what_is_of_interest():
    far = cell()
    far["final"][0] = 1e6
    figure = landscapes({("ring8", "a"): far}, ["ring8"], ["a"], COLOURS)
    assert figure.axes[0].get_xlim()[1] < 10
