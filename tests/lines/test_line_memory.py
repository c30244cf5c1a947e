"""What lines take of memory: known amounts, with what they call, in all the ways in which lines end."""

import asyncio
import gc
import os
import sys
import threading

import pytest

from conftest import mapped
import scope_profiler as sp
from scope_profiler import ProfileManager, _core

SIZE = 100_000


@pytest.fixture
def measured():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, line_memory=True)
    gc.disable()
    yield manager
    gc.enable()
    manager.reset()


def lines_of(manager, name):
    """{line of the function, its first being 0: CountedLine}"""
    [(code, rows)] = manager.get_region(name).get_stats().lines.items()
    return {row.line - code[1]: row for row in rows}


def near(row, allocated, freed=None, peak=None):
    """Bytes, in multiples of SIZE, but for numbers and the like."""
    wanted = {"allocated_bytes": allocated, "freed_bytes": freed, "peak_bytes": peak}
    return all(0 <= getattr(row, name) - times * SIZE < 3000
               for name, times in wanted.items() if times is not None)


def take(times=1):
    return bytes(times * SIZE)


def test_each_line_tells_its_own(measured):
    @measured.profile("f")
    def f():
        a = take()
        b = take(3)
        del a
        take(5)
        for _ in range(4):
            c = take()
        return b, c

    kept = f()
    rows = lines_of(measured, "f")
    assert near(rows[2], 1, 0, 1) and near(rows[3], 3, 0, 3)
    assert near(rows[4], 0, 1, 0) and near(rows[5], 5, 5, 5)
    assert rows[7].hits == 4 and near(rows[7], 4, 3, 2 - 1)
    assert rows[2].allocations >= 1 and rows[4].frees == 1
    assert rows[2].resident_bytes > 1 << 20 and rows[2].increment_bytes is not None
    del kept


def test_a_line_takes_what_it_calls_takes(measured):
    @measured.profile("inner")
    def inner():
        kept = take(2)
        return kept

    @measured.profile("outer")
    def outer():
        kept = inner()
        [inner() for _ in range(3)]
        return kept

    outer()
    rows = lines_of(measured, "outer")
    assert near(rows[2], 2, 0, 2) and near(rows[3], 6)
    assert near(lines_of(measured, "inner")[2], 8)


def test_the_process_grows_by_what_a_line_takes(measured):
    size = 64 << 20

    @measured.profile("f")
    def f():
        kept = mapped(size)
        del kept

    f()
    rows = lines_of(measured, "f")
    assert abs(rows[2].increment_bytes - size) < 4 << 20
    assert abs(rows[3].increment_bytes + size) < 4 << 20
    assert rows[2].resident_bytes > size


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is read on Linux alone")
def test_many_lines_that_keep_some_pages_come_to_what_the_process_grows_by(measured):
    """Of these the resident set is read at every 16th alone."""
    @measured.profile("f")
    def f(count):
        kept, total = [], 0
        for i in range(count):
            kept.append(bytes(5000))
            total += i
            kept.append(bytes(20000))
        return kept

    f(100)
    warm = sum(row.increment_bytes for row in lines_of(measured, "f").values())
    before = _core.resident()
    kept = f(2000)
    grown = _core.resident() - before
    rows = lines_of(measured, "f")
    assert len(kept) == 4000 and grown > 4 << 20  # of 50 MB; the rest is what earlier tests gave back
    assert abs(sum(row.increment_bytes for row in rows.values()) - warm - grown) < 1 << 20
    assert 8 * rows[5].increment_bytes < rows[4].increment_bytes + rows[6].increment_bytes


def test_an_exception_ends_the_line(measured):
    @measured.profile("f")
    def f(depth):
        kept = take()
        if depth == 0:
            raise KeyError
        try:
            f(depth - 1)
        finally:
            kept = take(2)
        return kept

    with pytest.raises(KeyError):
        f(2)
    rows = lines_of(measured, "f")
    assert rows[2].hits == 3 and near(rows[2], 3) and near(rows[8], 4)


def test_generators_measure_what_runs(measured):
    @measured.profile("g")
    def g():
        kept = take()
        for _ in range(3):
            yield take()
        return kept

    for each in g():
        take(10)
        del each
    rows = lines_of(measured, "g")
    assert near(rows[2], 1) and near(rows[4], 3)


def test_coroutines_measure_what_runs(measured):
    @measured.profile("c")
    async def c():
        kept = take()
        await asyncio.sleep(0)
        more = take(2)
        return kept, more

    async def other():
        for _ in range(5):
            take(20)
            await asyncio.sleep(0)

    async def main():
        return await asyncio.gather(c(), other(), c())

    asyncio.run(main())
    rows = lines_of(measured, "c")
    assert near(rows[2], 2) and near(rows[4], 4) and rows[3].allocated_bytes < SIZE


def test_blocks_of_with(measured):
    def f():
        with measured.profile_region("block"):
            kept = take()
            with measured.profile_region("inner"):
                more = take(2)
            last = take(3)
        return kept, more, last

    f()
    [(_, rows)] = measured.get_region("block").get_stats().lines.items()
    assert sorted(round(row.allocated_bytes / SIZE) for row in rows)[-3:] == [1, 2, 3]


def test_each_thread_measures_its_own(measured):
    begin, done = threading.Event(), threading.Event()

    @measured.profile("waits")
    def waits():
        begin.set()
        done.wait()

    @measured.profile("works")
    def works():
        begin.wait()
        kept = take(5)
        done.set()
        return kept

    thread = threading.Thread(target=works)
    thread.start()
    waits()
    thread.join()
    assert near(lines_of(measured, "works")[3], 5)
    assert all(row.allocated_bytes < SIZE for row in lines_of(measured, "waits").values())


def test_frames_that_end_unseen(measured):
    """A generator that is never finished, frames left by an exception: nothing goes wrong after."""
    @measured.profile("g")
    def g():
        kept = take()
        yield kept
        yield kept

    @measured.profile("f")
    def f():
        generator = g()
        next(generator)
        return take()

    for _ in range(50):
        f()
    rows = lines_of(measured, "f")
    assert 50 * SIZE <= rows[4].allocated_bytes < 51 * SIZE


def test_a_run_may_begin_while_frames_run(measured):
    @measured.profile("f")
    def f():
        take()
        measured.setup(deactivate_file_output=True, line_memory=True, replace=True)
        take(2)

    f()
    f()
    assert lines_of(measured, "f")[4].allocated_bytes >= 2 * SIZE


def test_without_the_setting_it_is_not_known():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, use_line_profiler=True, memory=True)

    @manager.profile("f")
    def f():
        return take()

    f()
    [row] = lines_of(manager, "f").values()
    assert row.allocated_bytes is row.resident_bytes is row.peak_bytes is None
    assert manager.get_region("f").get_stats().allocated_bytes >= SIZE
    manager.reset()


def test_region_and_line_stand_in_one_file(tmp_path, capsys):
    ProfileManager.setup(memory=True, line_memory=True, file_path="run.json")

    @ProfileManager.profile("f")
    def f():
        return take()

    f()
    results = ProfileManager.finalize(return_results=True, verbose_line_profiler=True)
    printed = capsys.readouterr().out
    assert "Allocated" in printed and "Increment" in printed or "Memory" in printed
    read = sp.load("run.json")
    for one in (results, read):
        [entry] = one.line_profile[0]
        assert entry["allocated_bytes"][0] >= SIZE and entry["resident_bytes"][0] > 1 << 20
        [node] = one.recorded[0].nodes
        assert node.statistics.allocated_bytes >= SIZE
    os.remove("run.json")


def test_arrays_count(measured):
    np = pytest.importorskip("numpy")

    @measured.profile("f")
    def f():
        array = np.ones(SIZE)
        array = array + 1
        return array

    f()
    rows = lines_of(measured, "f")
    assert near(rows[2], 8, None, 8) and near(rows[3], 8)
