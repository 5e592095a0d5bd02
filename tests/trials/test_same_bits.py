"""A trial leaves the same bits wherever it runs, however often it is measured, in one go or resumed."""

from dataclasses import replace

import made_up
import pytest
import torch
from safetensors.torch import load_file
from tasks import ignore, never, stop_at

from genbench.executors.local import LocalExecutor
from genbench.executors.pool import PoolExecutor
from genbench.records import layout
from genbench.trials import session

BASELINES = ("wgan", "wgan-gp", "sngan", "vae")
"""One of each kind: clipping, slopes, buffers, networks that learn together. The contract's tests hold every trainer to
repeating itself."""
STEPS = 20


def finished(outcomes):
    """Each trainer's record, of which none failed."""
    records = {made_up.record(outcome).trial.trainer.name: made_up.record(outcome) for outcome in outcomes}
    assert {record.status for record in records.values()} == {"done"}
    return records


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """A function from a name to a folder of its own."""
    return tmp_path_factory.mktemp


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.fixture
def undisturbed(kept, apart, trials):
    """Each baseline's record from this process, measured twice, and the folder of its results."""
    if not kept:
        root = apart("undisturbed")
        records = finished(LocalExecutor().run(trials(*BASELINES, steps=STEPS, root=root), ignore))
        kept.update(root=root, records=records)
    return kept


def final(folder):
    return load_file(folder / layout.SAMPLES)["final"]


def same(record, task, undisturbed):
    """Whether weights and samples are those of the undisturbed run."""
    before = undisturbed["records"][record.trial.trainer.name]
    folder = made_up.place(task).relative_to(task.context.root)
    assert record.weights_sha256 == before.weights_sha256
    assert record.files[layout.WEIGHTS] == before.files[layout.WEIGHTS]
    assert torch.equal(final(made_up.place(task)), final(undisturbed["root"] / folder))
    assert (record.cost.steps, record.cost.updates, record.cost.samples) == (
        before.cost.steps,
        before.cost.updates,
        before.cost.samples,
    )
    return True


def test_seeds_and_trainers_differ(undisturbed, trials):
    hashes = {record.weights_sha256 for record in undisturbed["records"].values()}
    other = finished(LocalExecutor().run(trials(*BASELINES, steps=STEPS, seeds=(1,)), ignore))
    assert len(hashes | {record.weights_sha256 for record in other.values()}) == 2 * len(BASELINES)


@pytest.mark.parametrize("checkpoints", [1, 2, 20])
@pytest.mark.parametrize("name", BASELINES)
def test_in_this_process_again(name, checkpoints, undisturbed, trials):
    (task,) = trials(name, steps=STEPS, checkpoints=checkpoints)
    torch.manual_seed(checkpoints)
    assert same(made_up.record(task.run(ignore, never)), task, undisturbed)


@pytest.mark.parametrize("name", BASELINES)
def test_alone_or_after_others(name, undisturbed, trials):
    for task in trials(*reversed(BASELINES), steps=5, seeds=(7,), checkpoints=1):
        task.run(ignore, never)
    (task,) = trials(name, steps=STEPS)
    assert same(made_up.record(task.run(ignore, never)), task, undisturbed)


def test_in_a_pool_whole_or_resumed_measured_twice_or_often(undisturbed, trials, apart, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    seldom, often, cut_off = (
        trials(*BASELINES, steps=STEPS, checkpoints=checkpoints, root=apart("pool")) for checkpoints in (2, 20, 2)
    )
    for task in cut_off:
        assert made_up.record(task.run(ignore, stop_at(13))) is None
    outcomes = list(PoolExecutor(1).run([*seldom, *often, *cut_off], ignore))
    assert len(outcomes) == 3 * len(BASELINES)
    assert all(same(made_up.record(outcome), outcome.task, undisturbed) for outcome in outcomes)


def test_compiled_here_and_in_a_pool_whole_or_resumed(trials, apart, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    here, there, cut_off = (
        replace(task, context=replace(task.context, engine="compiled"))
        for checkpoints in (2, 20, 3)
        for task in trials("wgan-gp[width=8]", steps=STEPS, checkpoints=checkpoints, root=apart("compiled"))
    )
    assert made_up.record(cut_off.run(ignore, stop_at(13))) is None
    records = [made_up.record(here.run(ignore, never))]
    records += [made_up.record(outcome) for outcome in PoolExecutor(1).run([there, cut_off], ignore)]
    assert {record.provenance["engine"]["name"] for record in records} == {"compiled"}
    assert len({record.weights_sha256 for record in records}) == 1
    assert records[0].weights_sha256 is not None


@pytest.mark.parametrize("every", [1, 7, 13])
@pytest.mark.parametrize("name", BASELINES)
def test_cut_off_and_resumed(name, every, undisturbed, trials, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    (task,) = trials(name, steps=STEPS, checkpoints=4)
    cuts = 0
    while True:
        outcome = task.run(ignore, stop_at(every))
        if made_up.record(outcome) is not None:
            break
        cuts += 1
        assert (made_up.place(task) / layout.CHECKPOINT).is_file()
        assert not (made_up.place(task) / layout.RECORD).exists()
        torch.manual_seed(cuts)
    assert cuts >= STEPS // every - 1
    assert same(made_up.record(outcome), task, undisturbed)
    assert not (made_up.place(task) / layout.CHECKPOINT).exists()


@pytest.mark.parametrize("name", BASELINES)
def test_cut_off_and_resumed_with_other_checkpoints(name, undisturbed, trials, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    (seldom,), (often,) = (trials(name, steps=STEPS, checkpoints=checkpoints) for checkpoints in (3, 20))
    assert made_up.record(seldom.run(ignore, stop_at(17))) is None
    assert same(made_up.record(often.run(ignore, never)), often, undisturbed)


@pytest.mark.parametrize("name", BASELINES)
def test_after_a_checkpoint_that_cannot_be_read(name, undisturbed, trials, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    (task,) = trials(name, steps=STEPS)
    task.run(ignore, stop_at(13))
    kept = made_up.place(task) / layout.CHECKPOINT
    kept.write_bytes(kept.read_bytes()[:500])
    assert same(made_up.record(task.run(ignore, never)), task, undisturbed)
