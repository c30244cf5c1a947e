"""What tests of files share: runs to write, and results as plain values to compare."""

import json

import numpy as np

from scope_profiler.io.region_rows import calls_were_read
from scope_profiler.results import (
    OPTIONAL_COLUMNS,
    EventMetadata,
    MPIRegion,
    ProfilingResults,
    Region,
    TaskInfo,
    ThreadInfo,
)
from scope_profiler._run.run_metadata import collect_metadata

NOW = 1_325_689_337_980

LINES = {
    "region": "solve", "filename": "f.py", "function": "f", "first_lineno": 3,
    "line_numbers": [4, 5], "hits": [10, 9], "times": [1500.0, 2.5], "unit": 1e-9,
}  # fmt: skip

NOTES = [{"step": 0}, {"step": 2, "x": "y"}]

THREADS = {
    0: [
        ThreadInfo(0, 0, "MainThread", 1234567, 4711, False, -5, None, 900),
        ThreadInfo(1, 0, "wörker", None, None, True, 10, 500, None),
    ],
    2: [ThreadInfo(0, 2, "MainThread", 7, 8, False, 0, None, 5)],
}
TASKS = {0: [TaskInfo(0, 0, "task", "Task-1", "main", 0, 10, None, 7, 300, None)]}


def run(regions, metadata=None, line_profile=None, **more):
    """Results from {name: {rank: Region}}."""
    return ProfilingResults(
        {name: MPIRegion(name, by_rank) for name, by_rank in regions.items()},
        metadata,
        line_profile=line_profile,
        **more,
    )


def columns(starts, durations, **facts):
    return Region(start_times_ns=starts, durations_ns=durations, **facts)


def example():
    """A run of everything that a file has a place for."""
    solve = columns(
        [NOW, NOW + 100, NOW + 350],
        [90, 200, 40],
        exclusive_total_ns=250,
        inclusive_total_ns=330,
        corrected_exclusive_ns=200,
        corrected_total_ns=-3,
        errors=1,
        tags=("a", "ü"),
        source_file="f.py",
        source_lineno=7,
        source_text="with region('solve'):\n",
        event_metadata=EventMetadata([0, -1, 1], NOTES),
        thread_ids=[0, 0, 1],
        task_ids=[-1, -1, 0],
        await_ns=[0, 0, 7],
    )
    inner = columns(
        [NOW + 110],
        [80],
        exclusive_total_ns=80,
        thread_ids=[0],
        task_ids=[-1],
        await_ns=[0],
        event_metadata=EventMetadata([1], NOTES),
    )
    other = columns([NOW + 5], [1], exclusive_total_ns=1, tags=["a"])
    return run(
        {"solve": {0: solve, 2: other}, "inner": {0: inner}, "never": {0: Region()}},
        {
            **collect_metadata("night", start_time_ns=NOW - 10, finalize_time_ns=NOW + 1000),
            "timestamp": "2025-01-02T03:04:05.678901+00:00",
            "mpi_size": 3,
        },
        {0: [LINES, {**LINES, "function": "g", "source": "def g(): ..."}], 2: [LINES]},
        threads=THREADS,
        tasks=TASKS,
    )


def aggregates():
    """A run of which no interval was kept."""
    known = {"count": 4, "total": 100, "minimum": 10, "maximum": 40}
    more = {"std": 11.5, "p50": 24.5, "p90": 38.0, "p999": 40.0, "last_end": NOW + 900}
    return run(
        {
            "solve": {
                0: Region(
                    statistics=known | more | {"first_start": NOW, "first": 11},
                    exclusive_total_ns=60,
                    inclusive_total_ns=90,
                    corrected_exclusive_ns=50,
                    tags=["a"],
                    source_file="f.py",
                    source_lineno=7,
                    source_text="def solve(): ...",
                    errors=3,
                )
            },
            "inner": {0: Region(statistics=known, exclusive_total_ns=100)},
            "unknown": {1: Region(statistics=known)},
        },
        {"label": "night"},
        {0: [LINES]},
        threads=THREADS,
    )


def contents(results):
    """Everything in results, as plain values that compare equal if and only if they are."""
    names = (
        "num_calls num_events errors tags source_file source_lineno source_text statistics "
        "exclusive_duration_ns inclusive_duration_ns total_duration_ns "
        "corrected_exclusive_ns corrected_total_ns "
        "min_duration_ns max_duration_ns std_duration_ns first_start_time_ns last_end_time_ns "
        "first_duration_ns last_duration_ns "
        "p50_duration p90_duration p95_duration p99_duration p999_duration "
        "start_times_ns durations_ns"
    ).split()

    def plain(value):
        return value.tolist() if isinstance(value, np.ndarray) else value

    return {
        "regions": [
            (
                region.name,
                rank,
                {name: plain(getattr(region[rank], name)) for name in (*names, *OPTIONAL_COLUMNS)},
                # As texts, in which NaNs are equal, and 1 and True are not.
                [json.dumps(entry) for entry in region[rank].event_metadata],
            )
            for region in results
            for rank in region
        ],
        "names": results.region_names,
        "metadata": json.dumps(results.metadata, sort_keys=True),
        "lines": {
            rank: [json.dumps({key: plain(value) for key, value in entry.items()}, sort_keys=True)
                   for entry in entries]
            for rank, entries in results.line_profile.items()
        },
        "threads": results.threads,
        "tasks": results.tasks,
        "num_ranks": results.num_ranks,
        "label": results.label,
        "has_event_data": [results.has_event_data, calls_were_read(results)],
    }  # fmt: skip


def assert_same_calls(read, results):
    """That the calls are the same, of runs of so many that `contents` would take long."""
    assert read.region_names == results.region_names
    for region in results:
        for rank in region:
            for name in ("start_times_ns", "durations_ns", *OPTIONAL_COLUMNS):
                np.testing.assert_array_equal(
                    getattr(read[region.name][rank], name), getattr(region[rank], name), name
                )
            notes, known = read[region.name][rank].event_metadata, region[rank].event_metadata
            np.testing.assert_array_equal(notes.ids, known.ids)
            assert list(notes.table) == list(known.table)
