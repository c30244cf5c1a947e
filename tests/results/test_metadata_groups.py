"""Calls by what was noted for them."""

import pytest
from results_support import AGGREGATES, region

from scope_profiler.results import EventDataUnavailableError, MPIRegion, ProfilingResults, Region
from scope_profiler.results.metadata_groups import grouped_by, metadata_keys


def test_groups_of_all_ranks():
    notes = [{"n": 1, "k": "a"}, {"n": 1.0}, {"n": "1"}, {"n": [1]}, {}, {"n": None}, {"n": 1}]
    spans = [(place * 10, place * 10 + place + 1) for place in range(len(notes))]
    run = ProfilingResults({"f": MPIRegion("f", {
        0: region(*spans, event_metadata=notes), 2: region((0, 100), event_metadata=[{"n": 1}]),
        3: region((0, 5)),
    })})
    groups = grouped_by(run, "f", "n")
    assert [(group.name, group.num_calls, group.total_duration_ns) for group in groups] == [
        ("1", 3, 108), ("1.0", 1, 2), ("1", 1, 3), ("[1]", 1, 4), ("None", 1, 6), ("(no n)", 2, 10)]
    assert [*groups[0]] == [0, 2] and groups[0].percentile_duration(50) == 7e-9
    assert [group.num_calls for group in grouped_by(run, "f", "n", {2})] == [1]
    assert metadata_keys(run["f"]) == ["k", "n"]


def test_own_time_of_a_group():
    run = ProfilingResults({
        "f": MPIRegion("f", {0: region((0, 10), (20, 40), event_metadata=[{"n": 1}, {"n": 2}])}),
        "g": MPIRegion("g", {0: region((22, 30))}),
    })
    assert [group.exclusive_duration_ns for group in grouped_by(run, "f", "n")] == [10, 12]


def test_without_single_calls():
    run = ProfilingResults({"f": MPIRegion("f", {0: Region(statistics=AGGREGATES)})})
    with pytest.raises(EventDataUnavailableError):
        grouped_by(run, "f", "n")
