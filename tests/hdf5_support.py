"""What tests of HDF5 files share: runs to write, and results as plain values to compare."""

import numpy as np

from scope_profiler.run_metadata import collect_metadata
from scope_profiler.results import MPIRegion, ProfilingResults, Region

NOW = 1_325_689_337_980

LINES = {
    "region": "solve", "filename": "f.py", "function": "f", "first_lineno": 3,
    "line_numbers": [4, 5], "hits": [10, 9], "times": [1500.0, 2.5], "unit": 1e-9,
}  # fmt: skip


def run(regions, metadata=None, line_profile=None):
    """Results from {name: {rank: Region}}."""
    return ProfilingResults(
        {name: MPIRegion(name, by_rank) for name, by_rank in regions.items()},
        metadata,
        line_profile=line_profile,
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
        errors=1,
        tags=("a", "ü"),
        source_file="f.py",
        source_lineno=7,
        source_text="with region('solve'):\n",
        event_metadata=[{"step": 0}, {}, {"step": 2, "x": "y"}],
        thread_ids=[0, 0, 1],
    )
    inner = columns([NOW + 110], [80], exclusive_total_ns=80, thread_ids=[0])
    other = columns([NOW + 5], [1], exclusive_total_ns=1, tags=["a"])
    return run(
        {"solve": {0: solve, 2: other}, "inner": {0: inner}, "never": {0: Region()}},
        {
            **collect_metadata("night", start_time_ns=NOW - 10, finalize_time_ns=NOW + 1000),
            "timestamp": "2025-01-02T03:04:05.678901+00:00",
            "mpi_size": 3,
        },
        {0: [LINES, {**LINES, "function": "g"}], 2: [LINES]},
    )


def aggregates():
    """A run of which no interval was kept."""
    known = {"count": 4, "total": 100, "minimum": 10, "maximum": 40}
    more = {"std": 11.5, "p50": 24.5, "p95": 39.0, "first_start": NOW, "last_end": NOW + 900}
    return run(
        {
            "solve": {
                0: Region(
                    statistics=known | more,
                    exclusive_total_ns=60,
                    inclusive_total_ns=90,
                    tags=["a"],
                    source_file="f.py",
                    source_lineno=7,
                    errors=3,
                )
            },
            "inner": {0: Region(statistics=known, exclusive_total_ns=100)},
        }
    )


def contents(results):
    """Everything in results, as plain values that compare equal if and only if they are."""
    names = (
        "num_calls num_events errors tags source_file source_lineno source_text statistics "
        "event_metadata exclusive_duration_ns inclusive_duration_ns total_duration_ns "
        "min_duration_ns max_duration_ns std_duration_ns first_start_time_ns last_end_time_ns "
        "first_duration_ns last_duration_ns p50_duration p95_duration p99_duration "
        "start_times_ns durations_ns thread_ids call_ids parent_ids"
    ).split()

    def plain(value):
        return value.tolist() if isinstance(value, np.ndarray) else value

    return {
        "regions": [
            (region.name, rank, {name: plain(getattr(region[rank], name)) for name in names})
            for region in results
            for rank in region
        ],
        "names": results.region_names,
        "metadata": results.metadata,
        "lines": {
            rank: [{key: plain(value) for key, value in entry.items()} for entry in entries]
            for rank, entries in results.line_profile.items()
        },
        "num_ranks": results.num_ranks,
        "label": results.label,
    }  # fmt: skip
