"""Killed anywhere while it writes, a trial goes on to what it would have left undisturbed."""

import errno
import itertools
import os
import signal
from dataclasses import replace

import made_up
import pytest
from left import left
from tasks import ignore, never

from genbench.executors.task import Keep
from genbench.records import atomic
from genbench.records.commit import save_checkpoint
from genbench.records.store import Store
from genbench.records.sweep import sweep
from genbench.trials import session

POINTS = ("before", "written", "synced", "replaced", "after")
"""Where a file's writing may be cut off."""


def killed_at(count, task, monkeypatch):
    """Runs a task in a process of its own that dies at its count-th point of writing; whether it came so far."""
    if (child := os.fork()) == 0:
        passed = itertools.count(1)

        def die(point, path):
            if next(passed) == count:
                os.kill(os.getpid(), signal.SIGKILL)

        monkeypatch.setattr(atomic, "passed", die)
        try:
            task.run(ignore, never)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.fixture
def undisturbed(trials, tmp_path):
    (task,) = trials("gan[batch=16,width=8]", steps=120, checkpoints=3, root=tmp_path / "undisturbed", keep=Keep())
    task.run(ignore, never)
    return left(task)


@pytest.mark.parametrize("save_seconds", [60.0, 0.0], ids=["checkpoints at marks", "checkpoints at every step"])
def test_killed_at_any_point_of_any_write_it_ends_as_if_undisturbed(
    save_seconds, undisturbed, trials, tmp_path, monkeypatch
):
    monkeypatch.setattr(session, "SAVE_SECONDS", save_seconds)
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    few = range(1, 60) if save_seconds else range(1, 800, 97)
    tried = 0
    for count in few:
        root = tmp_path / f"at {count}"
        (task,) = trials("gan[batch=16,width=8]", steps=120, checkpoints=3, root=root, keep=Keep())
        if not killed_at(count, task, monkeypatch):
            break
        tried += 1
        record = made_up.record(replace(task, found={}).run(ignore, never))
        assert record.status == "done"
        sweep(root)
        assert left(task) == undisturbed, f"killed at point {count}"
    assert tried >= (5 * 7 if save_seconds else 5)


def test_a_write_that_fails_at_any_point_loses_nothing(undisturbed, trials, tmp_path, monkeypatch):
    """As on a full disk: the trial's record says so, or that it couldn't be stored, and run again it is whole."""
    tried = 0
    for count in range(1, 60):
        root = tmp_path / f"at {count}"
        (task,) = trials("gan[batch=16,width=8]", steps=120, checkpoints=3, root=root, keep=Keep())
        passed = itertools.count(1)

        def fail(point, path, passed=passed, count=count):
            if next(passed) >= count and point in ("before", "written", "synced"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        with monkeypatch.context() as patch:
            patch.setattr(atomic, "passed", fail)
            record = made_up.record(task.run(ignore, never))
        if record.status == "done":
            break
        tried += 1
        assert "No space left" in record.reason
        assert not list(root.rglob("*.tmp"))
        assert made_up.record(task.run(ignore, never)).status == "done"
        assert left(task) == undisturbed, f"failed at point {count}"
    assert tried >= 5 * 7


def test_a_full_disk_takes_no_record_that_was_there(trials, tmp_path, monkeypatch):
    (task,) = trials("gan[batch=16,width=8]", steps=12, root=tmp_path, keep=Keep())
    done = made_up.record(task.run(ignore, never))

    def fail(point, path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "passed", fail)
        assert made_up.record(replace(task, found=None).run(ignore, never)).status == "crashed"
    assert Store(tmp_path).trial(made_up.place(task)).record == done


@pytest.mark.parametrize("facts", [{}, {"meter": 3}, {"meter": {"steps": 3, "odd": 1}}], ids=str)
def test_a_checkpoint_that_lacks_something_is_none(facts, trials, tmp_path):
    (task,) = trials("gan[batch=16,width=8]", steps=12, root=tmp_path, keep=Keep())
    save_checkpoint(made_up.place(task), {}, facts)
    assert task.ended("crashed", "gone").records[0].cost.steps == 0
    assert made_up.record(replace(task, found=None).run(ignore, never)).status == "done"
