"""Executors: every task has its outcome, in an order that respects needs, and Ctrl-C loses nothing."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import made_up
import pytest
from tasks import FRAMES, Noted, ignore

from genbench import cores
from genbench.executors.backlog import Backlog
from genbench.executors.local import LocalExecutor
from genbench.executors.pool import PoolExecutor
from genbench.executors.task import Outcome
from genbench.records import layout, store
from genbench.records.commit import load_checkpoint
from genbench.trials import session

HELPERS = Path(__file__).parent.parent / "helpers"
PATIENCE = 30.0


def names(outcomes):
    return [outcome.task.name for outcome in outcomes]


def pid(task):
    return int(Path(task.folder, task.name).read_text().split()[2])


def in_store(task):
    here = store.Store(Path(task.context.root))
    return next((found for found in here.trials(task.context.suite) if found.folder == made_up.place(task)), None)


def end(record):
    return record.id, record.status, record.reason, record.weights_sha256


def left_in(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def in_a_process(code, folder):
    """A pool of its own in another process, which can be killed where this one can't."""
    prelude = "import sys; from tasks import Noted; from genbench.executors.pool import PoolExecutor\n"
    return subprocess.Popen(
        [sys.executable, "-c", prelude + code, str(folder)],
        env={**os.environ, "PYTHONPATH": str(HELPERS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.fixture
def noted(tmp_path):
    """`noted("a", act="wait")`: a task that leaves a file of its name when it ends well."""
    return lambda name, **details: Noted(name, str(tmp_path), **details)


@pytest.fixture(params=[LocalExecutor, lambda: PoolExecutor(2)], ids=["here", "pool"])
def executor(request):
    return request.param()


@pytest.fixture
def hard_stop():
    """Interrupts a test that would wait for ever."""
    timer = threading.Timer(PATIENCE, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    yield
    timer.cancel()


def test_nothing_to_do_is_done_at_once(executor):
    assert list(executor.run([], ignore)) == []


def test_every_task_ends_and_is_heard_of(executor, noted):
    tasks = [noted(name, seconds=0.3) for name in "abc"]
    words = []
    outcomes = list(executor.run(tasks, words.append))
    assert sorted(names(outcomes)) == ["a", "b", "c"]
    assert {(made_up.record(outcome), outcome.error) for outcome in outcomes} == {(None, None)}
    assert {(word.name, word.share, word.steps) for word in words} == {(name, 0.5, 3) for name in "abc"}


def test_tasks_run_here_one_after_the_other_as_they_are_asked_for(noted):
    tasks = [noted("b"), noted("a")]
    running = LocalExecutor().run(tasks, ignore)
    assert next(running).task.name == "b"
    assert not Path(tasks[1].folder, "a").exists()
    assert names(running) == ["a"]
    assert pid(tasks[0]) == os.getpid()


@pytest.mark.parametrize("available", [1, 2])
def test_a_task_ends_beside_the_next_one_where_a_core_is_free(available, noted, monkeypatch):
    monkeypatch.setattr(cores, "available", lambda: available)
    tasks = [noted(name, seconds=0.3, afterwards=0.1) for name in "abc"]
    assert names(LocalExecutor().run(tasks, ignore)) == ["a", "b", "c"]
    ended = [float(Path(task.folder, f"{task.name} ended").read_text()) for task in tasks]
    for own, after in zip(ended, tasks[1:], strict=False):
        began, left = after.span
        assert began <= own <= left if available > 1 else own <= began


def test_nothing_goes_on_beside_what_must_not_be_disturbed(noted, monkeypatch):
    """A budget in seconds would otherwise be spent on another trial's scores."""
    monkeypatch.setattr(cores, "available", lambda: 2)
    tasks = [noted("a", afterwards=0.2), noted("b", undisturbed=True)]
    assert names(LocalExecutor().run(tasks, ignore)) == ["a", "b"]
    assert float(Path(tasks[0].folder, "a ended").read_text()) <= tasks[1].span[0]


@pytest.mark.parametrize("available", [1, 2])
def test_an_end_that_breaks_is_its_own_tasks_fault(available, noted, monkeypatch):
    monkeypatch.setattr(cores, "available", lambda: available)
    failed, after = LocalExecutor().run([noted("bad", act="break late", afterwards=0.0), noted("after")], ignore)
    assert (failed.task.name, failed.error) == ("bad", "bad: RuntimeError: bad broke late")
    assert (after.task.name, after.error) == ("after", None)


def test_what_has_begun_ends_although_the_next_task_is_interrupted(noted, monkeypatch, hard_stop):
    monkeypatch.setattr(cores, "available", lambda: 2)
    tasks = [noted("first", afterwards=0.2), noted("second", act="wait")]
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    ended = []
    with pytest.raises(KeyboardInterrupt):
        ended += [outcome.task.name for outcome in LocalExecutor().run(tasks, ignore)]
    assert Path(tasks[0].folder, "first ended").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_task_starts_after_the_one_that_it_needs(jobs, noted):
    late, early = noted("late", needs="early"), noted("early", seconds=0.3)
    assert names(PoolExecutor(jobs).run([late, early], ignore)) == ["early", "late"]
    assert early.span[1] <= late.span[0]


def test_one_job_takes_its_tasks_in_order_in_one_process(noted):
    tasks = [noted(name, seconds=0.05) for name in "bca"]
    assert names(PoolExecutor(1).run(tasks, ignore)) == ["b", "c", "a"]
    assert len({pid(task) for task in tasks} | {os.getpid()}) == 2
    spans = [task.span for task in tasks]
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_what_a_plugin_takes_part_in_has_a_process_to_itself(noted):
    """Before it nothing of a stranger's has run there, and after it nothing runs there."""
    tasks = [noted("a"), noted("b"), noted("theirs", is_ours=False), noted("theirs too", is_ours=False), noted("c")]
    assert names(PoolExecutor(1).run(tasks, ignore)) == [task.name for task in tasks]
    a, b, theirs, theirs_too, c = map(pid, tasks)
    assert a == b == theirs
    assert len({theirs, theirs_too, c}) == 3


@pytest.mark.parametrize("executor", [LocalExecutor(), PoolExecutor(1)], ids=["here", "pool"])
@pytest.mark.parametrize(
    ("act", "error"),
    [("refuse", "bad can't be done."), ("break", "bad: RuntimeError: bad broke")],
)
def test_task_that_fails_has_an_outcome_and_the_rest_goes_on(executor, act, error, noted):
    tasks = [noted("bad", act=act), noted("in need", needs="bad"), noted("in turn", needs="in need"), noted("after")]
    outcomes = list(executor.run(tasks, ignore))
    assert {made_up.record(outcome) for outcome in outcomes} == {None}
    assert [(outcome.task.name, outcome.error) for outcome in outcomes] == [
        ("bad", error),
        ("in need", "What needs bad was not run."),
        ("in turn", "What needs in need was not run."),
        ("after", None),
    ]
    assert not Path(tasks[0].folder, "in need").exists()


def test_worker_that_dies_is_replaced(noted):
    dying = {"act": "die", "seconds": 0.3}
    tasks = [noted("before"), noted("dies", **dying), noted("dies too", **dying), noted("after")]
    outcomes = list(PoolExecutor(1).run(tasks, ignore))
    assert names(outcomes) == ["before", "dies", "dies too", "after"]
    assert [outcome.error for outcome in outcomes] == [
        None,
        "dies: its process ended by itself with exit code 9",
        "dies too: its process ended by itself with exit code 9",
        None,
    ]
    assert pid(tasks[0]) != pid(tasks[-1])


def test_worker_that_dies_in_the_middle_of_a_word_holds_nothing_up(tmp_path):
    code = (
        "tasks = [Noted(f'dies {i}', sys.argv[1], act='die') for i in range(6)] + [Noted('after', sys.argv[1])]\n"
        "print(len(list(PoolExecutor(1).run(tasks, lambda word: None))))"
    )
    with in_a_process(code, tmp_path) as run:
        try:
            told, _ = run.communicate(timeout=PATIENCE)
        finally:
            run.kill()
    assert told == "7\n"


@pytest.mark.parametrize("act", FRAMES)
def test_what_is_said_and_is_no_word_costs_its_own_task_alone(act, noted):
    tasks = [noted("bad", act=act, is_ours=False), noted("after")]
    outcomes = {
        outcome.task.name: outcome.error for outcome in PoolExecutor(1, timeout=PATIENCE / 3).run(tasks, ignore)
    }
    assert outcomes["after"] is None
    assert outcomes["bad"] in ("bad: its process closed what it is heard by", "bad: nothing was heard of it for 10 s")


def test_parts_that_are_to_be_done_apart_have_processes_of_their_own(trials, misfits):
    """A plugin's seeds that train one by one: what one of them switches is as it was for the next."""
    (together,) = trials("leaves-a-switch", seeds=(0, 1), stack=2, engine="plain")
    pool = PoolExecutor(1, [misfits])
    hashes = [made_up.record(outcome).weights_sha256 for outcome in pool.run([together], ignore)]
    alone = [
        made_up.record(outcome).weights_sha256
        for seed in (0, 1)
        for outcome in pool.run(trials("leaves-a-switch", seeds=(seed,), engine="plain"), ignore)
    ]
    assert hashes == alone
    assert len(set(hashes)) == 2


def test_what_cannot_travel_between_processes_costs_its_own_task_alone(noted):
    tasks = [noted("before"), noted("there", seconds=lambda: None), noted("back", act="unpicklable"), noted("after")]
    outcomes = {outcome.task.name: outcome.error for outcome in PoolExecutor(1).run(tasks, ignore)}
    assert outcomes["there"].startswith("there: ")
    assert outcomes["back"].startswith("back: ")
    assert "pickle" in outcomes["there"]
    assert "pickle" in outcomes["back"]
    assert (outcomes["before"], outcomes["after"]) == (None, None)
    assert pid(tasks[0]) == pid(tasks[-1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_here_the_running_task_ends_politely_and_the_rest_never_starts(number, noted, capfd):
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    running = LocalExecutor().run([noted("a", act="wait"), noted("b")], lambda word: os.kill(os.getpid(), number))
    assert next(running).task.name == "a"
    with pytest.raises(KeyboardInterrupt):
        next(running)
    assert left_in(noted("a").folder) == ["a"]
    assert "once more to stop at once" in capfd.readouterr().err
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_second_interrupt_stops_at_once(noted):
    def twice(word):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        list(LocalExecutor().run([noted("a", act="wait")], twice))
    assert left_in(noted("a").folder) == []
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.usefixtures("hard_stop")
def test_pool_runs_tasks_side_by_side_until_it_is_interrupted(noted):
    heard, ended = set(), []

    def interrupt_when_two_run(word):
        heard.add(word.name)
        if heard == {"a", "b"}:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        ended.extend(PoolExecutor(2).run([noted(name, act="wait") for name in "abc"], interrupt_when_two_run))
    assert heard == {"a", "b"}
    assert left_in(noted("a").folder) == ["a", "b"]
    assert pid(noted("a")) != pid(noted("b"))
    assert signal.getsignal(signal.SIGINT) is before
    assert multiprocessing.active_children() == []


def test_outcomes_of_an_interrupted_pool_are_all_told(noted):
    running = PoolExecutor(1).run([noted("a", act="wait"), noted("b")], lambda word: os.kill(os.getpid(), 2))
    assert next(running).task.name == "a"
    with pytest.raises(KeyboardInterrupt):
        next(running)


@pytest.mark.usefixtures("hard_stop")
def test_pool_that_nobody_listens_to_any_more_stops_its_tasks(noted):
    running = PoolExecutor(2).run([noted("quick"), noted("waits", act="wait"), noted("never", needs="waits")], ignore)
    assert next(running).task.name == "quick"
    running.close()
    assert "never" not in left_in(noted("a").folder)
    assert multiprocessing.active_children() == []


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    code = (
        "task = Noted('a', sys.argv[1], act='wait')\n"
        "list(PoolExecutor(1).run([task], lambda word: print('started', flush=True)))"
    )
    with in_a_process(code, tmp_path) as parent:
        assert parent.stdout.readline() == "started\n"
        parent.kill()
        # The worker holds the same pipe: it reads as ended once the worker is gone, too.
        rest, _ = parent.communicate(timeout=PATIENCE)
    assert rest == ""
    assert left_in(tmp_path) == []


def test_interrupted_trial_keeps_its_checkpoint_and_goes_on_from_it(trials, misfits, monkeypatch):
    monkeypatch.setattr(session, "NOTIFY_SECONDS", 0.0)
    tasks = trials("interrupts[at=5]", "behaves")
    with pytest.raises(KeyboardInterrupt):
        list(LocalExecutor().run(tasks, ignore))
    assert left_in(made_up.place(tasks[0])) == [layout.CHECKPOINT]
    assert not made_up.place(tasks[1]).exists()
    assert load_checkpoint(made_up.place(tasks[0]))[1]["meter"]["steps"] == 5
    records = [made_up.record(outcome) for outcome in LocalExecutor().run(tasks, ignore)]
    assert [(record.status, record.cost.steps) for record in records] == [("done", 12)] * 2
    assert len({record.weights_sha256 for record in records}) == 1


def test_pool_records_what_fails_and_keeps_the_checkpoint_of_what_is_interrupted(trials, misfits, tmp_path):
    names = ("behaves", "crashes", "turns-nan")
    here = [made_up.record(outcome) for outcome in LocalExecutor().run(trials(*names, root=tmp_path / "here"), ignore)]
    # A signal to a worker is not for it; only the parent decides to stop.
    tasks = trials(*names, "interrupts", "dies", "interrupts-the-parent", "behaves[at=9]")
    with pytest.raises(KeyboardInterrupt):
        list(PoolExecutor(1, [misfits]).run(tasks, ignore))
    records = [found.record for task in tasks if (found := in_store(task))]
    assert [record.status for record in records] == ["done", "crashed", "diverged", "done", "crashed"]
    assert records[-1].reason == "its process ended by itself with exit code 3"
    for one, other in zip(here, records, strict=False):
        assert end(one) == end(other)
    *_, interrupted, never = tasks
    assert left_in(made_up.place(interrupted)) == [layout.CHECKPOINT]
    assert not made_up.place(never).exists()
    (outcome,) = LocalExecutor().run([interrupted], ignore)
    assert (made_up.record(outcome).status, made_up.record(outcome).cost.steps) == ("done", 12)
    assert made_up.record(outcome).weights_sha256 == here[0].weights_sha256


class TestBacklog:
    """Which task comes next."""

    def test_hands_tasks_out_in_order(self, noted):
        backlog = Backlog([noted("b"), noted("a")])
        assert [backlog.take().name, backlog.take().name, backlog.take()] == ["b", "a", None]

    def test_passes_over_a_task_whose_need_has_not_ended(self, noted):
        backlog = Backlog([noted("first"), noted("second", needs="first"), noted("third")])
        first = backlog.take()
        assert [backlog.take().name, backlog.take()] == ["third", None]
        assert names(backlog.end(Outcome(first))) == ["first"]
        assert backlog.take().name == "second"

    def test_need_that_is_no_task_of_this_run_holds_nothing_up(self, noted):
        assert Backlog([noted("a", needs="done long ago")]).take().name == "a"

    def test_closed_it_hands_out_nothing_more(self, noted):
        backlog = Backlog([noted("a")])
        backlog.drop()
        assert backlog.take() is None
