"""TensorBoard's event files: what a trial leaves in them, and that it leaves nothing else otherwise than without."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import made_up
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from tasks import ignore, never, stop_at
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from genbench.executors.pool import PoolExecutor
from genbench.records import layout
from genbench.records.store import Store
from genbench.registry import datasets
from genbench.trials import board, session

LOSSES = ("generator", "discriminator")


@pytest.fixture
def watched(trials):
    """`watched("gan")`: the tasks of `trials`, of a run with `--tensorboard`."""

    def of(*trainers, **changes):
        tasks = trials(*trainers, **changes)
        return [replace(task, context=replace(task.context, tensorboard=True)) for task in tasks]

    return of


def run(task, stop=never):
    return made_up.record(task.run(ignore, stop))


def place_of(task, seed=0):
    (trial,) = [trial for trial in task.trials if trial.seed == seed]
    return Store(Path(task.context.root)).board(task.context.suite, trial)


def read(place):
    """What TensorBoard makes of a folder."""
    events = EventAccumulator(str(place), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    return events.Reload()


def steps(events, tag):
    return [event.step for event in events.Scalars(tag)]


def values(events, tag):
    return [event.value for event in events.Scalars(tag)]


def image(event):
    return np.asarray(Image.open(io.BytesIO(event.encoded_image_string)))


def text(events):
    (said,) = events.Tensors("failure/text_summary")
    return said.step, said.tensor_proto.string_val[0].decode()


def test_curve_losses_and_scores_are_what_is_stored(watched):
    (task,) = watched("gan", steps=250, checkpoints=3)
    assert run(task).status == "done"
    events = read(place_of(task))
    curve = pd.read_parquet(made_up.place(task) / layout.CURVE)
    numbers = curve.select_dtypes("number").columns.drop("steps")
    assert {"modes", "seconds", "updates", "samples", "loss_generator"} <= set(numbers)
    for name in numbers:
        assert steps(events, f"curve/{name}") == curve["steps"].tolist()
        assert values(events, f"curve/{name}") == pytest.approx(curve[name].tolist())
    losses = pd.read_parquet(made_up.place(task) / layout.LOSSES)
    for name in LOSSES:
        assert steps(events, f"losses/{name}") == losses["steps"].tolist() == [100, 200]
        assert values(events, f"losses/{name}") == pytest.approx(losses[f"loss_{name}"].tolist())
    (found,) = Store(Path(task.context.root)).trials(task.context.suite)
    scores = {f"scores/smoke/{score.name}": score.value for score in found.scores.scores if score.value is not None}
    assert {tag for tag in events.Tags()["scalars"] if tag.startswith("scores/")} == scores.keys()
    assert all(values(events, tag) == pytest.approx([value]) for tag, value in scores.items())
    assert all(steps(events, tag) == [250] for tag in scores)


def test_scores_of_averaged_weights_stand_beside_the_others(watched):
    (task,) = watched("gan", ema=0.9)
    run(task)
    assert {"scores/smoke/modes", "scores/smoke/ema.modes"} <= set(read(place_of(task)).Tags()["scalars"])


def test_points_are_shown_as_a_density_at_each_checkpoint(watched):
    (task,) = watched("gan", steps=40, checkpoints=3)
    run(task)
    shown = read(place_of(task)).Images("samples")
    assert [event.step for event in shown] == pd.read_parquet(made_up.place(task) / layout.CURVE)["steps"].tolist()
    side = board.BINS * board.PIXELS
    assert {image(event).shape for event in shown} == {(side, side, 3)}
    assert all(image(event).max() == 255 for event in shown)


@pytest.mark.parametrize(("trainer", "rows"), [("gan[recipe=small-images,batch=8,width=4]", 8), ("average", 8)])
def test_images_are_shown_as_a_grid(trainer, rows, printed, watched):
    (task,) = watched(trainer, datasets=("printed",), protocols=("mnist-smoke",))
    assert run(task).status == "done"
    shown = read(place_of(task)).Images("samples")
    assert {image(event).shape for event in shown} == {(rows * 32, 8 * 32, 3)}


def test_rows_of_pixels_are_shown_as_images():
    flow = datasets.build("flow-digits")
    shown = board.picture(torch.linspace(-1, 1, 100 * 64).reshape(100, 64), flow)
    assert (shown.shape, shown.dtype) == ((board.IMAGES, 1, 8, 8), np.uint8)


def test_points_beyond_the_plane_have_no_picture():
    assert board.picture(torch.zeros(5, 3), datasets.build("gmm40[dimensions=3]")) is None


def test_density_shows_points_where_they_lie():
    shown = board.density(np.array([[0.9, 0.1], [5.0, 5.0], [np.nan, 0.0]]), np.zeros(2), np.ones(2))[0, 0]
    rows, columns = shown.nonzero()
    high = board.BINS * board.PIXELS
    assert (shown.max(), len(rows)) == (255, board.PIXELS**2)
    assert rows.min() > 0.8 * high
    assert columns.min() > 0.8 * high


@pytest.mark.usefixtures("misfits")
def test_a_dataset_that_says_nothing_of_itself_has_a_density_too(watched):
    (task,) = watched("wgan-gp", datasets=("unknown",))
    assert run(task).status == "done"
    assert len(read(place_of(task)).Images("samples")) == 2


@pytest.mark.parametrize("trainer", ["gan", "wgan-gp", "vae", "sngan"])
def test_a_trial_has_the_same_bits_with_and_without(trainer, trials, watched, tmp_path):
    (without,) = trials(trainer, steps=30, checkpoints=4, root=tmp_path / "without")
    (with_,) = watched(trainer, steps=30, checkpoints=4, root=tmp_path / "with")
    before, after = run(without), run(with_)
    assert before.weights_sha256 == after.weights_sha256 is not None
    assert before.id == after.id
    for name in (layout.WEIGHTS, layout.SAMPLES):
        assert before.files[name] == after.files[name]
    assert not (tmp_path / "without" / layout.BOARDS).exists()


def test_seeds_of_a_stack_have_files_of_their_own_and_the_same_bits(trials, watched, tmp_path):
    details = {"steps": 20, "stack": 3, "seeds": (0, 1, 2)}
    (without,) = trials("gan", root=tmp_path / "without", **details)
    (with_,) = watched("gan", root=tmp_path / "with", **details)
    hashes = [[record.weights_sha256 for record in task.run(ignore, never).records] for task in (without, with_)]
    assert hashes[0] == hashes[1]
    shown = [values(read(place_of(with_, seed)), "curve/loss_generator") for seed in range(3)]
    assert len({tuple(of) for of in shown}) == 3


def same_points(one, other):
    """Whether TensorBoard shows the same of two folders: every tag at the same steps, each once."""
    one, other = read(one), read(other)
    assert one.Tags()["scalars"] == other.Tags()["scalars"]
    for tag in one.Tags()["scalars"]:
        assert steps(one, tag) == steps(other, tag)
        assert len(set(steps(one, tag))) == len(steps(one, tag))
    assert [event.step for event in one.Images("samples")] == [event.step for event in other.Images("samples")]
    return True


@pytest.mark.parametrize("times", [1, 100, 150])
def test_a_resumed_trial_has_each_point_once(times, watched, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    details = {"steps": 300, "checkpoints": 4}
    (whole,), (cut_off,) = watched("gan", **details), watched("gan", root=tmp_path / "cut off", **details)
    run(whole)
    assert run(cut_off, stop_at(times)) is None
    assert run(cut_off).status == "done"
    assert same_points(place_of(cut_off), place_of(whole))


@pytest.mark.parametrize("kept", range(4))
def test_what_a_killed_run_wrote_after_its_checkpoint_is_not_shown_twice(kept, watched, tmp_path, monkeypatch):
    """As it is where the process is gone after its last word to TensorBoard and before the record."""
    saved = []
    save = session.Replica.save

    def save_and_copy(replica, *arguments):
        save(replica, *arguments)
        saved.append((replica.folder / layout.CHECKPOINT).read_bytes())

    monkeypatch.setattr(session.Replica, "save", save_and_copy)
    details = {"steps": 300, "checkpoints": 4}
    (whole,), (killed,) = watched("gan", **details), watched("gan", root=tmp_path / "killed", **details)
    run(whole)
    saved.clear()
    run(killed)
    shutil.rmtree(made_up.place(killed))
    made_up.place(killed).mkdir()
    (made_up.place(killed) / layout.CHECKPOINT).write_bytes(saved[kept])
    assert run(killed).status == "done"
    assert same_points(place_of(killed), place_of(whole))


def test_a_trial_that_is_run_again_has_each_point_once(watched):
    for _ in range(2):
        (task,) = watched("gan", steps=20)
        run(task)
    assert len(list(place_of(task).glob("events.*"))) == 4
    assert steps(read(place_of(task)), "curve/modes") == [1, 20]


def test_a_trial_that_began_without_is_written_from_its_start(trials, watched, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    (without,), (with_,) = trials("gan", steps=300, checkpoints=3), watched("gan", steps=300, checkpoints=3)
    run(without, stop_at(150))
    run(with_)
    events = read(place_of(with_))
    assert steps(events, "curve/modes") == pd.read_parquet(made_up.place(with_) / layout.CURVE)["steps"].tolist()
    assert steps(events, "losses/generator") == [100, 200, 300]


@pytest.mark.usefixtures("misfits")
@pytest.mark.parametrize("trainer", ["crashes[at=150]", "turns-nan[at=150]"])
def test_a_failure_has_its_reason_and_the_losses_up_to_it(trainer, watched):
    (task,) = watched(trainer, steps=300, checkpoints=1)
    record = run(task)
    events = read(place_of(task))
    assert text(events) == (record.cost.steps, f"{record.status}: {record.reason}")
    assert steps(events, "losses/generator")[0] == 100


@pytest.mark.usefixtures("misfits")
def test_a_process_that_dies_leaves_its_reason(watched, misfits):
    (task,) = watched("dies")
    (outcome,) = PoolExecutor(1, [misfits]).run([task], ignore)
    assert text(read(place_of(task)))[1] == f"crashed: {made_up.record(outcome).reason}"


@pytest.mark.parametrize("what", ["folder", "scalar", "image", "flush"])
def test_an_error_in_writing_is_told_and_fails_no_trial(what, watched, tmp_path, monkeypatch, capsys):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    from torch.utils.tensorboard import SummaryWriter

    if what == "folder":
        (tmp_path / layout.BOARDS).write_text("")
    else:
        name = {"scalar": "add_scalar", "image": "add_images", "flush": "flush"}[what]
        monkeypatch.setattr(SummaryWriter, name, full)
    (task,) = watched("gan")
    assert run(task).status == "done"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("genbench: nothing more of gan on ring8, seed 0 for TensorBoard: ")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_files_that_vanish_while_they_are_written_fail_no_trial(watched, monkeypatch, capsys):
    (task,) = watched("gan", steps=40, checkpoints=4)
    note = session.Replica.note

    def note_and_remove(replica, *arguments):
        note(replica, *arguments)
        shutil.rmtree(Path(task.context.root) / layout.BOARDS, ignore_errors=True)

    monkeypatch.setattr(session.Replica, "note", note_and_remove)
    assert run(task).status == "done"
    assert "for TensorBoard: FileNotFoundError" in capsys.readouterr().err


def test_nothing_is_written_through_a_link_out_of_the_results(watched, tmp_path, capsys):
    root, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    root.mkdir(), elsewhere.mkdir()
    (root / layout.BOARDS).symlink_to(elsewhere)
    (task,) = watched("gan", root=root)
    assert run(task).status == "done"
    assert list(elsewhere.iterdir()) == []
    assert "out of" in capsys.readouterr().err
