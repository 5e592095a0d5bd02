"""What a Ray cluster costs beside this process alone, and what a second machine gains.

The cluster's machines are two of a core each, both on this one. Trials are trained plainly, so that nothing compiles.
"""

import statistics
import time
from pathlib import Path

import pytest

from genbench.executors.local import LocalExecutor
from genbench.executors.ray_ import RayExecutor
from genbench.executors.task import Context, Keep
from genbench.records.store import Store
from genbench.spec import Budget, Suite
from genbench.trials.plan import make_plan

ray = pytest.importorskip("ray")
TRIALS, SHORT, LONG = 12, 40, 3_000


@pytest.fixture(params=[1, 2], ids=["one machine", "two machines"])
def machines(request, monkeypatch):
    """A cluster of so many machines, to which this process is connected."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    nodes = [
        {"num_cpus": 1, "node_ip_address": f"127.0.0.{2 + i}", "include_dashboard": False} for i in range(request.param)
    ]
    cluster = Cluster(initialize_head=True, head_node_args=nodes[0])
    for node in nodes[1:]:
        cluster.add_node(**node)
    ray.init(cluster.address, log_to_driver=False)
    yield request.param
    ray.shutdown()
    cluster.shutdown()


def tasks(root, steps, seeds, stack=1):
    suite = Suite(
        name="timed", version=1, datasets=("ring8",), trainers=("gan",), seeds=tuple(seeds),
        budgets=(Budget(kind="steps", amount=steps),), protocols=("smoke",), checkpoints=2, control_draws=2,
    )  # fmt: skip
    plan = make_plan(suite, Store(Path(root)))
    plan.controls.clear()
    return plan.tasks(Context(str(root), suite.name, suite.protocols, "cpu", "genbench run", "plain"), Keep(), stack)


def seconds(executor, planned):
    started = time.perf_counter()
    outcomes = list(executor.run(planned, lambda word: None))
    assert {record.status for outcome in outcomes for record in outcome.records} == {"done"}
    return time.perf_counter() - started


@pytest.mark.parametrize("machines", [1], indirect=True, ids=["one machine"])
@pytest.mark.parametrize("shared", [True, False], ids=["shared folder", "through the object store"])
def test_what_a_task_keeps_the_command_busy_with(benchmark, machines, shared, tmp_path):
    """This process's own seconds for each stack of five trials, and the wall clock's until a machine is warm."""
    executor = RayExecutor(shared=None if shared else False)
    warming = seconds(executor, tasks(tmp_path / "warm", SHORT, range(1)))
    started = time.process_time()
    benchmark.pedantic(seconds, args=(executor, tasks(tmp_path / "there", SHORT, range(60), stack=5)), rounds=1)
    busy = (time.process_time() - started) / 12
    benchmark.group = "what keeps the command busy"
    benchmark.extra_info.update(shared=shared, busy_seconds_a_task=busy, warming_seconds=warming)
    print(f"\nshared={shared}: {busy:.3f} s a task of the command, {warming:.1f} s until a machine is warm")


@pytest.mark.parametrize("shared", [True, False], ids=["shared folder", "through the object store"])
def test_what_a_trial_costs_more(benchmark, machines, shared, tmp_path):
    """The cluster's seconds a trial less this process's, once every machine has trained one."""
    executor = RayExecutor(shared=None if shared else False)
    seconds(executor, tasks(tmp_path / "warm", SHORT, range(2 * machines)))
    seconds(LocalExecutor(), tasks(tmp_path / "warm here", SHORT, range(1)))
    here = seconds(LocalExecutor(), tasks(tmp_path / "here", SHORT, range(TRIALS)))
    there = benchmark.pedantic(
        seconds, args=(executor, tasks(tmp_path / "there", SHORT, range(TRIALS))), rounds=1
    )  # fmt: skip
    more = (there * machines - here) / TRIALS
    benchmark.group = "short trials on a cluster"
    benchmark.extra_info.update(machines=machines, shared=shared, here=here / TRIALS, more_seconds_a_trial=more)
    print(f"\n{machines} machines, shared={shared}: {here / TRIALS:.3f} s a trial here, {more:.3f} s more there")


def test_what_a_second_machine_gains(benchmark, machines, tmp_path):
    """Seconds of a suite of trials of five seconds and more, with every machine warm."""
    executor = RayExecutor()
    seconds(executor, tasks(tmp_path / "warm", SHORT, range(2 * machines)))
    planned = tasks(tmp_path / "there", LONG, range(8))
    took = benchmark.pedantic(seconds, args=(executor, planned), rounds=1)
    costs = [found.record.cost.train_seconds for found in Store(tmp_path / "there").trials("timed")]
    benchmark.group = "long trials on a cluster"
    benchmark.extra_info.update(machines=machines, seconds=took, trial_seconds=statistics.median(costs))
    print(f"\n{machines} machines: {took:.1f} s for 8 trials of {statistics.median(costs):.1f} s")
