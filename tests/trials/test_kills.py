"""Killed anywhere while it writes, a trial goes on to what it would have left undisturbed."""

import errno
import itertools
import os
from dataclasses import replace

import killing
import made_up
import pytest
from left import left
from tasks import ignore, never

from genbench.executors.task import Keep
from genbench.records import atomic
from genbench.records.commit import save_checkpoint
from genbench.records.store import Store


@pytest.fixture
def undisturbed(trials, tmp_path):
    (task,) = trials("gan[batch=16,width=8]", steps=120, checkpoints=3, root=tmp_path / "undisturbed", keep=Keep())
    task.run(ignore, never)
    return left(task)


def test_killed_at_any_point_of_any_write_it_ends_as_if_undisturbed(tmp_path):
    tried = killing.in_a_new_process(killing.killed_at_points, range(1, 60), 60.0, tmp_path)
    assert tried >= 5 * len(killing.POINTS) + 10


def test_killed_where_every_step_keeps_a_checkpoint_too(tmp_path):
    tried = killing.in_a_new_process(killing.killed_at_points, range(1, 800, 97), 0.0, tmp_path)
    assert tried >= 5


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
