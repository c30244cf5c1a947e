"""Merging results: everything is there once, and says of its own what it said before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results_support import AGGREGATES, patient, region, results

from scope_profiler.results import (
    MPIRegion,
    ProfilingResults,
    Region,
    TaskInfo,
    ThreadInfo,
    merge_results,
)

LINES = {
    "region": "a", "filename": "f.py", "function": "f", "first_lineno": 1,
    "line_numbers": [2], "hits": [5], "times": [1.0], "unit": 1e-9,
}  # fmt: skip


def thread(index, name="MainThread", native_id=7, start_ns=0, rank=0):
    return ThreadInfo(index, rank, name, 70, native_id, False, start_ns, None, 1)


def test_regions_of_all():
    python = ProfilingResults(
        {"a": MPIRegion("a", {0: region((0, 10)), 1: region((0, 5))})},
        {"label": "first", "mpi_size": 2, "start_time_ns": 5},
        line_profile={0: [LINES]},
        file_path="python.h5",
    )
    native = ProfilingResults(
        {"b": MPIRegion("b", {0: region((2, 6)), 3: region((1, 2))})},
        {"label": "second", "x": 1},
        num_ranks=4,
        line_profile={0: [LINES], 3: [LINES]},
    )
    merged = merge_results(python, native)
    assert merged.region_names == ["a", "b"]
    assert {one.name: one.ranks for one in merged} == {"a": [0, 1], "b": [0, 3]}
    assert merged.metadata == {"label": "first", "mpi_size": 2, "start_time_ns": 5, "x": 1}
    assert (merged.num_ranks, str(merged.file_path), merged.is_root) == (4, "python.h5", True)
    assert {rank: len(lines) for rank, lines in merged.line_profile.items()} == {0: 2, 3: 1}
    named = merge_results(python, native, label="both", file_path="both.h5")
    assert (named.label, str(named.file_path), python.label) == ("both", "both.h5", "first")
    assert merge_results(python).region_names == ["a"]


def test_exclusive_times_are_those_among_all():
    outer = results(a=region((0, 10), exclusive_total_ns=10, corrected_exclusive_ns=9))
    inner = results(b=region((2, 6), exclusive_total_ns=4))
    merged = merge_results(outer, inner)
    assert (merged["a"].exclusive_duration_ns, merged["b"].exclusive_duration_ns) == (6, 4)
    assert merged["a"].corrected_exclusive_ns is None
    assert merged["a"][0].exclusive_durations_ns.tolist() == [6]
    assert [call["name"] for call in merged.call_stack() if call["depth"]] == ["b"]
    # Elsewhere nothing has changed.
    assert (outer["a"].exclusive_duration_ns, outer["a"].corrected_exclusive_ns) == (10, 9)
    assert outer["a"][0].exclusive_durations_ns.tolist() == [10]


def test_exclusive_times_that_cannot_be_told_anew_stay():
    outer = results(a=region((0, 10), exclusive_total_ns=9))
    counted = results(b=Region(statistics=AGGREGATES, exclusive_total_ns=70))
    elsewhere = ProfilingResults({"c": MPIRegion("c", {1: region((0, 10), exclusive_total_ns=8)})})
    merged = merge_results(outer, counted)
    assert [one.exclusive_duration_ns for one in merged] == [9, 70]
    assert [one.exclusive_duration_ns for one in merge_results(outer, elsewhere)] == [9, 8]


def test_threads_and_tasks_are_numbered_on():
    task = TaskInfo(0, 0, "task", "T", "f", 1, 10, 40, 1, 1, 1)
    first = ProfilingResults(
        {"a": MPIRegion("a", {0: region((0, 9), (2, 4), thread_ids=[0, 1], task_ids=[-1, 0])})},
        {"start_time_ns": 1000},
        threads={0: [thread(0), thread(1, "Worker", 8)]},
        tasks={0: [task]},
    )
    calls = region((1, 5), (2, 6), (3, 4), thread_ids=[0, 1, -1], task_ids=[0, -1, -1])
    second = ProfilingResults(
        {"b": MPIRegion("b", {0: calls})},
        {"start_time_ns": 1500},
        threads={0: [thread(0, "Worker", 8), thread(1, "Other", 9, start_ns=20)], 2: [thread(0)]},
        tasks={0: [task]},
    )
    merged = merge_results(first, second)
    # The worker is known by its name and numbers; the other is new, and its times move along.
    assert [(row.index, row.name, row.start_ns) for row in merged.threads[0]] == [
        (0, "MainThread", 0), (1, "Worker", 0), (3, "Other", 520),
    ]  # fmt: skip
    assert merged.threads[2] == [thread(0, start_ns=500)]
    tasks = merged.tasks[0]
    assert [(row.index, row.thread_index, row.created_ns, row.done_ns) for row in tasks] == [
        (0, 1, 10, 40), (1, 3, 510, 540),
    ]  # fmt: skip
    assert merged["b"][0].thread_ids.tolist() == [1, 3, -1]
    assert merged["b"][0].task_ids.tolist() == [1, -1, -1]
    assert merged["a"][0].thread_ids.tolist() == [0, 1]
    assert second["b"][0].thread_ids.tolist() == [0, 1, -1]


def test_unknown_threads_are_not_taken_for_each_other():
    one = ProfilingResults({}, threads={0: [thread(0, native_id=None)]})
    other = ProfilingResults({}, threads={0: [thread(0, native_id=None)]})
    assert [row.index for row in merge_results(one, other).threads[0]] == [0, 1]


def test_calls_are_numbered_on():
    def numbered(name):
        return results(**{name: region((0, 9), (2, 4), call_ids=[0, 3], parent_ids=[-1, 0])})

    merged = merge_results(numbered("a"), numbered("b"), numbered("c"))
    assert [(call["call_id"], call["parent_id"]) for call in merged.call_graph()] == [
        (0, None), (3, 0), (4, None), (7, 4), (8, None), (11, 8),
    ]  # fmt: skip


@patient
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 3)), max_size=5),
        min_size=1,
        max_size=4,
    )
)
def test_merging_changes_no_call(sets):
    """Runs of one rank each, whose calls are (start, thread, task)."""
    runs = []
    for number, calls in enumerate(sets):
        calls.sort()
        one = Region(
            start_times_ns=[start for start, _, _ in calls],
            durations_ns=[1] * len(calls),
            thread_ids=[thread for _, thread, _ in calls],
            task_ids=[task - 1 for _, _, task in calls],
        )
        runs.append(results(**{f"r{number}": one}))
    merged = merge_results(*runs)
    lanes = set()
    for run, region_ in zip(runs, merged):
        old, new = run[region_.name][0], region_[0]
        assert new.start_times_ns.tolist() == old.start_times_ns.tolist()
        assert new.get_summary() == old.get_summary()
        if old.num_calls:
            # One to one, and none that another run has.
            pairs = set(zip(old.thread_ids.tolist(), new.thread_ids.tolist()))
            assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
            mine = {b for _, b in pairs}
            assert not mine & lanes
            lanes |= mine
            assert (new.task_ids[old.task_ids < 0] == -1).all()
            shift = (new.task_ids - old.task_ids)[old.task_ids >= 0]
            assert len(np.unique(shift)) <= 1


def test_calls_of_some_are_there_beside_aggregates_of_others():
    merged = merge_results(results(a=Region(statistics=AGGREGATES)), results(b=region((0, 1))))
    assert not merged.has_event_data
    assert len(merged.events("b")) == len(merged.call_stack(include="b")) == 1


def test_ranks_that_another_one_gathered():
    left = ProfilingResults({"a": MPIRegion("a", {})}, is_root=False)
    run = results(a=region((0, 1)))
    assert merge_results(left, run).region_names == ["a"]
    assert merge_results(left, left) is left


@pytest.mark.parametrize(
    ("sets", "error", "text"),
    [
        ([], ValueError, "merge_results takes at least one result; got none"),
        ([{}], TypeError, "merge_results takes ProfilingResults; got {}"),
        ([results(a=Region()), results(a=Region())], ValueError, "got 'a' in two: give them"),
    ],
)
def test_bad_arguments_are_named(sets, error, text):
    with pytest.raises(error, match=text):
        merge_results(*sets)
