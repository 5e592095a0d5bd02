"""Work on cores that are free: in order, once, and to its end."""

import threading

import pytest

from genbench import cores
from genbench.cores import aside, side_by_side, spared


@pytest.mark.parametrize("spare", [-1, 0, 1, 3])
def test_results_come_in_the_order_of_the_items(spare):
    with spared(spare):
        assert side_by_side(lambda x: x * x, range(50)) == [x * x for x in range(50)]
        assert side_by_side(lambda x: x, []) == []


def test_more_than_one_thread_works():
    """Two items wait for each other, which one thread could never do."""
    both = threading.Barrier(2, timeout=30)
    with spared(1):
        assert side_by_side(lambda x: both.wait() >= 0, [1, 2]) == [True, True]


@pytest.mark.parametrize("spare", [0, 2])
def test_an_error_is_raised_and_nothing_more_is_begun(spare):
    done = []

    def work(item):
        if item == 0:
            raise ValueError("the first")
        done.append(item)
        return item

    with spared(spare), pytest.raises(ValueError, match="the first"):
        side_by_side(work, range(10_000))
    assert len(done) < 10_000


def test_work_may_itself_go_side_by_side():
    """With no thread left over nobody waits for nobody."""
    with spared(1):
        nested = side_by_side(lambda x: sum(side_by_side(lambda y: x * y, range(5))), range(6))
        asked = aside(lambda: side_by_side(lambda x: x, range(3)))
        assert asked() == [0, 1, 2]
    assert nested == [10 * x for x in range(6)]


def test_without_a_spare_core_it_is_done_at_once():
    done = []
    asked = aside(lambda: done.append(1) or "result")
    assert done == [1]
    assert asked() == "result"
    assert done == [1]


def test_aside_goes_on_meanwhile_and_is_done_once():
    started, go_on, done = threading.Event(), threading.Event(), []

    def work():
        started.set()
        assert go_on.wait(30)
        done.append(threading.current_thread().name)
        return "result"

    with spared(1):
        asked = aside(work)
        assert started.wait(30)
        waiting = aside(lambda: done.append("mine") or "other")
        assert waiting() == "other"  # nobody had begun it: the one who asks does it
        go_on.set()
        assert asked() == "result"
    assert done[0] == "mine"
    assert done[1].startswith("aside")


def test_an_error_aside_is_raised_where_it_is_asked_for():
    def work():
        raise ValueError("aside")

    with spared(1):
        asked = aside(work)
        with pytest.raises(ValueError, match="aside"):
            asked()


def test_what_is_spared_ends_with_the_block():
    with spared(2):
        with spared(0):
            assert cores._pool is None
        assert cores._pool is not None
    assert cores._pool is None
    assert cores.available() >= 1


def test_alone_one_follows_the_other():
    threads = set()
    with spared(3):
        side_by_side(lambda x: threads.add(threading.get_ident()), range(100), alone=True)
    assert threads == {threading.get_ident()}


def test_an_interrupt_does_not_wait_for_what_has_not_begun():
    done, go_on = [], threading.Event()
    with pytest.raises(KeyboardInterrupt), spared(1):
        aside(lambda: go_on.wait(30))
        aside(lambda: done.append("late"))
        threading.Timer(0.2, go_on.set).start()
        raise KeyboardInterrupt
    assert done == []
