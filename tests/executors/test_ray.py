"""Tasks on a cluster of two machines, both on this one: the same bits as here, and a lost machine costs nothing."""

import os
import signal
import threading
from pathlib import Path

import made_up
import pytest
from tasks import Noted, ignore

from genbench.errors import GenbenchError
from genbench.executors import parcel, ray_
from genbench.executors.local import LocalExecutor
from genbench.executors.ray_ import RayExecutor, Resources
from genbench.records import layout
from genbench.records.store import Store

ray = pytest.importorskip("ray")
HEAD, OTHER = "127.0.0.2", "127.0.0.3"
"""Of the machine itself, and yet two, so that Ray takes its daemons for those of two machines."""


def node(host):
    return {"num_cpus": 1, "node_ip_address": host, "object_store_memory": 2 * 10**8, "include_dashboard": False}


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two machines of a core each, to which this process is connected."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("PYTHONPATH", str(Path(__file__).parent.parent / "helpers"))
        started = Cluster(initialize_head=True, head_node_args=node(HEAD))
        started.add_node(**node(OTHER))
        ray.init(started.address, log_to_driver=False)
        yield started
        ray.shutdown()
        started.shutdown()


@pytest.fixture
def two(cluster):
    """The same with both machines there, whatever the test before has done to one."""
    while sum(each["Alive"] for each in ray.nodes()) < 2:
        cluster.add_node(**node(OTHER))
    return cluster


@pytest.fixture
def noted(tmp_path):
    return lambda name, **details: Noted(name, str(tmp_path), **details)


def losing_a_machine(cluster):
    """Hears of progress, and has the other machine end without a word in the middle of the first task heard of."""
    others = iter(list(cluster.worker_nodes))

    def hear(word):
        if word.share > 0.3 and (other := next(others, None)) is not None:
            threading.Thread(target=cluster.remove_node, args=(other, False)).start()

    return hear


def bits(outcomes):
    records = [made_up.record(outcome) for outcome in outcomes]
    return {record.trial: (record.status, record.weights_sha256, record.files) for record in records}


def test_without_ray_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(GenbenchError, match=r"pip install 'genbench\[ray\]'"):
        list(RayExecutor().run([], ignore))


@pytest.mark.slow
def test_tasks_run_on_both_machines_each_after_the_one_that_it_needs(two, noted):
    tasks = [noted("late", needs="early"), noted("early", seconds=0.5), noted("beside", seconds=1.0)]
    words = []
    outcomes = list(RayExecutor().run(tasks, words.append))
    assert sorted(outcome.task.name for outcome in outcomes) == ["beside", "early", "late"]
    assert [outcome.error for outcome in outcomes] == [None] * 3
    assert tasks[1].span[1] <= tasks[0].span[0]
    assert tasks[2].span[0] < tasks[1].span[1]
    assert {word.name for word in words} == {"late", "early", "beside"}


def at_once(tasks):
    """How many of them ran at the same time at the most."""
    spans = [task.span for task in tasks]
    return max(sum(began <= start < ended for began, ended in spans) for start, _ in spans)


@pytest.mark.slow
def test_a_machine_does_no_more_at_once_than_it_has_cores_for(two, noted):
    tasks = [noted(f"task {i}", seconds=1.5) for i in range(8)]
    assert [outcome.error for outcome in RayExecutor().run(tasks, ignore)] == [None] * len(tasks)
    assert at_once(tasks) == 2


@pytest.mark.slow
def test_a_gpu_is_shared_by_as_many_as_fit(two, noted):
    """Ray takes a machine's word for its GPUs."""
    third = two.add_node(**node("127.0.0.4") | {"num_cpus": 4, "num_gpus": 1})
    tasks = [noted(f"task {i}", seconds=1.5) for i in range(4)]
    try:
        outcomes = list(RayExecutor(takes=Resources(gpus=0.5)).run(tasks, ignore))
        with pytest.raises(GenbenchError, match="No machine of the cluster has 2 GPUs"):
            list(RayExecutor(takes=Resources(gpus=2)).run(tasks, ignore))
    finally:
        two.remove_node(third)
    assert [outcome.error for outcome in outcomes] == [None] * len(tasks)
    assert at_once(tasks) == 2


@pytest.mark.slow
def test_task_that_fails_has_an_outcome_and_the_rest_goes_on(two, noted):
    tasks = [noted("bad", act="refuse"), noted("broken", act="break"), noted("in need", needs="bad"), noted("after")]
    errors = {outcome.task.name: outcome.error for outcome in RayExecutor().run(tasks, ignore)}
    assert errors == {
        "bad": "bad can't be done.",
        "broken": "broken: RuntimeError: broken broke",
        "in need": "What needs bad was not run.",
        "after": None,
    }


@pytest.mark.slow
@pytest.mark.parametrize("shared", [None, False], ids=["shared folder", "no shared folder"])
def test_trials_have_the_same_bits_as_here(shared, two, trials, tmp_path):
    names = ("gan[width=8,batch=16]", "vae[width=8,batch=16]")
    here = bits(LocalExecutor().run(trials(*names, root=tmp_path / "here"), ignore))
    there = bits(RayExecutor(shared=shared).run(trials(*names, root=tmp_path / "there"), ignore))
    for trial, (status, weights, files) in here.items():
        assert there[trial][:2] == (status, weights)
        assert there[trial][2][layout.SAMPLES] == files[layout.SAMPLES]
    found = [*Store(tmp_path / "there").trials("made-up")]
    assert len(found) == 2
    assert all(each.scores is not None for each in found)
    left = [path.name for path in (tmp_path / "there").rglob("*") if path.is_file()]
    assert not {layout.CHECKPOINT, *(name for name in left if name.startswith("."))} & set(left)


@pytest.mark.slow
def test_a_plugin_travels_as_a_file(two, trials, misfits, tmp_path, monkeypatch):
    """Its trainers may do what they like: they have processes of their own there as well."""
    names = ("behaves", "dies", "exits", "behaves[at=9]")
    executor = RayExecutor(plugins=[misfits], shared=False)
    records = [made_up.record(outcome) for outcome in executor.run(trials(*names), ignore)]
    told = {record.trial.trainer.label: record.status for record in records}
    assert told == {"behaves": "done", "dies": "crashed", "exits": "crashed", "behaves[at=9]": "done"}


@pytest.mark.slow
def test_a_machine_that_is_lost_costs_nothing_and_nothing_is_done_twice(two, noted):
    tasks = [noted(f"task {i}", seconds=1.0) for i in range(6)]
    outcomes = list(RayExecutor().run(tasks, losing_a_machine(two)))
    assert sorted(outcome.task.name for outcome in outcomes) == sorted(task.name for task in tasks)
    assert [outcome.error for outcome in outcomes] == [None] * len(tasks)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [None, False], ids=["shared folder", "no shared folder"])
def test_trials_go_on_elsewhere_from_the_last_checkpoint_that_came_back(shared, two, trials, tmp_path):
    """A machine is taken away in the middle; what was under way on it ends with the bits of an undisturbed run."""
    names = ("gan[width=32,batch=64]", "vae[width=32,batch=64]")
    plan = {"steps": 3000, "checkpoints": 6, "seeds": (0, 1, 2)}
    here = bits(LocalExecutor().run(trials(*names, root=tmp_path / "here", **plan), ignore))
    there = RayExecutor(shared=shared).run(trials(*names, root=tmp_path / "there", **plan), losing_a_machine(two))
    outcomes = list(there)
    assert {trial: end[:2] for trial, end in bits(outcomes).items()} == {trial: end[:2] for trial, end in here.items()}
    assert len(outcomes) == len(here)


@pytest.mark.slow
def test_interrupted_it_keeps_checkpoints_and_goes_on_from_them(two, trials, tmp_path):
    tasks = trials("gan[width=32,batch=64]", steps=20_000, checkpoints=4)
    here = bits(
        LocalExecutor().run(
            trials("gan[width=32,batch=64]", root=tmp_path / "here", steps=20_000, checkpoints=4), ignore
        )
    )
    once = iter([signal.SIGINT])
    with pytest.raises(KeyboardInterrupt):
        list(RayExecutor(shared=False).run(tasks, lambda word: [os.kill(os.getpid(), number) for number in once]))
    assert [path.name for path in made_up.place(tasks[0]).iterdir()] == [layout.CHECKPOINT]
    (outcome,) = RayExecutor(shared=False).run(tasks, ignore)
    assert {trial: end[:2] for trial, end in bits([outcome]).items()} == {trial: end[:2] for trial, end in here.items()}


@pytest.mark.slow
def test_a_task_that_no_machine_survives_is_given_up(two, noted, monkeypatch):
    monkeypatch.setattr(ray_, "TRIES", 2)
    outcomes = RayExecutor().run([noted("dies", act="die"), noted("other")], ignore)
    errors = {outcome.task.name: outcome.error for outcome in outcomes}
    assert errors["dies"].startswith("dies: its machine or its process there was lost 2 times")
    assert errors["other"] is None


@pytest.mark.slow
def test_more_than_any_machine_has_is_not_asked_for(two, noted):
    with pytest.raises(GenbenchError, match="No machine of the cluster has 64 cores"):
        list(RayExecutor(takes=Resources(cpus=64)).run([noted("a")], ignore))


class TestParcel:
    """Files on their way."""

    def test_what_changed_is_what_comes_back(self):
        before = {"a": b"1", "b": b"2", "c": b"3"}
        assert parcel.changed(before, {"a": b"1", "b": b"x", "d": b"4"}) == {"c": None, "b": b"x", "d": b"4"}

    def test_nothing_is_written_elsewhere_or_under_another_name(self, tmp_path):
        place = tmp_path / "results" / "suite"
        place.mkdir(parents=True)
        (place / "out").symlink_to(tmp_path)
        names = [
            "../record.json",
            "suite/../../record.json",
            "suite/out/record.json",
            "suite/x.py",
            "other/record.json",
        ]
        parcel.unpack(tmp_path / "results", dict.fromkeys(names, b"{}"), [place])
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        parcel.unpack(tmp_path / "results", {"suite/record.json": b"{}"}, [place])
        assert (place / "record.json").read_bytes() == b"{}"
