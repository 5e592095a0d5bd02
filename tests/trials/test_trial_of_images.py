"""A trial of images from its first step to what a report draws of it."""

from pathlib import Path

import made_up
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from tasks import ignore, never, stop_at

from genbench.contract.digits import digits
from genbench.executors.task import Keep
from genbench.records import layout
from genbench.records.commit import load_checkpoint
from genbench.records.store import Store
from genbench.report.content import Content
from genbench.report.figures import catalogue as figures
from genbench.scoring import bands
from genbench.scoring.protocols import protocol
from genbench.trials import replica, session
from genbench.trials.controls import ControlTask

SMALL = "recipe=small-images,batch=8,width=4"
GAN, WGAN_GP = f"gan[{SMALL}]", f"wgan-gp[{SMALL}]"
STEPS = 12
WAYS = {"linear", "spherical", "sweep"}
LIKENESSES = {"real", "neighbours", "neighbour_distances"}
FD = "fd[mnist-cnn-1]"

pytestmark = pytest.mark.usefixtures("printed")


@pytest.fixture
def of_images(trials):
    """`of_images(GAN)`: the only task of a plan on printed digits."""

    def task(trainer, dataset="printed", protocol="mnist-smoke", **changes):
        (only,) = trials(trainer, steps=STEPS, datasets=(dataset,), protocols=(protocol,), **changes)
        return only

    return task


def run(task, stop=never):
    return made_up.record(task.run(ignore, stop))


def samples_of(task):
    return load_file(made_up.place(task) / layout.SAMPLES)


def scores_of(task):
    (found,) = Store(made_up.place(task).parents[3]).trials(task.context.suite)
    return {score.name: score for score in found.scores.scores}


@pytest.mark.parametrize("trainer", [GAN, WGAN_GP])
def test_leaves_all_that_a_report_needs(trainer, of_images, tmp_path):
    task = of_images(trainer)
    record = run(task)
    assert (record.status, record.reason) == ("done", None)
    assert record.cost.steps == STEPS
    tensors = samples_of(task)
    shapes = {
        "final": (500, 1, 32, 32),
        "strip": (2, replica.STRIP_IMAGES, 1, 32, 32),
        "linear": (4, 11, 1, 32, 32),
        "spherical": (4, 11, 1, 32, 32),
        "sweep": (10, 11, 1, 32, 32),
        "neighbours": (8, 5, 1, 32, 32),
        "neighbour_distances": (8, 5),
        "real": (64, 1, 32, 32),
    }
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == shapes
    assert {name for name, tensor in tensors.items() if tensor.dtype != torch.uint8} == {"neighbour_distances"}
    assert torch.equal(tensors["strip"][-1], tensors["final"][: replica.STRIP_IMAGES])
    drawn = list(figures.draw(Content(Store(tmp_path), task.context.suite), tmp_path / "report"))
    names = {picture.path.name.partition("-")[0] for picture in drawn}
    assert names >= {"samples", "strip", "interpolation", "sweep", "neighbours", "curves"}


def test_curve_follows_the_distance_and_ends_at_the_score(of_images):
    """A smoke protocol looks at as many samples along training as at the end."""
    task = of_images(WGAN_GP)
    run(task)
    curve = pd.read_parquet(made_up.place(task) / layout.CURVE)
    assert curve["steps"].tolist() == [1, STEPS]
    columns = ["modes", "modes_any", "reverse_kl", "confidence", FD, "coverage"]
    assert np.isfinite(curve[columns]).all().all()
    scores = scores_of(task)
    assert {name: curve[name].iloc[-1] for name in columns} == {name: scores[name].value for name in columns}
    assert curve[FD].iloc[-1] > 0


def test_scores_are_those_of_the_samples_that_are_stored(of_images):
    from genbench.scoring.protocols import protocol
    from genbench.scoring.scorer import Scorer

    task = of_images(GAN)
    run(task)
    again = Scorer(digits(), protocol("mnist-smoke"))(samples_of(task)["final"])
    stored = scores_of(task)
    assert {score.name for score in again if score.state == "ok"} == {n for n, s in stored.items() if s.state == "ok"}
    for score in again:
        if score.value is not None:
            assert stored[score.name].value == pytest.approx(score.value, rel=1e-9)
    assert {stored[name].state for name in ("fid", "kid", "is")} == {"skipped"}
    assert "inception" in stored["fid"].reason


@pytest.mark.parametrize("trainer", [GAN, WGAN_GP])
def test_resumed_trial_leaves_the_same_bits(trainer, of_images, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    whole, cut_off = of_images(trainer, checkpoints=3), of_images(trainer, root=tmp_path / "cut off", checkpoints=3)
    expected = run(whole)
    assert run(cut_off, stop_at(7)) is None
    tensors, facts = load_checkpoint(made_up.place(cut_off))
    assert 0 < facts["meter"]["steps"] < STEPS
    assert tensors["strip.0"].dtype == torch.uint8
    record = run(cut_off)
    assert record.weights_sha256 == expected.weights_sha256
    assert record.files[layout.WEIGHTS] == expected.files[layout.WEIGHTS]
    assert record.files[layout.SAMPLES] == expected.files[layout.SAMPLES]


def test_samples_are_left_out_where_asked_and_scores_stay(of_images, tmp_path):
    kept, left_out = of_images(GAN), of_images(GAN, root=tmp_path / "few", keep=Keep(samples=16))
    assert run(kept).weights_sha256 == run(left_out).weights_sha256
    assert torch.equal(samples_of(left_out)["final"], samples_of(kept)["final"][:16])
    assert samples_of(left_out).keys() == samples_of(kept).keys()
    assert {name: s.value for name, s in scores_of(kept).items()} == {
        name: s.value for name, s in scores_of(left_out).items()
    }


def test_no_image_of_a_private_dataset_is_stored(of_images):
    task = of_images(GAN, dataset="diary")
    assert run(task).status == "done"
    tensors = samples_of(task)
    assert tensors.keys() == {"final", "strip", "neighbour_distances"} | WAYS
    own = {image.numpy().tobytes() for image in digits().train.pixels}
    images = [tensor.reshape(-1, 1, 32, 32) for name, tensor in tensors.items() if name != "neighbour_distances"]
    assert not any(image.numpy().tobytes() in own for image in torch.cat(images))


def test_stacks_are_trained_on_and_scored(of_images):
    task = of_images(WGAN_GP, dataset="printed-stacks", protocol="stacked-mnist-smoke")
    assert run(task).status == "done"
    assert samples_of(task).keys() == {"final", "strip", "real"} | WAYS
    assert samples_of(task)["final"].shape == (500, 3, 32, 32)
    scores = scores_of(task)
    assert scores["modes_any"].value >= 1
    assert "train_distance" not in scores


def test_trainer_without_a_prior_leaves_no_ways(of_images):
    task = of_images("average")
    assert run(task).status == "done"
    assert samples_of(task).keys() == {"final", "strip"} | LIKENESSES


def test_metrics_of_more_images_than_there_are_are_left_out_with_the_reason(of_images):
    task = of_images(GAN, protocol="mnist1")
    assert run(task).status == "done"
    scores = scores_of(task)
    assert scores[FD].reason == "10000 different images were asked for and there are 800"
    assert scores["confident"].state == scores["train_distance"].state == "ok"


def test_controls_and_bands_are_stored_beside_the_trials(of_images, monkeypatch):
    monkeypatch.setattr(bands, "MEASURED_DEALS", 4)
    task = of_images(GAN)
    controls = ControlTask(task.context, task.trials[0].dataset, 2, "key")
    assert controls.run(ignore, never).error is None
    found = Store(Path(task.context.root)).read_controls(task.context.suite, task.trials[0].dataset)
    assert found.draws.keys() == {
        "oracle", "train", "noise", "half-dropped", "one-class", "mean-image", "blurred",
    }  # fmt: skip
    value = {name: {score.name: score.value for score in drawn[0]} for name, drawn in found.draws.items()}
    assert value["oracle"][FD] < value["one-class"][FD] < value["noise"][FD]
    assert value["train"]["train_distance"] == 0 < value["oracle"]["train_distance"]
    for name in ("oracle", "half-dropped", "one-class", "blurred"):
        assert found.draws[name][0] != found.draws[name][1], name
    band = next(band for band in found.bands if band.name == FD)
    assert band.null_low < value["oracle"][FD]
    assert band.null_draws == 4
    way = protocol("mnist-smoke")
    assert found.along.keys() == {"oracle"}
    for drawn in found.along["oracle"]:
        assert [score.name for score in drawn] == list(way.curve)
        assert {score.identity.n for score in drawn} <= {way.along().n, way.along().n // 2, 200}
    run(task)
    assert (scores_of(task)[FD].null_low, scores_of(task)[FD].null_high) == (band.null_low, band.null_high)


def test_final_samples_are_drawn_from_the_evaluation_stream(of_images):
    """So the stored weights draw them again."""
    from genbench import seeding
    from genbench.datasets.images import stored
    from genbench.engine.paths import revive

    task = of_images(GAN)
    run(task)
    trial = task.trials[0]
    stack = revive(trial, digits(), load_file(made_up.place(task) / layout.WEIGHTS))
    again = stored(stack.sample(500, [seeding.stream(trial.seed, seeding.EVALUATION_NOISE)])[0])
    assert (again.int() - samples_of(task)["final"].int()).abs().max() <= 1
