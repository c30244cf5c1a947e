"""results/chart_calls: what the charts of single calls show."""

from hypothesis import given, strategies as st
import numpy as np
import pytest
from results_support import AGGREGATES, region, results

from scope_profiler.results import EventDataUnavailableError, Region
from scope_profiler.results.chart_calls import histogram, intervals, occupancy, series
from scope_profiler.results.chart_data import runs_of

calls = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 300)), min_size=1, max_size=30)


@given(calls, st.integers(1, 20))
def test_occupancy_is_how_long_calls_lie_in_each_bin(given_calls, bins):
    ordered = sorted(given_calls)
    run = results(a=region(*((start, start + length) for start, length in ordered)))
    data = occupancy({"run": run}, bins=bins)
    first = ordered[0][0]
    for row in data.rows():
        low, high = row["bin_start_seconds"] * 1e9, row["bin_end_seconds"] * 1e9
        expected = sum(
            max(0.0, min(start + length - first, high) - max(start - first, low))
            for start, length in ordered)
        assert row["occupied_seconds"] * 1e9 == pytest.approx(expected, abs=1e-3)


@given(calls, st.integers(1, 40), st.booleans())
def test_every_call_is_in_one_bin_of_a_histogram(given_calls, bins, logarithmic):
    run = results(a=region(*((start, start + length) for start, length in sorted(given_calls))))
    data = histogram({"run": run}, bins=bins, logarithmic=logarithmic)
    assert sum(data["count"]) == len(given_calls) and len(data) == bins
    edges = [*data["bin_low_seconds"], data["bin_high_seconds"][-1]]
    assert (np.diff(edges) >= 0).all()


def test_calls_that_take_equally_long_have_bins_about_that():
    data = histogram({"run": results(a=region((0, 10), (20, 30)))}, bins=3)
    assert 9e-9 < min(data["bin_low_seconds"]) and max(data["bin_high_seconds"]) < 11e-9


def test_times_count_from_the_first_call_of_any_region():
    run = results(a=region((100, 200)), b=region((150, 160)))
    assert [*intervals({"r": run}, include="b").rows()] == [{
        "file": "r", "rank": 0, "region": "b", "start_seconds": pytest.approx(5e-8),
        "end_seconds": pytest.approx(6e-8), "depth": 1}]
    assert series({"r": run}, include="b")["time_seconds"].tolist() == pytest.approx([5e-8])


def test_regions_without_intervals_are_refused():
    run = results(a=Region(statistics=AGGREGATES))
    for chart in (intervals, series, histogram, occupancy):
        with pytest.raises(EventDataUnavailableError):
            chart({"r": run})


def test_runs_of_one_label_are_numbered():
    run = results(a=region((0, 1)))
    assert [*runs_of([run, run, run])] == ["run", "run (2)", "run (3)"]
