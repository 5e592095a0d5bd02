"""Killed at any instant, again and again, trials leave the weights, curves, losses and scores of undisturbed ones.

`pytest -m slow tests/trials/test_random_kills.py -s` kills 250 times and says how often, and at which shares of a run.
"""

import os
import random
import signal
import time

import pytest
from left import left
from tasks import ignore

from genbench.engine import stacked
from genbench.executors.local import LocalExecutor
from genbench.executors.task import Keep
from genbench.records.sweep import sweep
from genbench.trials import session

PATHS = {
    "plain": {"trainers": ("wgan-gp[batch=16,width=8]",), "seeds": (0,)},
    "stacked": {"trainers": ("wgan-gp[batch=16,width=8]",), "seeds": (0, 1, 2), "stack": 3},
    "averaged": {"trainers": ("gan[batch=16,width=8]",), "seeds": (0,), "ema": 0.9},
    "several": {"trainers": ("gan[batch=16,width=8]", "wgan[batch=16,width=8]"), "seeds": (0, 1)},
    "images": {"trainers": ("gan[recipe=small-images,batch=8,width=4]",), "seeds": (0,), "datasets": ("diary",)},
}


@pytest.fixture
def tasks(trials, monkeypatch, printed):
    """`tasks(path, root)`: what is to be run; a checkpoint is kept a few times a second."""
    monkeypatch.setattr(session, "SAVE_SECONDS", 0.1)
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.02)
    monkeypatch.setattr(stacked, "compiled", lambda function, arguments: function)

    def of(path, root):
        plan = dict(PATHS[path])
        images = "datasets" in plan
        engine = "compiled" if plan.get("stack") else "plain"
        changes = {"steps": 12 if images else 200, "checkpoints": 3, "keep": Keep(), "engine": engine}
        if images:
            changes["protocols"] = ("mnist-smoke",)
        return trials(*plan.pop("trainers"), root=root, **changes, **plan)

    return of


def run(tasks):
    list(LocalExecutor().run(tasks, ignore))


def killed_after(seconds, tasks):
    """Runs tasks in a process of its own that is killed so much later; whether it was still at it."""
    if (child := os.fork()) == 0:
        try:
            run(tasks)
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def survives(path, kills, tasks, tmp_path):
    whole = tasks(path, tmp_path / "undisturbed")
    started = time.perf_counter()
    run(whole)
    takes = time.perf_counter() - started
    expected = [left(one) for task in whole for one in alone(task)]
    rng = random.Random(path)
    killed = attempt = 0
    while killed < kills:
        attempt += 1
        root = tmp_path / f"attempt {attempt}"
        todo = tasks(path, root)
        while killed < kills and killed_after(rng.uniform(0, 1.2 * takes), todo):
            killed += 1
        run(todo)
        sweep(root)
        found = [left(one) for task in todo for one in alone(task)]
        assert found == expected, f"after {killed} kills"
    print(f"{path}: {killed} kills in {attempt} runs of {takes:.2f} s")
    assert killed >= kills


def alone(task):
    """The trials of a task as tasks of one."""
    from dataclasses import replace

    return [replace(task, trials=(trial,)) for trial in task.trials]


@pytest.mark.parametrize("path", PATHS)
def test_a_few_kills_change_nothing(path, tasks, tmp_path):
    survives(path, 4, tasks, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_fifty_kills_change_nothing(path, tasks, tmp_path):
    survives(path, 50, tasks, tmp_path)
