"""Threads and tasks of results: their tables, and what their calls come to."""

import copy
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from results_support import AGGREGATES, SECOND, region

from scope_profiler.results import MPIRegion, ProfilingResults, Region, TaskInfo, ThreadInfo

MAIN = ThreadInfo(0, 0, "MainThread", 77, 7, False, -SECOND, None, SECOND // 4)
WORKER = ThreadInfo(3, 0, "Worker", 88, 8, True, SECOND, 3 * SECOND, SECOND)
TASK = TaskInfo(
    5, 0, "task", "Task-1", "Site.crawl", 3, SECOND, 3 * SECOND, 4, SECOND // 2, SECOND
)


def test_thread_info():
    assert (MAIN.start_time, MAIN.end_time, MAIN.cpu_time) == (-1.0, None, 0.25)
    assert (MAIN.alive, MAIN.wall_time) == (True, None)
    assert (WORKER.alive, WORKER.wall_time, WORKER.end_time) == (False, 2.0, 3.0)
    unknown = ThreadInfo(0, 0, "", None, None, False, None, None, None)
    assert unknown.start_time is unknown.cpu_time is unknown.wall_time is None


def test_task_info():
    assert (TASK.created_time, TASK.done_time, TASK.wall_time) == (1.0, 3.0, 2.0)
    assert (TASK.running_time, TASK.awaiting_time, TASK.done) == (0.5, 1.0, True)
    pending = TaskInfo(0, 0, "greenlet", "g", "f", None, 1, None, None, None, None)
    assert (pending.done, pending.done_time, pending.wall_time) == (False, None, None)
    assert pending.running_time is pending.awaiting_time is None


@pytest.mark.parametrize("row", [MAIN, TASK])
def test_rows_are_plain_values(row):
    assert pickle.loads(pickle.dumps(row)) == copy.copy(row) == row
    assert len({row, copy.copy(row)}) == 1
    with pytest.raises(FrozenInstanceError):
        row.name = "x"


def test_numbers_of_numpy_become_those_of_python():
    row = ThreadInfo(np.int64(1), np.uint32(2), "", np.int64(3), 4, False, 5, np.int64(6), 7)
    assert {type(row.index), type(row.rank), type(row.ident), type(row.end_ns)} == {int}
    with pytest.raises(TypeError, match="start_ns takes an int, got float: 0.5"):
        ThreadInfo(0, 0, "", 0, 0, False, 0.5, None, None)
    with pytest.raises(ValueError, match="index takes an int of at least 0, got -1"):
        ThreadInfo(-1, 0, "", 0, 0, False, 0, None, None)
    with pytest.raises(TypeError, match="rank takes an int, got NoneType: None"):
        ThreadInfo(0, None, "", 0, 0, False, 0, None, None)


@pytest.fixture
def run():
    """Two threads in one region after another, and another rank that is not to be counted."""
    one = region(
        (0 * SECOND, 10 * SECOND), (1 * SECOND, 4 * SECOND), (6 * SECOND, 7 * SECOND),
        thread_ids=[0, 3, 3],
    )  # fmt: skip
    # Overlapping calls of tasks.
    two = region((1 * SECOND, 2 * SECOND), (3 * SECOND, 5 * SECOND), thread_ids=[0, 3])
    return ProfilingResults(
        {"one": MPIRegion("one", {0: one}), "two": MPIRegion("two", {0: two, 1: two})},
        threads={0: [MAIN, WORKER]},
        tasks={0: [TASK]},
    )


def test_thread_summary(run):
    first, second = run.thread_summary()
    assert list(first.items()) == [
        ("index", 0),
        ("name", "MainThread"),
        ("alive", True),
        ("wall_time", None),
        ("cpu_time", 0.25),
        ("num_calls", 2),
        ("region_time", 10.0),
    ]
    # From 1 to 5 and from 6 to 7, however many regions were entered then.
    assert (second["num_calls"], second["region_time"]) == (3, 5.0)
    assert run.thread_summary(rank=1) == []


def test_thread_summary_without_the_calls():
    for facts in ({"statistics": AGGREGATES}, {}):
        run = ProfilingResults({"a": MPIRegion("a", {0: Region(**facts)})}, threads={0: [WORKER]})
        [row] = run.thread_summary()
        known = None if facts else 0
        assert (row["num_calls"], row["region_time"], row["wall_time"]) == (known, known, 2.0)


def test_calls_of_unknown_threads_are_nobodys(run):
    other = ProfilingResults(
        {"one": run["one"], "x": MPIRegion("x", {0: region((0, 90 * SECOND))})}, threads=run.threads
    )
    assert [row["num_calls"] for row in other.thread_summary()] == [1, 2]
    assert [row["region_time"] for row in other.thread_summary()] == [10.0, 4.0]


def test_lane_label(run):
    assert run.lane_label(-2) == "MainThread"
    assert run.lane_label(-5) == "Worker"
    assert run.lane_label(-3) == "thread 1"
    assert run.lane_label(-1) == "unknown lane"
    assert run.lane_label(5) == "Task-1 (crawl) on Worker"
    assert run.lane_label(4) == "task 4"
    assert run.lane_label(5, rank=1) == "task 5"
    with pytest.raises(TypeError, match="lane takes an int, got str: 'x'"):
        run.lane_label("x")
    nowhere = TaskInfo(0, 0, "task", "T", "f", None, 0, None, 0, 0, 0)
    assert ProfilingResults({}, tasks={0: [nowhere]}).lane_label(0) == "T (f) on unknown lane"
