"""_runtime/submitting.py, src/record/submitted.c: work in other threads, below the region that
submitted it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread
import threading
import traceback

import pytest

from collected import tree
from scope_profiler import ProfileManager


@pytest.fixture
def manager():
    manager = ProfileManager()
    manager.setup(output=None, track_executors=True)
    yield manager
    manager.reset()


def calls(manager):
    return {path: row.calls for path, row in tree(manager) if row.calls}


def work(manager, name="work"):
    with manager.region(name):
        pass
    return name


def test_each_work_is_below_the_region_that_submitted_it(manager):
    with ThreadPoolExecutor(1) as pool:
        for name in "ab":
            with manager.region(name), manager.region("submit"):
                for _ in range(3):
                    pool.submit(work, manager).result()
        pool.submit(work, manager).result()
        with manager.region("c"):
            assert [*pool.map(work, [manager] * 2)] == ["work"] * 2
    assert calls(manager) == {
        **{(name, *below): count for name in "ab" for below, count in (
            ((), 1), (("submit",), 1), (("submit", "work"), 3), (("submit", "(queued)"), 3))},
        ("work",): 1, ("(queued)",): 1,
        ("c",): 1, ("c", "work"): 2, ("c", "(queued)"): 2,
    }


def test_the_time_in_the_queue(manager, clock):
    """It is that until the work begins, also of what waits for a thread; and nobody else's own time."""
    manager.setup(output=None, track_executors=True, replace=True)
    begun, go_on = Event(), Event()

    def block():
        begun.set()
        go_on.wait()

    with ThreadPoolExecutor(1) as pool, manager.region("submit"):
        first = pool.submit(block)
        begun.wait()
        second = pool.submit(work, manager)
        clock.tick(1000)
        go_on.set()
        first.result(), second.result()
        clock.tick(10)
    rows = {path: row for path, row in tree(manager)}
    queued = rows["submit", "(queued)"]
    assert (queued.calls, queued.total, queued.minimum, queued.maximum) == (2, 1000, 0, 1000)
    assert (rows["submit",].total, rows["submit",].exclusive) == (1010, 1010)
    results = manager.finalize(verbose=False, return_results=True)
    assert results["(queued)"].num_calls == 2 and results["(queued)"].num_events == 0


def test_new_threads(manager):
    class Derived(Thread):
        def run(self):
            work(manager, "derived")

    with manager.region("start"):
        threads = [Thread(target=work, args=[manager]), Derived(), threading.Timer(0, work, [manager])]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
        assert "run" not in vars(thread)
    assert calls(manager) == {("start",): 1, ("start", "work"): 2, ("start", "derived"): 1,
                              ("start", "(queued)"): 3}


def test_asyncio(manager):
    async def main():
        with manager.region("request"):
            await asyncio.to_thread(work, manager, "to_thread")
            await asyncio.get_running_loop().run_in_executor(None, work, manager, "in_executor")

    async def both():
        await asyncio.gather(main(), main())

    with manager.region("loop"):
        asyncio.run(both())
    request, found = ("loop", "request"), calls(manager)
    found.pop(("loop", "(queued)"))  # a thread of asyncio's own
    assert found == {("loop",): 1, request: 2, (*request, "to_thread"): 2,
                              (*request, "in_executor"): 2, (*request, "(queued)"): 4}


def test_threads_that_submit_on(manager):
    with ThreadPoolExecutor(2) as pool:
        def outer():
            with manager.region("outer"):
                return pool.submit(work, manager).result()

        with manager.region("main"):
            pool.submit(outer).result()
    assert calls(manager)["main", "outer", "work"] == 1


def test_what_work_leaves_open_does_not_change_where_the_next_is(manager):
    opened = []

    def leave_open():
        opened.append(manager.region("left"))
        opened[0].__enter__()

    with ThreadPoolExecutor(1) as pool:
        with manager.region("a"):
            pool.submit(leave_open).result()
        with manager.region("b"):
            pool.submit(work, manager).result()  # below what is open in its own thread
        pool.submit(opened[0].__exit__, None, None, None).result()
        with manager.region("b"):
            pool.submit(work, manager).result()
    found = calls(manager)
    assert found["a", "left", "work"] == 1 and found["b", "work"] == 1


def test_results_exceptions_and_tracebacks_are_as_without(manager):
    def fail(a, *, b):
        raise KeyError(a + b)

    def names(error):
        return [frame.name for frame in traceback.extract_tb(error.__traceback__)]

    def raised():
        """By a task, and by a thread."""
        with ThreadPoolExecutor(1) as pool:
            error = pool.submit(fail, 1, b=2).exception()
        seen = []
        threading.excepthook, before = seen.append, threading.excepthook
        try:
            thread = Thread(target=fail, args=[1], kwargs={"b": 1})
            thread.start()
            thread.join()
        finally:
            threading.excepthook = before
        return error, seen[0].exc_value

    with manager.region("a"):
        recorded = raised()
    manager.finalize(verbose=False)
    plain = raised()
    assert [error.args for error in recorded] == [(3,), (2,)]
    assert [names(error) for error in recorded] == [names(error) for error in plain]


def test_off_it_leaves_nothing(manager):
    manager.setup(output=None, replace=True)
    assert Thread.start.__module__ == ThreadPoolExecutor.submit.__module__.replace(
        "concurrent.futures.thread", "threading")
    with ThreadPoolExecutor(1) as pool, manager.region("a"):
        pool.submit(work, manager).result()
    assert calls(manager) == {("a",): 1, ("work",): 1}


def test_work_of_a_run_that_is_over_and_while_paused(manager):
    with ThreadPoolExecutor(1) as pool:
        gate = Barrier(2)
        with manager.region("old"):
            pool.submit(gate.wait)
            later = pool.submit(work, manager)
        manager.setup(output=None, track_executors=True, replace=True)
        gate.wait()
        later.result()
        assert calls(manager) == {("work",): 1}
        manager.pause()
        pool.submit(work, manager).result()
        manager.resume()
    assert calls(manager) == {("work",): 1}
