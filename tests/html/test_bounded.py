"""A report of many ranks has the calls of one rank after the other in memory."""

from dataclasses import replace
import tracemalloc

import numpy as np
import pytest

from scope_profiler import MPIRegion, ProfilingResults, Region, RegionStatistics
from scope_profiler.html import timeline_data
from scope_profiler.results import Node, Recorded, Sketch
from scope_profiler.results.stored_column import StoredColumn

CALLS = 1 << 15
COLUMN = 8 * CALLS
LENGTH = 900
TOTAL = CALLS * LENGTH
SKETCH = Sketch.of_durations(np.full(100, LENGTH))


def stored(rank):
    """A region whose columns are made whenever they are asked for, as those of large files are read."""
    def column(values):
        return StoredColumn(lambda rows: values()[rows], slice(None), CALLS, is_kept=False)

    return Region(
        start_times_ns=column(lambda: np.arange(CALLS) * 1000 + rank),
        durations_ns=column(lambda: np.full(CALLS, LENGTH)),
        node_ids=column(lambda: np.zeros(CALLS, np.int16)),
        errors=0, sketch=SKETCH, exclusive_total_ns=TOTAL, inclusive_total_ns=TOTAL,
        of_calls={"total": TOTAL, "minimum": LENGTH, "maximum": LENGTH, "first": LENGTH, "last": LENGTH,
                  "first_start": rank, "last_end": CALLS * 1000 + rank})


def tree():
    known = replace(
        RegionStatistics.nothing_of("r"), num_calls=CALLS, total_ns=TOTAL, exclusive_ns=TOTAL,
        sum_ns=TOTAL, minimum_ns=LENGTH, maximum_ns=LENGTH, average_ns=LENGTH)
    return Recorded([Node(-1, known, 0, SKETCH, 0.0)], CALLS * 1000, {})


def peak(ranks, path):
    results = ProfilingResults({"r": MPIRegion("r", {rank: stored(rank) for rank in range(ranks)})},
                               {"launched_ranks": ranks},
                               recorded={rank: tree() for rank in range(ranks)})
    tracemalloc.start()
    try:
        results.to_html(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_calls_of_further_ranks(tmp_path, monkeypatch):
    pytest.importorskip("jinja2")
    pytest.importorskip("plotly")
    monkeypatch.setattr(timeline_data, "_MOST", 1000)  # drawn, of all ranks
    peak(1, tmp_path / "warm.html")
    few, many = (peak(ranks, tmp_path / "report.html") for ranks in (2, 10))
    assert many - few < 4 * COLUMN, (few / COLUMN, many / COLUMN)  # not 8 times two columns


def test_what_is_asked_of_all_ranks_is_not_asked_for_each_rank(tmp_path, monkeypatch):
    """Else a report of ten thousand ranks takes ten thousand times that of a hundred."""
    pytest.importorskip("jinja2")
    pytest.importorskip("plotly")
    asked = []
    first = MPIRegion.first_start_time_ns.fget
    monkeypatch.setattr(MPIRegion, "first_start_time_ns",
                        property(lambda self: asked.append(self.name) or first(self)))

    def times_asked(ranks):
        asked.clear()
        known = {"count": 3, "total": 30, "first_start": 5, "last_end": 99}
        of_rank = {rank: Region(statistics=known, sketch=SKETCH) for rank in range(ranks)}
        ProfilingResults({"r": MPIRegion("r", of_rank)},
                         recorded={rank: tree() for rank in range(ranks)}).to_html(tmp_path / "x.html")
        return len(asked)

    assert times_asked(12) == times_asked(3) > 0
