"""tasks.py, src/record/task.c: asyncio tasks and greenlets, each with calls of its own."""

import asyncio
import gc
import inspect
import sys
import threading
import warnings
import weakref

import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager, _core


@pytest.fixture
def tracked(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, track_async=True)
    yield manager
    manager.reset()


def results_of(manager):
    return manager.finalize(verbose=False, return_results=True)


def rows_of(results, *names):
    return {row.name: row for row in results.tasks[0] if not names or row.name in names}


async def work(manager, clock, held, waited, name="r"):
    """A call that runs for `held` before and after another task has had its turn."""
    with manager.profile_region(name):
        clock.tick(held)
        await asyncio.sleep(0)
        clock.tick(held)
        with manager.profile_region("inner"):
            clock.tick(waited)


def test_calls_of_a_task_nest_among_themselves(tracked, clock):
    async def main():
        async with asyncio.TaskGroup() as group:
            for i in (1, 2, 3):
                group.create_task(work(tracked, clock, i, 10 * i), name=f"t{i}")

    with tracked.profile_region("around"):
        asyncio.run(main())
    results = results_of(tracked)
    rows = rows_of(results, "t1", "t2", "t3")
    assert [rows[f"t{i}"].steps for i in (1, 2, 3)] == [2, 2, 2]
    assert [rows[f"t{i}"].running_ns for i in (1, 2, 3)] == [12, 24, 36]
    # t1 waits while t2 and t3 begin (2 + 3), t2 for t3 and the end of t1 (3 + 11), ...
    assert [rows[f"t{i}"].suspended_ns for i in (1, 2, 3)] == [5, 14, 33]
    assert all(row.done and row.coro_name == "work" and row.thread_index == 0 for row in rows.values())
    region = results["r"][0]
    assert region.task_ids.tolist() == [rows[f"t{i}"].index for i in (1, 2, 3)]
    assert region.await_times_ns.tolist() == [5, 14, 33]
    assert region.durations_ns.tolist() == [17, 38, 69]
    stats = tracked.get_region("r").get_stats()
    assert (stats.total_ns, stats.waiting_ns, stats.running_ns) == (124, 52, 72)
    calls = results.call_graph()
    parents = {call["call_id"]: call for call in calls}
    for call in calls:
        if call["name"] == "inner":
            assert parents[call["parent_id"]]["name"] == "r"
            assert parents[call["parent_id"]]["call_index"] == call["call_index"]
        else:
            assert call["parent_id"] is None
    assert results["around"][0].task_ids.tolist() == [-1]


def test_what_a_task_shows_is_its_coroutine(tracked):
    async def job():
        task = asyncio.current_task()
        coroutine = task.get_coro()
        assert coroutine.__name__ == "job" and coroutine.cr_code is job.__code__
        assert coroutine.cr_frame.f_code is job.__code__ and "job" in repr(task)
        assert task.get_stack()[-1].f_code is job.__code__
        return 5

    async def main():
        return await asyncio.create_task(job())

    assert asyncio.run(main()) == 5


def test_cancelling_and_failing(tracked):
    seen = []

    async def never():
        seen.append("ran")

    async def cancelled():
        with tracked.profile_region("r"):
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

    async def failing():
        with tracked.profile_region("r"):
            raise KeyError("mine")

    async def main():
        unstarted = asyncio.create_task(never())
        unstarted.cancel()
        task = asyncio.create_task(cancelled())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(KeyError) as caught:
            await asyncio.create_task(failing())
        assert [entry.name for entry in caught.traceback] [-1:] == ["failing"]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())
        gc.collect()
    assert seen == ["cancelled"]
    stats = tracked.get_region("r").get_stats()
    assert (stats.num_calls, stats.errors) == (2, 2)
    assert len(results_of(tracked).tasks[0]) == 5  # with main and asyncio's own two; one never ran


def test_a_task_that_does_not_end(tracked, clock):
    async def main():
        asyncio.create_task(work(tracked, clock, 1, 1), name="waits")
        await asyncio.sleep(0)
        clock.tick(7)
        return rows_of(results_of(tracked))["waits"]

    row = asyncio.run(main())
    assert (row.done, row.steps, row.running_ns, row.suspended_ns) == (False, 1, 1, 7)


def test_decorated_coroutines_in_tasks(tracked, clock):
    @tracked.profile("deco")
    async def deco(n):
        clock.tick(n)
        await asyncio.sleep(0)
        clock.tick(n)

    async def main():
        await asyncio.gather(deco(1), deco(10))

    asyncio.run(main())
    results = results_of(tracked)
    assert results["deco"][0].durations_ns.tolist() == [12, 21]
    assert results["deco"][0].await_times_ns.tolist() == [10, 1]
    assert inspect.iscoroutinefunction(deco)
    stats = tracked.get_region("deco").get_stats()
    assert (stats.total_ns, stats.exclusive_ns, stats.running_ns, stats.waiting_ns) == (33, 22, 22, 11)


def test_running_and_waiting_without_tracking(manager, clock):
    @manager.profile("g")
    def generator():
        for _ in range(3):
            clock.tick(5)
            yield

    for _ in generator():
        clock.tick(100)
    stats = manager.get_region("g").get_stats()
    assert (stats.total_ns, stats.running_ns, stats.waiting_ns) == (315, 15, 300)


def test_loops_in_threads(tracked):
    async def job(name):
        with tracked.profile_region(name):
            await asyncio.sleep(0)

    def run(name):
        asyncio.run(job(name))

    threads = [threading.Thread(target=run, args=(f"r{i}",), name=f"thread {i}") for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results = results_of(tracked)
    names = {row.index: row.name for row in results.threads[0]}
    tasks = {row.index: row for row in results.tasks[0]}
    for i in range(3):
        task = tasks[results[f"r{i}"][0].task_ids[0]]
        assert names[task.thread_index] == f"thread {i}"


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="asyncio 3.14 lets no loop run inside another")
def test_a_loop_inside_a_task_of_another(tracked, clock):
    async def inner():
        with tracked.profile_region("inner"):
            clock.tick(3)
            await asyncio.sleep(0)

    async def outer():
        with tracked.profile_region("outer"):
            clock.tick(1)
            other = asyncio.new_event_loop()
            running = asyncio._get_running_loop()
            asyncio._set_running_loop(None)
            task = asyncio.current_task(running)
            asyncio.tasks._leave_task(running, task)
            try:
                other.run_until_complete(inner())
            finally:
                asyncio.tasks._enter_task(running, task)
                asyncio._set_running_loop(running)
                other.close()
            with tracked.profile_region("after"):
                clock.tick(1)

    asyncio.run(outer())
    calls = {call["name"]: call for call in results_of(tracked).call_graph()}
    assert calls["inner"]["parent_id"] is None
    assert calls["after"]["parent_id"] == calls["outer"]["call_id"]


def test_recursion_is_told_from_concurrency(tracked, clock):
    async def job(depth):
        with tracked.profile_region("r"):
            clock.tick(1)
            if depth:
                await job(depth - 1)
            await asyncio.sleep(0)

    async def main():
        await asyncio.gather(job(1), job(1))

    asyncio.run(main())
    results = results_of(tracked)
    outermost = [call["duration"] for call in results.call_stack() if call["depth"] == 0]
    assert len(outermost) == 2
    assert tracked.get_region("r").get_stats().total == pytest.approx(sum(outermost))


def test_tasks_go_on_in_the_next_run(tracked, clock):
    async def main():
        task = asyncio.create_task(work(tracked, clock, 1, 1), name="long")
        await asyncio.sleep(0)
        tracked.setup(deactivate_file_output=True, track_async=True, replace=True)
        await task

    asyncio.run(main())
    results = results_of(tracked)
    assert "long" in rows_of(results) and "r" not in results  # its call began before the run
    assert results["inner"].num_calls == 1
    assert "1 call left without having been entered" in printed(tracked)


def printed(manager):
    import io

    from scope_profiler.report import print_run
    from scope_profiler._run.snapshot import take_snapshot

    stream = io.StringIO()
    print_run(take_snapshot(manager, results=False), stream)
    return stream.getvalue()


def test_asyncio_is_left_as_it_was():
    before = asyncio.BaseEventLoop.create_task
    managers = [ProfileManager() for _ in range(2)]
    for manager in managers:
        manager.setup(deactivate_file_output=True, track_async=True)
    assert asyncio.BaseEventLoop.create_task is not before

    async def main():
        with sp.region("unseen"), managers[0].region("a"), managers[1].region("b"):
            await asyncio.sleep(0)

    asyncio.run(main())
    for manager, name in zip(managers, "ab"):
        assert results_of(manager)[name][0].task_ids.tolist() == [0]
        manager.reset()
    assert asyncio.BaseEventLoop.create_task is before


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")
def test_eager_tasks(tracked, clock):
    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        await asyncio.gather(asyncio.create_task(work(tracked, clock, 1, 1), name="eager"))

    asyncio.run(main())
    results = results_of(tracked)
    row = rows_of(results)["eager"]
    assert results["r"][0].task_ids.tolist() == [row.index] and row.steps == 2


def test_greenlets(clock):
    greenlet = pytest.importorskip("greenlet")
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, track_async=True)

    def job(n):
        with manager.profile_region("r"):
            clock.tick(n)
            greenlet.getcurrent().parent.switch()
            clock.tick(n)

    lets = [greenlet.greenlet(job) for _ in range(2)]
    for round in range(2):
        for n, let in enumerate(lets, 1):
            let.switch(n) if round == 0 else let.switch()
    results = results_of(manager)
    assert [(row.kind, row.steps, row.running_ns) for row in results.tasks[0]] == [
        ("greenlet", 2, 2), ("greenlet", 2, 4),
    ]
    assert results["r"][0].await_times_ns.tolist() == [2, 1]
    manager.reset()
    assert greenlet.gettrace() is None


def test_greenlets_of_managers_that_come_and_go(clock):
    greenlet = pytest.importorskip("greenlet")

    def tracking():
        manager = ProfileManager()
        manager.setup(deactivate_file_output=True, track_async=True)
        return manager

    theirs = lambda event, arguments: seen.append(event)
    seen = []
    greenlet.settrace(theirs)
    try:
        first, second = tracking(), tracking()
        first.reset()
        greenlet.greenlet(lambda: None).switch()
        assert len(results_of(second).tasks[0]) == 1 and seen == ["switch", "switch"]
        second.reset()
        assert greenlet.gettrace() is theirs
        third = tracking()
        del third
        gc.collect()
        assert greenlet.gettrace() is theirs
    finally:
        greenlet.settrace(None)


def test_many_tasks_keep_little(tracked, clock):
    async def main():
        for _ in range(200):
            await asyncio.gather(*(work(tracked, clock, 1, 1) for _ in range(10)))

    asyncio.run(main())
    gc.collect()
    assert tracked.get_region("r").num_calls == 2000


def test_nothing_is_kept_when_the_manager_goes(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, track_async=True)
    asyncio.run(work(manager, clock, 1, 1))
    gone = weakref.ref(manager)
    manager.reset()
    del manager
    gc.collect()
    assert gone() is None


def test_the_core_checks_what_it_is_given(core):
    with pytest.raises(TypeError):
        _core.Task(3)
    with pytest.raises(TypeError):
        _core.GeneratorProxy.of_task(3, None)
    task = _core.Task(core)
    assert task.facts()[0] == 0
    task.leave(False)
    task.enter()
    task.enter()
    assert task.facts()[0] == 1
    core._begin(True, False)  # the run goes away while it is entered
    task.leave(True)
    assert task.facts()[0] == 0
