"""Trials that are killed while they train and write, and held against undisturbed ones.

All of it goes on in a process that has done nothing else: where autograd has threads, a copy of a process can't train.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import made_up
from left import left
from planned import trial_tasks
from tasks import ignore, never

from genbench.engine import stacked
from genbench.executors.local import LocalExecutor
from genbench.executors.process import run_conditions
from genbench.executors.task import Keep
from genbench.plugins import load_plugin
from genbench.records import atomic
from genbench.records.sweep import sweep
from genbench.trials import session

POINTS = ("before", "written", "synced", "replaced", "after")
"""Where a file's writing may be cut off."""

PATHS = {
    "plain": {"trainers": ("wgan-gp[batch=16,width=8]",), "seeds": (0,)},
    "stacked": {"trainers": ("wgan-gp[batch=16,width=8]",), "seeds": (0, 1, 2), "stack": 3},
    "averaged": {"trainers": ("gan[batch=16,width=8]",), "seeds": (0,), "ema": 0.9},
    "several": {"trainers": ("gan[batch=16,width=8]", "wgan[batch=16,width=8]"), "seeds": (0, 1)},
    "images": {"trainers": ("gan[recipe=small-images,batch=8,width=4]",), "seeds": (0,), "datasets": ("diary",)},
}
"""The ways in which trials are trained."""


def in_a_new_process(act, *arguments):
    """What `act` returns there, or raises."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_under_conditions, act, arguments).result()


def _under_conditions(act, arguments):
    with run_conditions():
        return act(*arguments)


def killed_at_instants(path, kills, folder):
    """Kills trials of a path so often, at any instant, and runs them again until nothing kills them.

    A checkpoint is kept a few times a second. Raises AssertionError where something differs from what undisturbed
    trials leave.
    """
    session.SAVE_SECONDS, session.NOTIFY_SECONDS = 0.1, 0.02
    stacked.compiled = lambda function, arguments: function
    load_plugin(str(Path(__file__).parent / "printed.py"))
    whole = _of_path(path, folder / "undisturbed")
    started = time.perf_counter()
    _run(whole)
    takes = time.perf_counter() - started
    expected = [left(one) for task in whole for one in _alone(task)]
    rng = random.Random(path)
    killed = attempt = 0
    while killed < kills:
        attempt += 1
        root = folder / f"attempt {attempt}"
        todo = _of_path(path, root)
        while killed < kills and _is_killed_after(rng.uniform(0, 1.2 * takes), todo):
            killed += 1
        _run(todo)
        sweep(root)
        assert [left(one) for task in todo for one in _alone(task)] == expected, f"after {killed} kills"
    return f"{path}: {killed} kills in {attempt} runs of {takes:.2f} s"


def killed_at_points(counts, save_seconds, folder):
    """Kills a trial at each of these points of writing in turn, until it has fewer, and runs it again; how many."""
    session.SAVE_SECONDS, session.NOTIFY_SECONDS = save_seconds, 0.0
    task = _short(folder / "undisturbed")
    task.run(ignore, never)
    expected = left(task)
    for tried, count in enumerate(counts):
        root = folder / f"at {count}"
        task = _short(root)
        if not _is_killed_at(count, task):
            return tried
        record = made_up.record(replace(task, found={}).run(ignore, never))
        assert record.status == "done", record.reason
        sweep(root)
        assert left(task) == expected, f"killed at point {count}"
    return len(counts)


def _short(root):
    (task,) = trial_tasks("gan[batch=16,width=8]", steps=120, checkpoints=3, root=root, keep=Keep())
    return task


def _of_path(path, root):
    plan = dict(PATHS[path])
    images = "datasets" in plan
    engine = "compiled" if plan.get("stack") else "plain"
    changes = {"steps": 12 if images else 200, "checkpoints": 3, "keep": Keep(), "engine": engine}
    if images:
        changes["protocols"] = ("mnist-smoke",)
    return trial_tasks(*plan.pop("trainers"), root=root, **changes, **plan)


def _alone(task):
    """The trials of a task as tasks of one."""
    return [replace(task, trials=(trial,)) for trial in task.trials]


def _run(tasks):
    list(LocalExecutor().run(tasks, ignore))


def _is_killed_after(seconds, tasks):
    """Runs tasks in a process of its own that is killed so much later; whether it was still at it."""
    if (child := os.fork()) == 0:
        try:
            _run(tasks)
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _is_killed_at(count, task):
    """Runs a task in a process of its own that dies at its count-th point of writing; whether it came so far."""
    if (child := os.fork()) == 0:
        passed = itertools.count(1)

        def die(point, path):
            if next(passed) == count:
                os.kill(os.getpid(), signal.SIGKILL)

        atomic.passed = die
        try:
            task.run(ignore, never)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])
