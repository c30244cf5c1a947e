"""What calls of regions take of memory: known amounts, in all the ways in which they are taken."""

import dataclasses
import gc
import os
import subprocess
import sys
import threading
import tracemalloc

import pytest

from conftest import ROOT
import scope_profiler as sp
from scope_profiler import ProfileManager, _core
from scope_profiler._model.recorded import Node, merged
from scope_profiler._model.statistics import MEMORY, RegionStatistics

SIZE = 100_000


@pytest.fixture
def measured():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, memory=True)
    gc.collect()
    gc.disable()
    yield manager
    gc.enable()
    manager.reset()


def memory_of(manager, name):
    """(bytes allocated, freed, blocks allocated, freed, peak)"""
    stats = manager.get_region(name).get_stats()
    return (stats.allocated_bytes, stats.freed_bytes, stats.allocations, stats.frees,
            stats.peak_bytes)


def block(size=SIZE):
    """One block of about that size."""
    return bytes(size)


def about(got, *expected):
    """Bytes allocated and freed, and the peak: but for numbers, frames and the like."""
    allocated, freed, _, _, peak = got
    return all(0 <= one - other < 1000 for one, other in zip((allocated, freed, peak), expected))


@pytest.mark.parametrize("size", [sys.getsizeof(b"1"), 512, 513, 65_533, 65_534, 65_535, 65_536,
                                  SIZE, 3 << 20])
def test_a_block_counts_to_the_byte(measured, size):
    region = measured.profile_region("r")
    less = size - sys.getsizeof(b"")
    with region:
        kept = bytes(less)
    assert memory_of(measured, "r") == (size, 0, 1, 0, size)
    with region:
        del kept
    assert memory_of(measured, "r") == (size, size, 1, 1, size)
    assert measured.get_region("r").get_stats().net_bytes == 0


def test_what_is_freed_at_once_is_in_the_peak(measured):
    region = measured.profile_region("r")
    with region:
        bytes(SIZE)
    allocated, freed, _, _, peak = memory_of(measured, "r")
    assert SIZE < freed <= peak <= allocated < SIZE + 500


def test_an_empty_call_takes_nothing(measured):
    region = measured.profile_region("r")
    for _ in range(100):
        with region:
            pass
    assert memory_of(measured, "r") == (0, 0, 0, 0, 0)


def test_the_profilers_own_memory_is_not_the_programs(measured):
    """Regions are made, the log, the tree and the stack grow, statistics are taken."""
    names = [f"inner {i}" for i in range(3000)]
    regions = [measured.profile_region(f"deep {i}") for i in range(100)]

    def deep(i):
        if i < len(regions):
            with regions[i]:
                deep(i + 1)

    outer = measured.profile_region("outer")
    deep(0)
    with outer:
        for name in names:
            with measured.profile_region(name):
                pass
        deep(0)
    allocated, *_ = memory_of(measured, "outer")
    assert allocated < 20_000  # a frame here and there, of 3000 regions


def test_nested_calls_take_what_those_inside_take(measured):
    outer, inner = measured.profile_region("outer"), measured.profile_region("inner")
    with outer:
        kept = block()
        with inner:
            block(3 * SIZE)
        block(2 * SIZE)
    del kept
    assert about(memory_of(measured, "inner"), 3 * SIZE, 3 * SIZE, 3 * SIZE)
    assert about(memory_of(measured, "outer"), 6 * SIZE, 5 * SIZE, 4 * SIZE)


def test_a_peak_is_from_the_begin_of_the_call(measured):
    region = measured.profile_region("r")
    kept = block(5 * SIZE)
    with region:
        del kept
        block(2 * SIZE)
    assert about(memory_of(measured, "r"), 2 * SIZE, 7 * SIZE, 0)


def test_of_a_recursion_the_outermost_call_counts(measured):
    @measured.profile("r")
    def recurse(depth):
        kept = block()
        return recurse(depth - 1) if depth else kept

    recurse(3)
    allocated, freed, *_, peak = memory_of(measured, "r")
    assert 4 * SIZE <= allocated <= 4 * SIZE + 2000 and peak >= 4 * SIZE
    assert freed >= 3 * SIZE


def test_blocks_from_before_do_not_count_when_they_are_freed():
    kept = block()
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, memory=True)
    region = manager.profile_region("r")
    with region:
        del kept
    assert memory_of(manager, "r") == (0, 0, 0, 0, 0)
    manager.reset()


def test_sizes_are_forgotten_between_runs():
    """A block of a run that is over is freed, and its place is taken by one that is not counted."""
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, memory=True)
    blocks = [block(200) for _ in range(1000)]
    manager.reset()
    del blocks
    blocks = [block(300) for _ in range(1000)]
    manager.setup(deactivate_file_output=True, memory=True)
    region = manager.profile_region("r")
    with region:
        del blocks
    assert memory_of(manager, "r")[1] < 500
    manager.reset()


def test_growing_blocks(measured):
    grown = measured.profile_region("r")
    items = bytearray()
    with grown:
        for _ in range(100):
            items += bytes(1000)
    allocated, freed, allocations, frees, peak = memory_of(measured, "r")
    assert abs(allocated - freed - sys.getsizeof(items)) < 500 and allocations - frees < 10
    with grown:
        del items
    assert measured.get_region("r").get_stats().net_bytes < 500


def test_threads_have_their_own(measured):
    """What another thread takes meanwhile is that thread's."""
    begin, done = threading.Event(), threading.Event()
    taken = []

    def work():
        begin.wait()
        with measured.profile_region("worker"):
            taken.append(block())
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    with measured.profile_region("main"):
        begin.set()
        done.wait()
    thread.join()
    assert SIZE <= memory_of(measured, "worker")[0] < SIZE + 500
    assert memory_of(measured, "main")[0] < 5000


def test_a_block_may_be_freed_by_another_thread(measured):
    """Whose thread is over: without the GIL it is the thread that made an object that frees it."""
    kept = []

    def take():
        with measured.profile_region("takes"):
            kept.append(block())

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    with measured.profile_region("frees"):
        kept.clear()
    assert memory_of(measured, "takes")[1] == 0
    assert about(memory_of(measured, "frees"), 0, SIZE, 0)
    assert measured.get_region("frees").get_stats().net_bytes < 1000 - SIZE


def test_an_exception_ends_the_call(measured):
    region = measured.profile_region("r")
    with pytest.raises(KeyError):
        with region:
            kept = block()
            raise KeyError
    assert memory_of(measured, "r")[0] >= SIZE
    del kept


def test_generators_are_measured_while_they_run(measured):
    @measured.profile("g")
    def generate():
        for _ in range(3):
            yield block()

    with measured.profile_region("outer"):
        generator = generate()
        blocks = [next(generator)]
        other = block(7 * SIZE)
        blocks += generator
    assert 3 * SIZE <= memory_of(measured, "g")[0] < 4 * SIZE
    assert memory_of(measured, "outer")[0] >= 10 * SIZE
    del blocks, other


def test_calls_that_do_not_end_in_the_order_of_a_stack(measured):
    """Each knows its own peak."""
    first, second = measured.profile_region("first"), measured.profile_region("second")
    for region in (first, second):  # what making them takes
        with region:
            pass
    first.__enter__()
    block(4 * SIZE)
    second.__enter__()
    block(2 * SIZE)
    first.__exit__(None, None, None)
    block(3 * SIZE)
    second.__exit__(None, None, None)
    assert abs(memory_of(measured, "first")[4] - 4 * SIZE) < 500
    assert abs(memory_of(measured, "second")[4] - 3 * SIZE) < 500


def test_a_run_may_end_with_calls_open(measured):
    region = measured.profile_region("r")
    region.__enter__()
    measured.setup(deactivate_file_output=True, memory=True, replace=True)
    region.__exit__(None, None, None)
    with measured.profile_region("r2"):
        block()
    assert about(memory_of(measured, "r2"), SIZE, SIZE, SIZE)


def test_without_the_setting_it_is_not_known():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    with manager.profile_region("r"):
        pass
    assert memory_of(manager, "r") == (None,) * 5
    assert manager.get_region("r").get_stats().net_bytes is None
    manager.reset()


def test_arrays_count_in_every_thread(measured):
    np = pytest.importorskip("numpy")
    region = measured.profile_region("r")

    def work():
        with region:
            np.ones(SIZE)

    work()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    allocated, freed, _, _, peak = memory_of(measured, "r")
    assert 2 * 8 * SIZE <= allocated < 2 * 8 * SIZE + 5000 and freed >= 16 * SIZE
    assert 8 * SIZE <= peak < 9 * SIZE


def test_arrays_that_grow_and_those_from_before(measured):
    np = pytest.importorskip("numpy")
    array = np.zeros(SIZE)
    region = measured.profile_region("r")
    with region:
        array.resize(2 * SIZE, refcheck=False)
    allocated, freed, *_ = memory_of(measured, "r")
    assert 8 * SIZE <= allocated - freed < 8 * SIZE + 1000 and freed >= 8 * SIZE


# ---- In tables and files


def test_tables_show_it_where_it_was_measured(measured, tmp_path, capsys):
    kept = {"less": SIZE, "more": 30 * SIZE}
    for name, size in kept.items():
        with measured.profile_region(name):
            kept[name] = block(size)
    results = measured.finalize(verbose=False, return_results=True)
    for path in ("run.json", "run.h5"):
        if path.endswith("h5"):
            pytest.importorskip("h5py")
        sp.write_profile(results, path)
        read = sp.load(path)
        assert read.recorded[0].nodes == results.recorded[0].nodes
        read.print_summary(columns=["region", "allocated", "freed", "peak", "allocations", "frees"],
                           sort="allocated")
        rows = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert rows[3][:4] == ["Region", "Allocated", "Freed", "Peak"]
        less = f"{sys.getsizeof(kept['less']) / 1024:.2f}"
        assert rows[5][:3] == ["more", "2.861", "MiB"] and rows[6][:3] == ["less", less, "KiB"]
    read.print_summary()
    assert "Allocated" in capsys.readouterr().out


def test_tables_do_not_show_it_where_it_was_not(capsys):
    with ProfileManager.session(deactivate_file_output=True):
        pass
    assert "Allocated" not in capsys.readouterr().out


def test_processes_together():
    """Bytes add up, of peaks there is the highest; where one did not measure, it is not known."""
    def node(**memory):
        statistics = RegionStatistics.nothing_of("r")
        return Node(-1, dataclasses.replace(statistics, **memory))

    one = dict(allocated_bytes=10, freed_bytes=4, allocations=2, frees=1, peak_bytes=8)
    two = dict(allocated_bytes=20, freed_bytes=5, allocations=3, frees=2, peak_bytes=6)
    both = merged([node(**one), node(**two)]).statistics
    assert [getattr(both, name) for name in MEMORY] == [30, 9, 5, 3, 8]
    assert both.net_bytes == 21 and both.to_dict()["peak_bytes"] == 8
    unknown = merged([node(**one), node()]).statistics
    assert [getattr(unknown, name) for name in MEMORY] == [None] * 5


# ---- In a process of their own

_BEGIN = """
import sys, threading, tracemalloc
from scope_profiler import ProfileManager, _core
SIZE = 100_000
def block(size=SIZE):
    return bytes(size)
def begin():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, memory=True)
    return manager, manager.profile_region("r")
def check(manager, region):
    with region:
        kept = block()
        kept = block(2 * SIZE)
    stats = manager.get_region("r").get_stats()
    got = stats.allocated_bytes, stats.freed_bytes, stats.peak_bytes
    assert all(0 <= one - n * SIZE < 1000 for one, n in zip(got, (3, 1, 3))), got
"""


def program(text, **variables):
    return subprocess.run([sys.executable, "-c", _BEGIN + text], capture_output=True, text=True,
                          timeout=100, env={**os.environ, "PYTHONPATH": str(ROOT), **variables})


def passes(text, **variables):
    done = program(text, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("allocator", ["pymalloc", "malloc", "mimalloc", "debug", "malloc_debug",
                                       "pymalloc_debug", "mimalloc_debug"])
def test_under_every_allocator(allocator):
    if "unknown allocator" in program("", PYTHONMALLOC=allocator).stderr:
        pytest.skip(f"this Python has no {allocator}")
    passes("check(*begin())", PYTHONMALLOC=allocator)


def test_nothing_is_hooked_until_it_is_asked_for():
    passes("""
manager = ProfileManager()
manager.setup(deactivate_file_output=True, use_line_profiler=True)
with manager.profile_region("r"):
    pass
assert not _core.counts_memory()
manager.reset()
begin()
assert _core.counts_memory()
""")


@pytest.mark.parametrize("text", [
    "tracemalloc.start()\nmeasured = begin()\ncheck(*measured)\ntracemalloc.take_snapshot()",
    "measured = begin()\ntracemalloc.start()\ncheck(*measured)\ntracemalloc.stop()\n"
    "assert _core.counts_memory()",
    # stop() takes ours out with its own; the next run puts them in again
    "tracemalloc.start()\nbegin()[0].reset()\ntracemalloc.stop()\nassert not _core.counts_memory()\n"
    "measured = begin()\nassert _core.counts_memory()\ncheck(*measured)",
    "for _ in range(20):\n    tracemalloc.start()\n    begin()[0].reset()\n    tracemalloc.stop()\n"
    "    begin()[0].reset()\ncheck(*begin())",
    "for _ in range(20):\n    begin()[0].reset()\n    tracemalloc.start()\n    begin()[0].reset()\n"
    "    tracemalloc.stop()\ncheck(*begin())",
])
def test_beside_tracemalloc(text):
    passes(text)


def test_tracemalloc_sees_what_it_does_without_us():
    taken = passes("""
measured = begin()
tracemalloc.start()
before = tracemalloc.get_traced_memory()[0]
kept = block()
print(tracemalloc.get_traced_memory()[0] - before)
""")
    assert SIZE <= int(taken) < SIZE + 500


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_the_child_of_a_fork_measures():
    passes("""
import os
manager, region = begin()
kept = block()
if (child := os.fork()) == 0:
    check(manager, manager.profile_region("r"))
    os._exit(0)
check(manager, region)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""")


def test_numpy_is_counted_where_it_is_imported_later():
    pytest.importorskip("numpy")
    allocated = passes("""
manager, region = begin()
assert "numpy" not in sys.modules
import numpy
with region:
    numpy.ones(SIZE)
print(manager.get_region("r").get_stats().allocated_bytes)
""")
    assert 8 * SIZE <= int(allocated) < 8 * SIZE + 1000


def test_threads_allocate_while_measuring_begins_and_ends():
    passes("""
import random, zlib
over = threading.Event()
def work():
    kept = []
    while not over.is_set():
        kept.append(block(random.randrange(40, 100_000)))
        zlib.compress(kept[-1])  # without the GIL, from the raw domain
        if len(kept) > 20:
            del kept[random.randrange(20)]
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for i in range(200):
    if i % 10 == 0:
        tracemalloc.start()
    manager, region = begin()
    with region:
        kept = block()
    if i % 10 == 5:
        tracemalloc.stop()
    manager.reset()
tracemalloc.stop()
over.set()
for thread in threads:
    thread.join()
check(*begin())
""")


def test_threads_that_end_and_begin():
    passes("""
manager, region = begin()
def work():
    with region:
        block()
for _ in range(100):
    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
stats = manager.get_region("r").get_stats()
assert SIZE * 500 <= stats.allocated_bytes < SIZE * 510, stats.allocated_bytes
assert SIZE <= stats.peak_bytes < SIZE + 1000, stats.peak_bytes
""")


def test_what_is_the_same_as_tracemalloc_says(measured):
    """Of the same work, within what frames and the like take."""
    def work():
        kept = {str(i): [i] * (i % 7) for i in range(2000)}
        text = "".join(kept)
        return text.encode()

    work()
    with measured.profile_region("r"):
        work()
    allocated = memory_of(measured, "r")[4]
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert abs(peak - allocated) < 0.02 * peak + 1000


def test_how_much_the_process_uses():
    """As the system says; in the child of a fork the child's."""
    pages = int(open("/proc/self/statm").read().split()[1])
    assert abs(_core.resident() - pages * os.sysconf("SC_PAGESIZE")) < 4 << 20
    passes("""
import os
before = _core.resident()
if (child := os.fork()) == 0:
    kept = bytearray(b"x") * (200 << 20)
    os._exit(_core.resident() - before < 150 << 20)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""")


def test_a_program_may_close_every_file():
    passes("""
import os
assert _core.resident() > 0
os.closerange(3, 1000)
assert _core.resident() > 0
os.closerange(3, 1000)
for name in ("/dev/null", __import__("tempfile").mkstemp()[1]):
    os.dup2(os.open(name, os.O_RDONLY), 200)
    assert _core.resident() > 0
""")
