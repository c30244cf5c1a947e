"""The slowest calls of a region, and what is inside them."""

import pytest
from results_support import AGGREGATES, SECOND, region

from scope_profiler.results import (
    EventDataUnavailableError, MPIRegion, ProfilingResults, Region, ThreadInfo,
)
from scope_profiler.results.slow_calls import slowest_calls


def inside(call):
    return [(node.parent, node.name, node.statistics.num_calls, node.statistics.total_ns)
            for node in call.inside.nodes]


def test_calls_of_other_threads_are_not_inside():
    results = ProfilingResults({
        "a": MPIRegion("a", {0: region((0, 100), (10, 40), (200, 220), thread_ids=[0, 1, 0])}),
        "b": MPIRegion("b", {0: region((5, 25), (12, 13), (30, 60), (210, 215), thread_ids=[0, 1, 0, 0])}),
        "c": MPIRegion("c", {0: region((6, 7), (40, 50), thread_ids=[0, 0])}),
    }, {"start_time_ns": 0}, threads={0: [
        ThreadInfo(number, 0, name, None, None, False, None, None, None)
        for number, name in enumerate(("MainThread", "Worker"))]})
    first, second, third = slowest_calls(results, "a", 5)
    assert inside(first) == [(-1, "a", 1, 100), (0, "b", 2, 50), (1, "c", 2, 11)]
    assert (first.duration_ns, first.exclusive_ns, first.start_ns, first.track) == (
        100, 50, 0, "MainThread")
    assert inside(second) == [(-1, "a", 1, 30), (0, "b", 1, 1)] and second.track == "Worker"
    assert inside(third) == [(-1, "a", 1, 20), (0, "b", 1, 5)] and third.call_index == 2
    assert len(slowest_calls(results, "a", 1)) == 1


def test_recursion_is_inside_its_outermost_call():
    results = ProfilingResults({"f": MPIRegion("f", {0: region((0, 100), (10, 90), (20, 80))})})
    calls = slowest_calls(results, "f", 3)
    assert [inside(call)[0][1:3] for call in calls] == [("f", 3), ("f", 2), ("f", 1)]
    assert [call.exclusive_ns for call in calls] == [20, 20, 60]
    assert calls[0].track is None and calls[0].metadata == {}


def test_ranks():
    results = ProfilingResults({"f": MPIRegion("f", {
        0: region((0, 1 * SECOND), (5 * SECOND, 8 * SECOND)), 3: region((0, 2 * SECOND))})})
    assert [(call.rank, call.call_index) for call in slowest_calls(results, "f", 2)] == [(0, 1), (3, 0)]
    assert [(call.rank, call.call_index) for call in slowest_calls(results, "f", 2, {3, 4})] == [(3, 0)]


def test_without_single_calls():
    results = ProfilingResults({"f": MPIRegion("f", {0: Region(statistics=AGGREGATES)}),
                                "g": MPIRegion("g", {0: region((0, 4))})})
    with pytest.raises(EventDataUnavailableError, match="single calls of region 'f'"):
        slowest_calls(results, "f", 1)
    [call] = slowest_calls(results, "g", 1)
    assert inside(call) == [(-1, "g", 1, 4)]
    with pytest.raises(KeyError, match="no region named 'h'"):
        slowest_calls(results, "h", 1)


def test_calls_that_are_none():
    results = ProfilingResults({"f": MPIRegion("f", {0: region((10, 20), (30, 25))})})
    [call, _] = slowest_calls(results, "f", 2)
    assert (call.duration_ns, call.inside, call.exclusive_ns) == (10, None, None)
