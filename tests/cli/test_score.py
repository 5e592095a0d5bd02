"""`genbench score`: anyone's samples, scored as trials are, among the controls; what can't be scored is refused."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.cells import cell_len

from genbench import seeding
from genbench.cli.options import own_protocol
from genbench.cli.score import _controls
from genbench.contract.digits import digits
from genbench.datasets.images import as_floats, as_pixels
from genbench.records.store import Store
from genbench.registry import datasets
from genbench.scoring import bands
from genbench.scoring.external import dealt
from genbench.scoring.protocols import protocol
from genbench.scoring.scorer import Scorer
from genbench.spec import Component

PRINTED = (
    "--dataset",
    "printed",
    "--protocol",
    "mnist-smoke",
    "--plugin",
    str(Path(__file__).parents[1] / "helpers" / "printed.py"),
)
RING = ("--dataset", "ring8", "--protocol", "smoke")
ORDERS = ("mixed", "sorted", "reversed")
FIELDS = ["value", "unit", "higher_is_better", "null_low", "null_high", "state", "reason", "n"]


@pytest.fixture
def few_draws(monkeypatch):
    monkeypatch.setattr(bands, "MEASURED_DEALS", 2)


def expected(name, way, samples):
    """The scores by a Scorer itself, as the JSON has them."""
    component = Component.resolve(datasets, name)
    dataset = datasets.build(name)
    scorer = Scorer(dataset, protocol(way))
    found = scorer(dealt(samples), bands.bands(component, dataset, scorer))
    return {
        score.name: {field: getattr(score, field) for field in FIELDS[:-1]} | {"n": score.identity.n} for score in found
    }


@pytest.mark.parametrize(
    ("name", "way", "copies"),
    [
        ("ring8", "smoke", 1),
        ("ring8", "smoke", 2),
        ("ring8", "genbench1", 10),
        ("ring8", "pacgan2018", 3),
        ("ring8", "veegan2017", 3),
        ("swissroll", "smoke", 1),
        ("swissroll", "genbench1", 10),
    ],
)
def test_json_holds_what_the_scorer_says_and_nothing_else(name, way, copies, points, genbench):
    given = np.tile(points, (copies, 1))
    np.save("many.npy", given)
    ran = genbench("score", "many.npy", "--dataset", name, "--protocol", way, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == {
        "dataset": name,
        "protocol": way,
        "given": len(given),
        "n": min(len(given), protocol(way).n),
        "scores": expected(name, way, torch.from_numpy(given)),
    }
    assert list(json.loads(ran.out)["scores"]["modes"]) == FIELDS


@pytest.mark.parametrize("as_json", [True, False])
def test_too_few_samples_for_every_column_are_refused_before_anything_is_measured(as_json, mine, genbench, monkeypatch):
    monkeypatch.setattr(bands, "bands", lambda *_: pytest.fail("measured"))
    ran = genbench("score", mine, "--dataset", "ring[modes=5]", *(["--json"] if as_json else []))
    assert (ran.code, ran.out) == (2, "")
    said = " ".join(ran.err.split())
    assert "mine.npy holds 1,000 samples, and modes, modes_any, hq" in said
    assert "under genbench1 need 2,000 to 10,000. Give more. These take fewer: smoke (1,000) (--protocol NAME)." in said


def test_where_nothing_applies_nothing_is_scored(mine, genbench):
    ran = genbench("score", mine, "--dataset", "swissroll", "--protocol", "pacgan2018")
    assert (ran.code, ran.out) == (2, "")
    assert "Nothing of mine.npy can be scored under pacgan2018: " in " ".join(ran.err.split())


@pytest.mark.parametrize("way", ["smoke", "genbench1"])
def test_order_of_rows_decides_nothing(way, score):
    points = datasets.build("ring8").sample(12_000, torch.Generator().manual_seed(0)).numpy()
    centres = datasets.build("ring8").modes.centres.numpy()
    by_mode = np.argsort(((points[:, None] - centres) ** 2).sum(2).argmin(1), kind="stable")
    np.save("mixed.npy", points)
    np.save("sorted.npy", points[by_mode])
    np.save("reversed.npy", points[::-1])
    mixed, *others = (score(f"{name}.npy", "--dataset", "ring8", "--protocol", way) for name in ORDERS)
    assert all(other == mixed for other in others)
    assert mixed["scores"]["w2"]["value"] < 2 * mixed["scores"]["w2"]["null_high"]


@pytest.mark.usefixtures("few_draws")
def test_order_of_images_decides_nothing(score):
    held_out = digits().held_out
    pixels, labels = images(len(held_out)), held_out.labels
    np.save("mixed.npy", pixels.numpy())
    np.save("sorted.npy", pixels[labels.argsort(stable=True)].numpy())
    np.save("reversed.npy", pixels.flip(0).numpy())
    mixed, *others = (score(f"{name}.npy", *PRINTED) for name in ORDERS)
    assert all(other == mixed for other in others)
    assert mixed["scores"]["modes"]["value"] > 5


def test_images_are_scored_under_their_datasets_protocol_by_default():
    assert [own_protocol(name) for name in ("ring8", "mnist", "stacked-mnist", "celeba", "images")] == [
        "genbench1", "mnist1", "stacked-mnist1", "celeba1-small", "images1-small",
    ]  # fmt: skip


def test_null_bands_that_are_not_shipped_are_measured_and_said_so(mine, genbench, monkeypatch):
    monkeypatch.setattr(bands, "MEASURED_DRAWS", 3)
    ran = genbench("score", mine, "--dataset", "ring[modes=5]", "--protocol", "smoke", "--json")
    assert "Measuring null bands" in ran.err
    found = json.loads(ran.out)
    assert found["dataset"] == "ring[modes=5]"
    assert found["scores"]["hq"]["null_low"] < found["scores"]["hq"]["null_high"]


def as_npz(points):
    np.savez("mine.npz", samples=points)
    return "mine.npz"


def as_csv(points):
    np.savetxt("mine.csv", points, delimiter=",", header="x,y", fmt="%.9g")
    return "mine.csv"


@pytest.mark.parametrize("write", [as_npz, as_csv])
def test_kind_of_file_does_not_matter(write, points, mine, score):
    assert score(write(points), *RING) == score(mine, *RING)


def test_table_shows_the_samples_among_the_controls(mine, score, genbench):
    ran = genbench("score", mine, *RING)
    assert ran.code == 0
    for label in ("mine.npy", "oracle", "noise", "gaussian", "centres", "half-dropped", "null band"):
        assert re.search(rf"^ *{label} ", ran.out, re.MULTILINE)
    assert "ring8, budget unknown, protocol smoke\n" in ran.out
    value = score(mine, *RING)["scores"]["reverse_kl"]["value"]
    assert f"ring8: mine.npy has reverse_kl {value:.3g}, " in ran.out
    assert max(map(cell_len, ran.out.splitlines())) <= 80
    assert not Path("results").exists()


def test_controls_are_those_that_a_run_measures(once):
    controls = next(Store(once[0]).controls("toy2d-smoke"))
    component = Component.resolve(datasets, "ring8")
    dataset = datasets.build("ring8")
    null = {protocol("smoke"): bands.bands(component, dataset, Scorer(dataset, protocol("smoke")))}
    measured = _controls(component, null, "cpu")
    assert measured.bands == tuple(band for band in controls.bands if band.identity.protocol == "smoke")
    assert measured.draws.keys() == controls.draws.keys()
    for name, draws in measured.draws.items():
        assert draws == controls.draws[name][: len(draws)]


def test_table_says_what_was_skipped_and_what_was_left_over(points, genbench):
    np.save("few.npy", points[:600])
    ran = genbench("score", "few.npy", *RING)
    assert "needs 1000 samples and got 600" in " ".join(ran.out.split())
    assert "few.npy holds 600 samples, and modes, modes_any" in ran.err
    np.save("many.npy", np.concatenate([points, points]))
    assert "Of the 2000 samples, 1000 are scored" in genbench("score", "many.npy", *RING).out


def test_too_few_samples_cost_the_metrics_that_want_more(points, genbench):
    np.save("few.npy", points[:600])
    scores = json.loads(genbench("score", "few.npy", *RING, "--json").out)["scores"]
    assert scores["modes"]["reason"] == "needs 1000 samples and got 600"
    assert scores["w2"]["state"] == "ok"


def test_rows_that_are_not_finite_are_refused_or_left_out(points, score, genbench):
    spoilt = np.concatenate([points[:2], [[np.nan, 0], [0, np.inf]], points[2:]]).astype(np.float32)
    np.save("spoilt.npy", spoilt)
    ran = genbench("score", "spoilt.npy", *RING, "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "2 of 1002 samples hold NaN or infinity" in ran.err
    np.save("mine.npy", points)
    assert score("spoilt.npy", *RING, "--drop-nonfinite") == score("mine.npy", *RING)
    assert "2 samples that hold NaN" in genbench("score", "spoilt.npy", *RING, "--drop-nonfinite").out


def images(n=500):
    return as_pixels(digits().held_out.at(torch.arange(n)))


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize(
    "of",
    [
        lambda pixels: pixels,
        lambda pixels: pixels[:, 0],
        lambda pixels: pixels.permute(0, 2, 3, 1),
        as_floats,
        lambda pixels: as_floats(pixels).permute(0, 2, 3, 1).double(),
    ],
    ids=["uint8", "without channels", "channels last", "floats", "floats, channels last"],
)
def test_images_in_every_layout_score_the_same(of, score):
    np.save("mine.npy", of(images()).numpy())
    found = score("mine.npy", *PRINTED)
    assert found["n"] == 500
    assert found["scores"] == expected("printed", "mnist-smoke", images())
    assert found["scores"]["modes"]["value"] is not None


@pytest.mark.usefixtures("few_draws")
def test_folder_of_images_scores_like_their_array(genbench):
    Path("fakes").mkdir()
    for i, image in enumerate(images()):
        Image.fromarray(image[0].numpy()).save(f"fakes/{i:03}.png")
    Path("fakes/notes.txt").write_text("of mine")
    ran = genbench("score", "fakes", *PRINTED, "--json")
    assert json.loads(ran.out)["scores"] == expected("printed", "mnist-smoke", images())
    assert "Left out: 1 of .txt." in ran.err


def bad_key(points):
    np.savez("bad.npz", fakes=points, reals=points)
    return "bad.npz", *RING


def bad_shape(points):
    np.save("bad.npy", points.T)
    return "bad.npy", *RING


def bad_type(points):
    np.save("bad.npy", points.astype(np.int64))
    return "bad.npy", *RING


def bad_range(points):
    np.save("bad.npy", np.random.default_rng(0).random((9, 1, 32, 32)))
    return "bad.npy", *PRINTED


def objects(points):
    np.save("bad.npy", np.array([{}]), allow_pickle=True)
    return "bad.npy", *RING


def other_ending(points):
    np.save("bad.npy", points)
    return Path("bad.npy").rename("bad.parquet"), *RING


def empty(points):
    Path("bad.csv").touch()
    return "bad.csv", *RING


def text(points):
    Path("bad.csv").write_text("x,y\n1,one\n", encoding="utf-8")
    return "bad.csv", *RING


def folder(points):
    Path("bad").mkdir()
    return "bad", *RING


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (bad_key, "fakes, reals. Choose one: --key NAME"),
        (bad_shape, "shape (2, 1000), and samples of this dataset come as (n, 2)"),
        (bad_type, "values of type int64"),
        (bad_range, "images in floats lie in [−1, 1], where these would have next to no dark pixels"),
        (objects, "holds objects, not numbers"),
        (other_ending, "can't be read as a .parquet file"),
        (empty, "bad.csv is empty"),
        (text, "could not convert string 'one'"),
        (folder, "Give a file of numbers"),
        (lambda points: ("none.npy", *RING), "none.npy doesn't exist"),
        (lambda points: (".", "--dataset", "rign8"), "No dataset is named 'rign8'. Did you mean ring8"),
        (lambda points: (".", "--dataset", "ring8", "--protocol", "pacgan"), "Did you mean pacgan2018?"),
        (lambda points: (".", *RING, "--save", "two\nlines"), "is no name"),
        (lambda points: (".", *RING, "--save", " "), "is no name"),
    ],
)
def test_refuses_what_it_cannot_score(write, message, points, genbench):
    ran = genbench("score", *write(points), "--json")
    assert (ran.code, ran.out) == (2, "")
    assert message in " ".join(ran.err.split())
    assert "Traceback" not in ran.err


def test_array_is_chosen_by_its_key(points, mine, score):
    np.savez("two.npz", fakes=points, reals=points[:3])
    assert score("two.npz", *RING, "--key", "fakes") == score(mine, *RING)


class TestRange:
    """What black and white are, in arrays and in files."""

    @pytest.fixture
    def whole(self):
        return as_pixels(digits().held_out.distinct(500, seeding.stream(0, "test"))).numpy()

    @pytest.fixture
    def said(self, genbench, few_draws):
        def of(path, *options):
            ran = genbench("score", path, *PRINTED, "--json", *options)
            return json.loads(ran.out)["scores"] if ran.code == 0 else ran.err

        return of

    def test_scores_are_those_of_the_pixels(self, whole, said):
        np.save("whole.npy", whole)
        np.save("unit.npy", whole / 255)
        np.save("long.npy", whole.astype(np.int64))
        expected = said("whole.npy")
        assert said("unit.npy", "--range", "0,1") == expected
        assert said("long.npy", "--range", "0,255") == expected
        assert said("whole.npy", "--range", "0,255") == expected
        assert "images scaled to [0, 1]: --range 0,1. Or say --range -1,1 if" in said("unit.npy")
        assert "--range 0,255, say" in said("long.npy")

    def test_files_may_have_another_too(self, whole, said):
        for name, levels in (("unit", 1), ("black", 255)):
            Path(name).mkdir()
            for i, image in enumerate(whole[:, 0] // 128 * levels):
                Image.fromarray(image).save(f"{name}/{i:03}.png")
        assert "unit holds pixels from 0 to 1, and they go from 0 to 255" in said("unit")
        assert said("unit", "--range", "0,1") == said("black")

    def test_of_floats_it_may_begin_with_a_minus(self, whole, said):
        np.save("light.npy", whole / 510 + 0.5)
        assert "Or say --range -1,1 if" in said("light.npy")
        assert said("light.npy", "--range", "-1,1")["confidence"]["state"] == "ok"

    def test_points_have_none(self, genbench):
        np.save("mine.npy", datasets.build("ring8").sample(10, seeding.stream(0, "test")).numpy())
        ran = genbench("score", "mine.npy", *RING, "--range", "0,1")
        assert ran.code == 2
        assert "this dataset's samples are no images" in ran.err

    def test_another_text_is_refused_first(self, genbench):
        np.save("mine.npy", np.zeros((3, 2)))
        ran = genbench("score", "mine.npy", *RING, "--range", "bright")
        assert (ran.code, ran.err.count("\n")) == (2, 1)
        assert "--range bright is no range" in ran.err


def test_what_a_kept_score_replaces_is_told(genbench):
    for seed, points in ((0, 1_000), (1, 1_000)):
        np.save("mine.npy", datasets.build("ring8").sample(points, seeding.stream(seed, "test")).numpy())
        ran = genbench("score", "mine.npy", *RING, "--save", "mine", "--out", "my results", "--json")
        instead = ", in place of scores of other samples" if seed else ""
        assert ran.err.endswith(
            f"Kept as 'mine'{instead}; genbench report 'my results' shows it beside what was trained.\n"
        )
    again = genbench("score", "mine.npy", *RING, "--save", "mine", "--out", "my results", "--json")
    assert "in place of" not in again.err


def test_a_kept_score_of_other_data_is_told(genbench, monkeypatch):
    monkeypatch.setattr(bands, "MEASURED_DRAWS", 3)
    np.save("mine.npy", np.random.default_rng(0).normal(size=(1_000, 2)))
    data = ("--dataset", "mixture[path=centres.csv,std=1]", "--protocol", "smoke", "--save", "mine", "--json")
    for number, centres in enumerate(("x,y\n0,0\n1,1\n", "x,y\n0,0\n2,2\n")):
        Path("centres.csv").write_text(centres)
        ran = genbench("score", "mine.npy", *data)
        assert ("in place of scores of other data" in ran.err) == bool(number)
