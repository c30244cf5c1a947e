"""The call stack: which call is inside which, as columns and as dicts."""

import pickle
import random

import pytest
from results_support import AGGREGATES, SECOND, region, results

from scope_profiler import ProfileManager
from scope_profiler.results import (
    CallArrays,
    EventDataUnavailableError,
    MPIRegion,
    NestingError,
    ProfilingResults,
    Region,
    build_call_arrays,
    build_call_stack,
    call_stack_children,
    call_stack_roots,
)
from scope_profiler.results.call_stack import tree_of_calls


@pytest.fixture
def run():
    """outer( mid( inner inner ) inner ) inner, with seconds for ticks."""

    def at(*calls, **facts):
        return region(*((a * SECOND, b * SECOND) for a, b in calls), **facts)

    return results(
        {"start_time_ns": SECOND},
        inner=at((12, 13), (14, 15), (17, 18), (31, 32), source_file="f.py", source_lineno=9),
        mid=at((11, 16)),
        outer=at((10, 20)),
    )


def graph(run, *choice):
    return [(call["name"], call["parent_id"], call["depth"]) for call in run.call_graph(*choice)]


def test_call_stack(run):
    calls = run.call_stack()
    assert [call["call_path"] for call in calls] == [
        "outer",
        "outer > mid",
        "outer > mid > inner",
        "outer > mid > inner",
        "outer > inner",
        "inner",
    ]
    assert list(calls[3].items()) == [
        ("call_id", 3),
        ("name", "inner"),
        ("call_index", 1),
        ("start", 13.0),
        ("end", 14.0),
        ("duration", 1.0),
        ("inclusive_duration", 1.0),
        ("exclusive_duration", 1.0),
        ("depth", 2),
        ("parent", 1),
        ("call_path", "outer > mid > inner"),
        ("source_file", "f.py"),
        ("source_lineno", 9),
        ("lane", -1),
        ("color", None),
    ]
    assert [call["exclusive_duration"] for call in calls] == [4, 3, 1, 1, 1, 1]
    assert calls[0]["parent"] is None
    assert call_stack_roots(calls) == [0, 5]
    assert call_stack_children(calls) == [[1, 4], [2, 3], [], [], [], []]
    assert calls[2]["call_path"] is calls[3]["call_path"]


def test_times_of_a_call_stack(run):
    run["outer"].color = "red"
    [outer] = run.call_stack(include="outer", relative=False)
    assert (outer["start"], outer["end"], outer["color"]) == (10.0, 20.0, "red")
    assert run.call_stack(include="outer", origin=10.0)[0]["start"] == 0.0
    assert run.call_stack(include="outer", origin=10.0, relative=False)[0]["start"] == 0.0
    assert build_call_stack(run, 0)[0]["start"] == 10.0
    assert run.call_stack(rank=1) == build_call_stack([], 0) == run.call_graph(rank=1) == []


def test_calls_of_regions_that_are_left_out_are_not_missed(run):
    assert graph(run, 0, None, "mid") == [
        ("outer", None, 0), ("inner", 0, 1), ("inner", 0, 1), ("inner", 0, 1), ("inner", None, 0),
    ]  # fmt: skip
    assert [call["exclusive_duration"] for call in run.call_stack(exclude="mid")][0] == 7


def test_call_graph(run):
    assert run.call_graph()[2] == {
        "call_id": 2, "parent_id": 1, "name": "inner", "call_index": 0, "depth": 2,
    }  # fmt: skip
    assert graph(run)[-1] == ("inner", None, 0)


def test_call_graph_by_recorded_numbers():
    # Numbers as calls ended; "task" outlives what it was called from.
    run = results(
        main=region((0, 10), call_ids=[5], parent_ids=[-1]),
        step=region((2, 4), (3, 8), call_ids=[3, 4], parent_ids=[5, 5]),
        task=region((3, 30), call_ids=[9], parent_ids=[3]),
    )
    assert run.call_graph() == [
        {"call_id": 3, "parent_id": 5, "name": "step", "call_index": 0, "depth": 1},
        {"call_id": 4, "parent_id": 5, "name": "step", "call_index": 1, "depth": 1},
        {"call_id": 5, "parent_id": None, "name": "main", "call_index": 0, "depth": 0},
        {"call_id": 9, "parent_id": 3, "name": "task", "call_index": 0, "depth": 2},
    ]
    assert graph(run, 0, None, "step") == [("main", None, 0), ("task", 5, 1)]
    assert [call["parent"] for call in run.call_stack()] == [None, 0, 0, 1]
    assert run.call_stack(include="task")[0]["call_path"] == "task"


def test_tasks_that_overlap_in_a_thread():
    overlapping = {"thread_ids": [0, 0], "task_ids": [1, 2]}
    run = results(
        task=region((10, 20), (12, 25), **overlapping),
        inner=region((13, 14), (15, 16), thread_ids=[0, 0], task_ids=[2, 1]),
        main=region((5, 30), thread_ids=[0], task_ids=[-1]),
    )
    calls = run.call_stack()
    assert [(call["name"], call["parent"], call["lane"]) for call in calls] == [
        ("main", None, -2), ("task", None, 1), ("task", None, 2), ("inner", 2, 2), ("inner", 1, 1),
    ]  # fmt: skip
    # Of unknown tasks, the one that began last is taken for the parent.
    unknown = results(task=region((10, 20), (12, 25)), inner=region((13, 14), (21, 22)))
    assert [call["parent"] for call in unknown.call_stack()] == [None, None, 1, 1]


def test_call_arrays(run):
    arrays = build_call_arrays(run.get_regions(), 0)
    assert isinstance(arrays, CallArrays) and len(arrays) == 6
    assert arrays.names == ["outer", "mid", "inner"]
    assert arrays.source_files == [None, None, "f.py"]
    assert arrays.source_lines == [None, None, 9]
    assert arrays.region_index.tolist() == [0, 1, 2, 2, 2, 2]
    assert arrays.call_index.tolist() == [0, 0, 0, 1, 2, 3]
    assert arrays.parent.tolist() == [-1, 0, 1, 1, 0, -1]
    assert arrays.depth.tolist() == [0, 1, 2, 2, 1, 0]
    assert arrays.exclusive_ns.tolist() == [4 * SECOND, 3 * SECOND, *[SECOND] * 4]
    assert (arrays.start_ns[0], arrays.end_ns[0]) == (10 * SECOND, 20 * SECOND)
    assert arrays.lane.tolist() == []
    assert {column.dtype.kind for column in arrays[3:]} == {"i"}
    in_threads = build_call_arrays(results(a=region((0, 1), thread_ids=[3])), 0)
    assert in_threads.lane.tolist() == [-5]
    nothing = build_call_arrays([], 0)
    assert (len(nothing), nothing.parent.dtype.kind) == (0, "i")
    assert pickle.loads(pickle.dumps(arrays)).names == arrays.names


def test_regions_from_nowhere_nest_among_themselves():
    apart = [MPIRegion("a", {0: region((0, 9))}), MPIRegion("b", {0: region((2, 3))})]
    assert build_call_arrays(apart, 0).parent.tolist() == [-1, 0]


def test_what_a_call_stack_needs(run):
    aggregates = MPIRegion("sum", {0: Region(statistics=AGGREGATES)})
    run = ProfilingResults({"sum": aggregates, **{one.name: one for one in run}})
    for method in (run.call_stack, run.call_graph):
        with pytest.raises(EventDataUnavailableError, match="region 'sum' .* its 4 calls"):
            method()
    assert len(run.call_stack(exclude="sum")) == len(run.call_graph(exclude="sum")) == 6
    with pytest.raises(NestingError, match="ends 2 ns before it starts"):
        results(a=region((4, 2))).call_stack()


def test_a_recorded_run_has_the_nesting_that_its_program_had():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    choose = random.Random(5)
    regions = [manager.region(name) for name in "abc"]
    entered = []

    def program(depth, path):
        for _ in range(choose.randint(0, 3)):
            region = choose.choice(regions)
            below = (*path, region.region_name)
            entered.append(" > ".join(below))
            with region:
                if depth:
                    program(depth - 1, below)

    while len(entered) < 2_000:
        program(6, ())
    run = manager.finalize(verbose=False, return_results=True)
    manager.reset()
    assert [call["call_path"] for call in run.call_stack()] == entered
    for one in run:
        # Each call's time is rounded to nanoseconds, their sum only once.
        assert one.exclusive_durations.sum() * 1e9 == pytest.approx(
            one.exclusive_duration_ns, abs=one.num_calls
        )


# -- the tree ------------------------------------------------------------------


def drawn(regions, rank=0):
    """The tree as lines: name, calls, total and exclusive time in ns."""
    tree, node_ids = tree_of_calls(regions, rank)
    depths, lines = [], []
    for place, node in enumerate(tree.nodes):
        depths.append(depths[node.parent] + 1 if node.parent >= 0 else 0)
        one = node.statistics
        lines.append((depths[-1], one.name, one.num_calls, one.total_ns, one.exclusive_ns))
        assert (node_ids[one.name] == place).sum() == one.num_calls
    return lines


def test_call_tree(run):
    assert drawn(run) == [
        (0, "outer", 1, 10 * SECOND, 4 * SECOND),
        (1, "mid", 1, 5 * SECOND, 3 * SECOND),
        (2, "inner", 2, 2 * SECOND, 2 * SECOND),
        (1, "inner", 1, SECOND, SECOND),
        (0, "inner", 1, SECOND, SECOND),
    ]
    # What is left out is nobody's own time.
    assert drawn(run.get_regions(exclude="mid"))[0][-1] == 4 * SECOND


def test_recursion_is_one_place_of_the_tree():
    run = results(a=region((0, 100), (20, 50), (200, 210)), b=region((10, 60), (25, 30)))
    assert drawn(run) == [(0, "a", 3, 110, 85), (1, "b", 2, 50, 25)]


def test_the_tree_of_each_rank():
    a = MPIRegion("a", {0: region((0, 10)), 1: region((0, 20)), 2: region((5, 7))})
    b = MPIRegion("b", {1: region((5, 7)), 2: region((0, 10))})
    run = ProfilingResults({"a": a, "b": b})
    assert [drawn(run, rank) for rank in range(3)] == [
        [(0, "a", 1, 10, 10)],
        [(0, "a", 1, 20, 18), (1, "b", 1, 2, 2)],
        [(0, "b", 1, 10, 8), (1, "a", 1, 2, 2)],
    ]
    assert drawn([], 0) == []


def test_the_tree_says_what_the_recorder_says():
    run = results(
        a=region((0, 10), exclusive_total_ns=3, inclusive_total_ns=9), b=region((0, 1), (12, 13))
    )
    assert drawn(run) == [(0, "a", 1, 9, 3), (1, "b", 1, 1, 1), (0, "b", 1, 1, 1)]


def test_the_tree_of_some_intervals():
    run = results(a=region((0, 10)), b=region((2, 4), statistics=AGGREGATES))
    assert drawn(run) == [(0, "a", 1, 10, 8), (1, "b", 1, 2, 2)]
