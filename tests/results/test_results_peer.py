"""Results: scope-profiler 0.7.5 itself is asked about the same calls."""

import inspect
import json
import os
import random
import subprocess

import pytest
from results_support import region

import scope_profiler.results
from scope_profiler.results import MPIRegion, ProfilingResults, TaskInfo, ThreadInfo

PEER = os.environ.get("SCOPE_PROFILER_PEER_PYTHON")

pytestmark = pytest.mark.skipif(
    not PEER, reason="SCOPE_PROFILER_PEER_PYTHON names no interpreter with scope-profiler 0.7.5"
)


def answers(results, package):
    """What is asked about a run; this is also sent to the peer."""
    one = results.get_regions()[0]
    first = one[one.ranks[0]]
    stack = list(results.call_stack())
    return {
        "summary": results.summary(),
        "events": results.events(),
        "absolute": results.events("r[01]", ranks=0, relative=False),
        "stack": stack,
        "some of the stack": list(results.call_stack(exclude="r1")),
        "graph": list(results.call_graph()),
        "some of the graph": list(results.call_graph(exclude=["r1"])),
        "roots": package.call_stack_roots(stack),
        "children": package.call_stack_children(stack),
        "threads": results.thread_summary(),
        "labels": [results.lane_label(lane) for lane in range(-4, 3)],
        "title": results.default_title(),
        "times": [
            results.minimum_start_time,
            results.maximum_end_time,
            results.time_span,
            results.startup_time,
            results.time_origin,
            results.total_time,
            results.num_ranks,
            results.num_nodes,
        ],
        "exclusive": [region.exclusive_durations.tolist() for region in results],
        "inclusive": [region.inclusive_durations.tolist() for region in results],
        "percentiles": [one.percentile_duration(percentile) for percentile in (0, 30, 99.9)],
        "region": {
            "first": first.first_start_time,
            "last": first.last_end_time,
            "exclusive": first.total_exclusive_duration,
            "await": first.total_await_duration,
            "threads": [first.has_thread_data, first.threads],
            "gpu": [first.has_gpu_timing, first.gpu_durations, first.gpu_total_duration],
            "tags": list(first.tags),
        },
        "thread": first.for_thread(1).get_summary() if first.has_thread_data else None,
        "merged": [region.name for region in package.merge_results(results, label="m")],
    }


# Runs come to the peer as JSON, and so do its answers.
ASK = inspect.getsource(answers) + """
import json, sys
import numpy as np
import scope_profiler as sp
from scope_profiler.concurrency import ThreadInfo, TaskInfo

def column(values):
    return None if values is None else np.array(values, np.int64)

def run(described):
    regions = {
        name: sp.MPIRegion(name, {
            int(rank): sp.Region(
                column(one["starts"]), column(one["ends"]), source_file=one["file"],
                source_lineno=one["line"], tags=one["tags"], event_metadata=one["metadata"],
                **{key: column(values) for key, values in one["columns"].items()})
            for rank, one in by_rank.items()})
        for name, by_rank in described["regions"].items()
    }
    return sp.ProfilingResults(
        regions, described["metadata"], file_path="x.h5",
        threads={0: [ThreadInfo(*row) for row in described["threads"]]},
        tasks={0: [TaskInfo(*row) for row in described["tasks"]]})

told = [answers(run(one), sp) for one in json.load(sys.stdin)]
print(json.dumps(told, default=lambda value: value.item()))
"""


def nested(random, length, depth=0):
    """(start, end) of random calls that nest, from 0 to `length`."""
    calls = []
    now = 0
    while now < length - 10 and random.random() < 0.8:
        start = now + random.randint(1, 5)
        end = start + random.randint(3, max(4, length // 2))
        if end >= length:
            break
        calls.append((start, end))
        if depth < 4:
            inside = nested(random, end - start, depth + 1)
            calls.extend((start + a, start + b) for a, b in inside)
        now = end
    return calls


def described(seed):
    """A random run, in the form that both are made of."""
    choose = random.Random(seed)
    lanes = choose.choice([1, 3]) if seed % 3 else 1
    with_ids, with_tasks = seed % 2 == 0, lanes > 1 and seed % 4 == 1
    regions = {}
    for rank in range(choose.choice([1, 2])):
        calls = [
            (start, end, lane) for lane in range(lanes) for start, end in nested(choose, 400)
        ]
        calls.sort()
        open_calls = {}
        for number, (start, end, lane) in enumerate(calls):
            above = open_calls.setdefault(lane, [])
            while above and calls[above[-1]][1] < end:
                above.pop()
            parent = above[-1] if above else -1
            above.append(number)
            name = f"r{choose.randint(0, 2)}"
            one = regions.setdefault(name, {}).setdefault(rank, {
                "starts": [], "ends": [], "columns": {}, "metadata": [], "tags": ["t", name],
                "file": f"{name}.py", "line": 7,
            })  # fmt: skip
            one["starts"].append(1_000 + start)
            one["ends"].append(1_000 + end)
            one["metadata"].append(choose.choice([{}, {"step": number}]))
            columns = {}
            if with_ids:
                columns |= {"call_ids": number, "parent_ids": parent}
            if lanes > 1:
                columns["thread_ids"] = lane
            if with_tasks:
                columns |= {"task_ids": lane - 1, "await_times": start % 5}
            for key, value in columns.items():
                one["columns"].setdefault(key, []).append(value)
    return {
        "regions": regions,
        "metadata": {"start_time_ns": 900, "finalize_time_ns": 3_000, "label": f"run {seed}"},
        "threads": [
            [lane, 0, f"T{lane}", 10, 20, bool(lane), 5, -1 if lane else 2_000, 77]
            for lane in (range(lanes) if lanes > 1 and not with_tasks else ())
        ],
        "tasks": [
            [0, 0, "task", "Task-0", "main.inner", 0, 5, 60, 3, 20, 30],
        ] if with_tasks else [],
    }  # fmt: skip


def ours(described):
    regions = {}
    for name, by_rank in described["regions"].items():
        made = {}
        for rank, one in by_rank.items():
            columns = dict(one["columns"])
            if "await_times" in columns:
                columns["await_ns"] = columns.pop("await_times")
            made[rank] = region(
                *zip(one["starts"], one["ends"]),
                source_file=one["file"],
                source_lineno=one["line"],
                tags=one["tags"],
                event_metadata=one["metadata"],
                **columns,
            )
        regions[name] = MPIRegion(name, made)

    def row(kind, values, end):
        return kind(*(None if place == end and value == -1 else value
                      for place, value in enumerate(values)))  # fmt: skip

    return ProfilingResults(
        regions,
        described["metadata"],
        file_path="x.h5",
        threads={0: [row(ThreadInfo, values, 7) for values in described["threads"]]},
        tasks={0: [row(TaskInfo, values, 7) for values in described["tasks"]]},
    )


@pytest.fixture(scope="module")
def runs():
    return [one for one in map(described, range(24)) if one["regions"]]


@pytest.fixture(scope="module")
def peer(runs, tmp_path_factory):
    done = subprocess.run(
        [PEER, "-c", ASK],
        input=json.dumps(runs),
        text=True,
        capture_output=True,
        cwd=tmp_path_factory.mktemp("peer"),
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def alike(mine, its, where=""):
    """Compare values, and the order of keys; times may differ in the last digits."""
    if isinstance(its, dict):
        assert list(mine)[: len(its)] == list(its), where
        for key, value in its.items():
            alike(mine[key], value, f"{where}.{key}")
    elif isinstance(its, list):
        assert len(mine) == len(its), where
        for place, value in enumerate(its):
            alike(mine[place], value, f"{where}[{place}]")
    elif isinstance(its, float) and isinstance(mine, (int, float)):
        assert mine == pytest.approx(its, rel=1e-9, abs=2e-16), where
    else:
        assert (type(mine), mine) == (type(its), its), where


def plain(value):
    """Events are a sequence of dicts, of which lists are made when they are asked for."""
    return list(value) if hasattr(value, "columns") else value.item()


def test_the_same_calls_come_to_the_same(runs, peer):
    for one, its in zip(runs, peer):
        told = answers(ours(one), scope_profiler.results)
        mine = json.loads(json.dumps(told, default=plain))
        for side in (mine, its):
            for row in (*side["summary"], side["thread"] or {}):
                # It adds up what recursion counts several times.
                row.pop("inclusive_duration", None)
            # It forgets the other regions, so that nothing is inside these calls.
            (side["thread"] or {}).pop("exclusive_duration", None)
        alike(mine, its, one["metadata"]["label"])


def test_there_are_runs_of_each_kind(runs):
    columns = [
        set(one["columns"]) for run in runs for by_rank in run["regions"].values()
        for one in by_rank.values()
    ]  # fmt: skip
    for name in ("call_ids", "thread_ids", "task_ids"):
        assert any(name in of_region for of_region in columns)
    assert set() in columns
    assert any(run["tasks"] for run in runs) and any(run["threads"] for run in runs)
