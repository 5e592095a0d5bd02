"""`genbench figures`: one trial's pictures from its weights, and what it says where there are none to draw."""

import json
import shutil
from pathlib import Path

import made_up
import pytest
from drawn import contains, pixels, shown
from safetensors.numpy import load_file
from typer.testing import CliRunner

from genbench import seeding
from genbench.cli.main import app
from genbench.contract.digits import digits
from genbench.datasets.images import as_pixels
from genbench.executors.task import Outcome
from genbench.records import layout, store
from genbench.records.atomic import write_model
from genbench.report.figures.sheet import tiled
from genbench.trials.controls import ControlTask

PLUGIN = ("--plugin", str(Path(__file__).parent.parent / "helpers" / "printed.py"))
PICTURES = {f"{name}-diary.png" for name in ("strip", "samples", "interpolation", "sweep", "neighbours")}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Results of small trials on a private dataset and on stacks; not to be changed."""
    root = tmp_path_factory.mktemp("images")
    few = ("--seeds", "0", "--budget", "steps=8", "--checkpoints", "2", "--device", "cpu", "--jobs", "1")
    plans = {
        "mnist-smoke": ("diary", "wgan-gp[recipe=small-images,batch=8,width=4]"),
        "stacked-mnist-smoke": ("printed-stacks", "gan[recipe=small-images,batch=8,width=4]"),
    }
    with pytest.MonkeyPatch.context() as patch, made_up.forgetful_registries():
        patch.setattr(ControlTask, "begin", lambda task, notify, stop: Outcome(task))  # pictures need none
        patch.setenv("GENBENCH_CACHE", str(root / "cache"))
        for suite, (dataset, trainer) in plans.items():
            arguments = ("--suite", suite, "--dataset", dataset, "--trainer", trainer, "--keep-samples", "70")
            ran = CliRunner().invoke(app, ["run", *few, *arguments, "--out", str(root / "results"), *PLUGIN])
            assert ran.exit_code == 0, ran.output
    return root / "results"


@pytest.fixture
def trial(trained, tmp_path):
    """`trial("diary")`: the folder of a copy of the trial on that dataset."""
    results = Path(shutil.copytree(trained, tmp_path / "results"))

    def of(dataset="diary"):
        (folder,) = results.glob(f"*/{dataset}/*/seed-0-*")
        return folder

    return of


@pytest.fixture
def figures(genbench):
    return lambda *arguments: genbench("figures", *arguments, *PLUGIN)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def test_run_keeps_as_many_samples_as_were_asked_for(trial):
    tensors = load_file(trial() / layout.SAMPLES)
    assert len(tensors["final"]) == 70
    assert {"linear", "spherical", "sweep", "strip", "neighbour_distances"} < tensors.keys()


def test_pictures_lie_in_the_trials_folder(trial, figures):
    ran = figures(trial())
    assert ran.code == 0, ran.err
    written = {path.relative_to(trial()) for path in (trial() / "figures").rglob("*") if path.is_file()}
    assert {path.name for path in written if path.suffix == ".png"} == PICTURES
    assert {path.suffix for path in written} == {".png", ".webp"}
    printed = ran.out.split()
    assert {Path(line).name for line in printed} == {path.name for path in written}


def test_pictures_show_private_images_too(trial, figures):
    """Which the record doesn't hold."""
    assert figures(trial()).code == 0
    kept = load_file(trial() / layout.SAMPLES)
    assert not {"real", "neighbours"} & kept.keys()
    samples = pixels(trial() / "figures" / "samples-diary.png")
    real = digits().reference.distinct(64, seeding.stream(0, seeding.REFERENCE_DATA))
    assert contains(samples, tiled(as_pixels(real).numpy(), 8))
    assert contains(pixels(trial() / "figures" / "sweep-diary.png"), shown(kept["sweep"][0, 0], 2))


def test_pictures_are_the_same_twice_and_go_where_they_are_sent(trial, figures, tmp_path):
    for name in ("one", "other"):
        assert figures(trial(), "--out", tmp_path / name).code == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    assert not (trial() / "figures").exists()


def test_noise_seed_draws_others(trial, figures, tmp_path):
    assert figures(trial(), "--out", tmp_path / "own").code == 0
    assert figures(trial(), "--out", tmp_path / "first", "--noise-seed", "0").code == 0
    assert figures(trial(), "--out", tmp_path / "other", "--noise-seed", "7").code == 0
    own, first, other = (contents(tmp_path / name) for name in ("own", "first", "other"))
    assert own == first
    assert {name for name in own if own[name] != other[name]} == PICTURES - {"strip-diary.png"}


def test_stacks_are_drawn_without_neighbours(trial, figures):
    ran = figures(trial("printed-stacks"))
    assert ran.code == 0, ran.err
    names = {path.name.partition("-")[0] for path in (trial("printed-stacks") / "figures").glob("*.png")}
    assert names == {"strip", "samples", "interpolation", "sweep"}


def test_samples_of_points_are_drawn_too(results, genbench):
    (folder,) = results.glob("toy2d-smoke/ring8/gan/seed-0-*")
    ran = genbench("figures", folder)
    assert ran.code == 0, ran.err
    assert [path.name for path in (folder / "figures").glob("*.png")] == ["strip-ring8.png"]


def test_record_and_samples_are_left_alone(trial, figures):
    before = {path: path.read_bytes() for path in trial().iterdir()}
    figures(trial())
    assert {path: path.read_bytes() for path in trial().iterdir() if path.is_file()} == before


def refused(ran, *words):
    assert ran.code == 2
    assert ran.out == ""
    assert "Traceback" not in ran.err
    said = " ".join(ran.err.split())
    assert all(word in said for word in words), said


def test_trial_without_weights_says_how_to_get_them(trial, figures):
    (trial() / layout.WEIGHTS).unlink()
    refused(figures(trial()), "holds no weights", "without --no-weights")


@pytest.mark.parametrize("damage", [b"", b"\0" * 100], ids=["empty", "zeros"])
def test_damaged_weights_are_as_good_as_none(damage, trial, figures):
    (trial() / layout.WEIGHTS).write_bytes(damage)
    refused(figures(trial()), "holds no weights", "--rerun all")


def test_weights_of_another_network_are_refused(trial, figures):
    shutil.copy(trial("printed-stacks") / layout.WEIGHTS, trial() / layout.WEIGHTS)
    refused(figures(trial()), "weights are not those of", "wgan-gp", "--rerun all")


@pytest.mark.parametrize("where", ["nowhere", "."])
def test_folder_that_is_no_trial_is_refused(where, figures, tmp_path):
    refused(figures(tmp_path / where), "holds no finished trial", "record.json")


@pytest.mark.parametrize("part", ["trainer", "dataset"])
def test_another_version_is_refused(part, trial, figures):
    record = store.Store(trial().parents[3]).trial(trial()).record
    older = record.trial.model_copy(update={part: getattr(record.trial, part).model_copy(update={"version": 99})})
    folder = trial().with_name(f"seed-{older.seed}-{older.id}")
    trial().rename(folder)
    write_model(folder / layout.RECORD, record.model_copy(update={"id": older.id, "trial": older}))
    label = getattr(older, part).label
    refused(figures(folder), label, "is version 1 now and was 99", "--rerun stale")


@pytest.mark.parametrize(
    ("plugins", "message"), [(["gone.py"], "diary was run with --plugin gone.py"), ([], "No dataset is named 'diary'")]
)
def test_dataset_that_nobody_registered_is_refused(plugins, message, trial, genbench):
    record = json.loads((trial() / layout.RECORD).read_bytes())
    record["provenance"]["plugins"] = plugins
    (trial() / layout.RECORD).write_text(json.dumps(record))
    refused(genbench("figures", trial()), message)


def test_negative_noise_seed_is_refused(trial, figures):
    assert figures(trial(), "--noise-seed", "-1").code == 2
