"""Pictures of made-up results: there, valid, the same each time, and of whatever a folder holds."""

import made_up
import matplotlib as mpl
import numpy as np
import pytest
import torch
from drawn import pixels
from matplotlib.axes import Axes

from genbench.report.content import Content
from genbench.report.figures import catalogue as figures
from genbench.spec import Budget


def test_pictures_are_drawn_and_valid(put, draw):
    for trainer in ("gan", "wgan"):
        for seed in (0, 1):
            put(trainer, seed=seed)
    drawn = draw()
    assert drawn.keys() == {"landscapes.png", "strip-ring8.png", "curves-ring8.png"}
    for path in drawn.values():
        height, width, _ = pixels(path).shape
        assert 150 < height < 3_000
        assert 150 < width < 3_000
        assert len(np.unique(pixels(path).reshape(-1, 3), axis=0)) > 20


def test_every_dataset_has_its_own(put, draw):
    put(dataset="ring8")
    put(dataset="grid25")
    put("wgan", dataset="grid25")
    drawn = draw()
    assert {f"{kind}-{name}.png" for kind in ("strip", "curves") for name in ("ring8", "grid25")} < drawn.keys()


def test_equal_results_give_equal_bytes(put, draw):
    put()
    first, second = draw("one"), draw("other")
    assert all(first[name].read_bytes() == second[name].read_bytes() for name in first)


def test_without_landscapes_the_rest_is_drawn(put, draw):
    put(without=("landscape", "extent"))
    drawn = draw()
    assert drawn.keys() == {"strip-ring8.png", "curves-ring8.png"}
    assert all(pixels(path).size for path in drawn.values())


def test_trial_without_a_landscape_stands_beside_one_with(put, draw):
    put("gan")
    put("wgan", without=("landscape", "extent"))
    assert pixels(draw()["landscapes.png"]).size


def test_samples_of_unknown_truth_are_drawn_alone(put, draw):
    put(without=("landscape", "extent", "real"))
    assert pixels(draw()["strip-ring8.png"]).size


def test_landscape_of_a_dead_critic_is_drawn(put, draw):
    put(landscape=torch.zeros(8, 8))
    assert pixels(draw()["landscapes.png"]).size


def test_landscape_stands_upright(put, draw, monkeypatch):
    """The stored heights run over x first; the peak lies at the right, below."""
    seen = []
    plain = Axes.contourf
    monkeypatch.setattr(
        Axes, "contourf", lambda self, *args, **more: seen.append(args[:3]) or plain(self, *args, **more)
    )
    heights = torch.zeros(8, 8)
    heights[7, 0] = 1
    put(landscape=heights, extent=torch.tensor([[-2.0, -5.0], [3.0, 4.0]]))
    draw()
    ((x, y, z),) = seen
    row, column = np.unravel_index(np.argmax(z), z.shape)
    assert (x[column], y[row]) == (3, -5)


@pytest.mark.parametrize("status", ["diverged", "crashed"])
def test_failed_trials_have_no_pictures(status, put, draw, tmp_path):
    made_up.put(tmp_path / "results", made_up.trial(), status=status, reason="made up")
    assert draw() == {}
    put("wgan")
    assert draw()


@pytest.mark.parametrize(
    ("budgets", "after"), [(("seconds=2", "steps=40", "steps=80"), "steps=40"), (("steps=80", "steps=40"), "steps=80")]
)
def test_pictures_are_of_the_first_planned_budget_that_has_trials(budgets, after, put, draw, store, tmp_path):
    store.write_plan(made_up.suite(budgets=tuple(map(Budget.parse, budgets))))
    folder = put("gan")
    longer = made_up.put(tmp_path / "results", made_up.trial("gan", budget="steps=80"), made_up.scores({"modes": 8.0}))
    for name in ("curve.parquet", "samples.safetensors"):
        (longer / name).write_bytes((folder / name).read_bytes())
    assert draw().keys() == {"landscapes.png", "strip-ring8.png", "curves-ring8.png"}
    (caption,) = (p.caption for p in figures.pictures(Content(store, "made-up")) if p.name == "landscapes.png")
    assert f"after {after};" in caption


def test_empty_folder_has_no_pictures(draw, tmp_path):
    assert draw() == {}
    assert not (tmp_path / "report").exists()


def test_dataset_named_with_a_path_is_drawn_inside_the_folder(put, draw, tmp_path):
    put(dataset=f"mixture[path={tmp_path}/centres.csv,std=0.1]")
    drawn = draw()
    assert len(drawn) == 3
    assert {path.parent for path in drawn.values()} == {tmp_path / "report"}


@pytest.mark.parametrize("dimensions", [1, 3])
def test_samples_off_the_plane_do_not_stop_the_report(dimensions, put, draw):
    put(dimensions=dimensions, without=("landscape", "extent", "real"))
    assert "curves-ring8.png" in draw()


def test_curve_without_metrics_does_not_stop_the_report(put, draw):
    put(metrics=())
    assert "strip-ring8.png" in draw()


def test_trial_whose_samples_are_gone_does_not_stop_the_report(put, draw):
    put("gan")
    (put("wgan") / "samples.safetensors").unlink()
    assert "curves-ring8.png" in draw()


def test_settings_of_the_process_are_left_alone(put, draw):
    put()
    before = dict(mpl.rcParams)
    draw()
    assert dict(mpl.rcParams) == before


def test_each_dataset_has_a_panorama_of_its_own_where_many_trainers_are_shown(put, draw):
    for i in range(8):
        for dataset in ("ring8", "grid25"):
            put(f"t{i}", dataset)
    drawn = draw()
    assert {name for name in drawn if "landscapes" in name} == {"landscapes-ring8.png", "landscapes-grid25.png"}
