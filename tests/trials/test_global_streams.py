"""What a method draws from the process's own random streams is decided by its trial's seed alone, on every path."""

import random
from pathlib import Path

import made_up
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tasks import ignore, never, stop_at

from genbench.engine import paths
from genbench.engine.global_streams import GlobalStreams, seeded
from genbench.engine.training import Training
from genbench.executors.pool import PoolExecutor
from genbench.plugins import load_plugin
from genbench.records import layout
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial
from genbench.trials import session
from genbench.trials.resources import build_dataset

DRAWING = Path(__file__).parent.parent / "helpers" / "drawing.py"
NAMES = (
    "draws-in-a-loss", "draws-by-numpy", "draws-by-python", "drops-out", "initialises-itself", "draws-while-sampling",
    "walks",
)  # fmt: skip
STEPS = 30


@pytest.fixture(autouse=True)
def drawing():
    with made_up.forgetful_registries():
        load_plugin(str(DRAWING))
        yield


@pytest.fixture
def bits(trials, tmp_path, monkeypatch):
    """`bits(name, seed=…, checkpoints=…, cut=…)`: the hash of a trial's weights, and its samples."""
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    runs = iter(range(99))

    def run(name, *, seed=0, checkpoints=2, cut=None):
        root = tmp_path / str(next(runs))
        (task,) = trials(name, seeds=(seed,), steps=STEPS, checkpoints=checkpoints, root=root)
        if cut is not None:
            assert made_up.record(task.run(ignore, stop_at(cut))) is None
            disturb(cut)
        return told(made_up.record(task.run(ignore, never)), task)

    return run


def told(record, task):
    assert record.status == "done", record.reason
    return record.weights_sha256, load_file(made_up.place(task) / layout.SAMPLES)["final"].sum().item()


def disturb(seed):
    """Sets the process's streams elsewhere."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)


def drawn():
    return torch.rand(2).tolist(), np.random.normal(size=3).tolist(), random.gauss(0, 1)  # noqa: NPY002


@pytest.mark.parametrize("name", NAMES)
class TestTrial:
    def test_has_the_same_bits_however_it_runs(self, name, bits):
        disturb(1)
        first = bits(name)
        disturb(2)
        assert bits(name) == first, "after other draws"
        assert bits(name, checkpoints=20) == first, "measured often"
        assert bits(name, cut=11) == first, "cut off and resumed"
        assert bits(name, cut=7, checkpoints=5) == first, "resumed with other checkpoints"

    def test_has_other_bits_at_another_seed(self, name, bits):
        assert bits(name) != bits(name, seed=1)

    def test_leaves_the_processes_streams_as_they_were(self, name, bits):
        disturb(3)
        expected = drawn()
        disturb(3)
        bits(name)
        assert drawn() == expected


def test_bits_in_a_pool_are_those_of_this_process(bits, trials, tmp_path):
    tasks = trials(*NAMES, steps=STEPS, root=tmp_path / "pool")
    outcomes = PoolExecutor(1, [str(DRAWING)]).run(tasks, ignore)
    found = {outcome.task.trials[0].trainer.name: told(made_up.record(outcome), outcome.task) for outcome in outcomes}
    assert found == {name: bits(name) for name in NAMES}


@pytest.mark.parametrize("name", ["draws-by-numpy", "draws-by-python"])
def test_what_would_be_drawn_once_and_for_all_is_not_compiled(name, monkeypatch):
    monkeypatch.setattr(paths, "COMPILE_FROM", 1)
    trial = Trial(
        dataset=Component.resolve(datasets, "ring8"),
        trainer=Component.resolve(trainers, name),
        budget=Budget.parse("steps=30"),
        seed=0,
    )
    path = Training([trial], build_dataset(trial.dataset)).path
    assert (path.name, path.fell_back) == ("plain", True)
    assert "random" in path.reason


def test_streams_go_on_where_they_were_and_from_a_stored_state():
    streams, again = GlobalStreams(5), GlobalStreams(6)
    with streams.entered():
        first = drawn()
    state = streams.state()
    assert not GlobalStreams(5).equals(state)
    with streams.entered():
        second = drawn()
    again.restore(state)
    assert again.equals(state)
    with again.entered():
        assert drawn() == second != first
    with seeded(5):
        assert drawn() == first


def test_streams_are_given_back_whatever_happens():
    disturb(4)
    expected = drawn()
    disturb(4)
    with pytest.raises(ZeroDivisionError), seeded(5):
        drawn()
        1 / 0  # noqa: B018
    assert drawn() == expected
