"""src/record/threadlog.c: a record for each call, in blocks."""

import gc
import threading

from scope_profiler import _core

from conftest import events_of


def test_many_calls_over_many_blocks(clock, core):
    region = core.profile_region("x")
    for i in range(200_000):
        with region:
            pass
        if i % 1000 == 0:
            clock.tick(1)
    events = events_of(core, "x")
    assert len(events) == 200_000
    assert events[0] == (1_000, 0) and events[-1] == (1_200, 0)
    assert [start for start, _ in events] == sorted(start for start, _ in events)


def test_sixteen_bytes_a_call(core):
    region = core.profile_region("x")
    for _ in range(500_000):
        with region:
            pass
    assert core._counters()["log_bytes"] / 500_000 < 18


def test_durations_too_long_for_a_record(clock, core):
    limit = 2**40
    durations = [5, limit - 2, limit - 1, limit, 10 * limit, 7]
    region = core.profile_region("x")
    for duration in durations:
        with region:
            clock.tick(duration)
    assert [duration for _, duration in events_of(core, "x")] == durations
    assert core._collect(region)[2:6] == (len(durations), 0, 0, sum(durations))


def test_a_long_duration_at_the_end_of_a_block(clock, core):
    region = core.profile_region("x")
    for _ in range(255):  # the first block holds 256 records
        with region:
            pass
    with region:
        clock.tick(2**41)
    with region:
        clock.tick(3)
    assert [d for _, d in events_of(core, "x")][-3:] == [0, 2**41, 3]


def test_aggregation_writes_no_record(clock):
    manager = _core.Manager()
    manager._begin(False, False)
    with manager.profile_region("x"):
        clock.tick(3)
    assert manager._counters()["log_bytes"] == 0
    assert events_of(manager, "x") == []
    assert manager._collect(manager._find("x"))[2] == 1


def test_a_snapshot_consumes_nothing(clock, core):
    for round in range(1, 4):
        with core.profile_region("x"):
            clock.tick(1)
        assert len(events_of(core, "x")) == round


def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    thread.join()


def test_a_thread_that_begins_goes_on_with_the_record_of_one_that_ended(core):
    """Memory does not grow with the number of threads, and each call is still its own thread's."""
    region = core.profile_region("x")

    def work(calls):
        for _ in range(calls):
            with region:
                pass

    for i in range(1000):
        in_thread(work, 1 + i % 3)
    counters = core._counters()
    assert counters["threads"] == 1000
    # The system may take its time to end a thread, so a few of them have a record each. Alone each
    # would need 4 KB, and twice that for its tree.
    assert counters["log_bytes"] < 1000 * 300
    threads = memoryview(core._events(region)[3]).cast("q").tolist()
    assert sorted(threads) == [i for i in range(1000) for _ in range(1 + i % 3)]


def test_who_takes_over_has_metadata_and_tree_of_its_own_calls(clock, core):
    region = core.profile_region("x")

    def work(step):
        with core.metadata(step=step), core.profile_region(f"outer {step % 2}"):
            with region:
                clock.tick(step)

    for step in range(20):
        in_thread(work, step)
    entries = core._annotations()[0]
    _, starts, durations, threads, annotations, *_ = core._events(region)
    rows = zip(*(memoryview(column).cast("q").tolist()
                 for column in (durations, threads, annotations)))
    assert sorted((thread, duration, entries[at]["step"]) for duration, thread, at in rows) == [
        (step, step, step) for step in range(20)]
    rows = core._collect(None)
    of_outer = {row[1].name: (row[2], row[5]) for row in rows if row[0] == -1}
    assert of_outer == {"outer 0": (10, 90), "outer 1": (10, 100)}


def test_a_thread_that_ended_in_a_region_keeps_its_record(core):
    """The call is open still, and nobody else's calls are inside it."""
    region = core.profile_region("x")
    in_thread(region.__enter__)
    for _ in range(20):
        in_thread(lambda: [core.profile_region("y").__enter__(),
                           core.profile_region("y").__exit__(None, None, None)])
    assert core._counters()["open"] == 1
    assert [(row[0], row[1].name, row[2]) for row in core._collect(None)] == [
        (-1, "x", 0), (-1, "y", 20)]


def test_threads_outlive_the_run_and_the_manager(core):
    go = threading.Event()
    region = core.profile_region("x")

    def work():
        with region:
            go.wait()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while core._counters()["open"] < 4:
        pass
    core._begin(True, False)
    go.set()
    for thread in threads:
        thread.join()
    assert core._counters()["unmatched"] == 4
    in_thread(lambda: core.profile_region("y").__enter__())
    other = _core.Manager()
    other._begin(True, False)
    in_thread(other.profile_region("z").__enter__)
    del other
    gc.collect()
