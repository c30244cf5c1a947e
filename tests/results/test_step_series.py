"""How long steps took, their drift, and results without warm-up."""

from itertools import combinations
from statistics import median

from hypothesis import given, strategies as st
import numpy as np
import pytest
from results_support import AGGREGATES, region

from scope_profiler.results import EventDataUnavailableError, MPIRegion, ProfilingResults, Region
from scope_profiler.results.step_series import drift_of


def steps(*durations, key="step", first=0):
    """A region with a call of each duration, 1000 ns apart."""
    spans = [(place * 1000, place * 1000 + duration) for place, duration in enumerate(durations)]
    return region(*spans, event_metadata=[{key: first + place} for place in range(len(spans))])


def test_calls_of_a_step_are_together():
    notes = [{"step": 7}, {"step": 7.0}, {"step": 3}, {"step": 7}, {}, {"step": "x"}, {"step": True},
             {"step": float("nan")}, {"k": 1}]
    spans = [(place * 10, place * 10 + place + 1) for place in range(len(notes))]
    run = ProfilingResults({"f": MPIRegion("f", {
        0: region(*spans, event_metadata=notes), 2: region((0, 9)), 5: steps(4, 5)})})
    found = run.step_series("f")
    assert [*found] == [0, 5] and [*run.step_series("f", ranks=5)] == [5]
    assert found[0].steps.tolist() == [7, 3] and found[0].start_times_ns.tolist() == [0, 20]
    assert found[0].durations_ns.tolist() == [1 + 2 + 4, 3] and found[0].num_calls.tolist() == [3, 1]
    assert found[5].drift is None and run.step_series("f", "nothing") == {}


@given(st.lists(st.integers(0, 10**6), min_size=6, max_size=40), st.integers(1, 7))
def test_the_slope_is_the_median_of_all_slopes(values, every):
    points = [every * place for place in range(len(values))]
    slopes = [(y - x) / (b - a) for (a, x), (b, y) in combinations(zip(points, values), 2)]
    drift = drift_of(np.array(points, float), np.array(values, float))
    assert drift.per_step_ns == pytest.approx(median(slopes))
    assert min(slopes) <= drift.low_ns <= drift.per_step_ns <= drift.high_ns <= max(slopes)


@pytest.mark.parametrize("number", [30, 5000])
def test_outliers_do_not_move_it(number):
    noise = np.random.default_rng(1)
    place = np.arange(number)
    steady = 1000 + noise.normal(0, 20, number)
    steady[noise.random(number) < 0.2] *= 50
    assert not drift_of(place, steady).is_sure
    growing = steady + 5.0 * place
    found = drift_of(place, growing)
    assert found.is_sure and found.low_ns < 5 < found.high_ns
    assert found.per_step_ns == pytest.approx(5, abs=4 if number == 30 else 0.1)
    assert found.relative == pytest.approx(found.per_step_ns * (number - 1) / np.median(growing))


def test_five_steps_tell_no_drift():
    assert drift_of(np.arange(5.0), np.arange(5.0)) is None
    assert drift_of(np.arange(6.0), np.arange(6.0)).per_step_ns == 1


@pytest.fixture
def run():
    inner = [(place * 1000 + 1, place * 1000 + 3) for place in range(4) for _ in (0, 1)]
    notes = [{"step": step} for step in (9, 8, 7, 6) for _ in (0, 1)]
    return ProfilingResults({
        "main": MPIRegion("main", {0: region((0, 9000)), 1: region((0, 9000))}),
        "step": MPIRegion("step", {0: steps(10, 20, 30, 40, first=6), 1: steps(1, 2)}),
        "inner": MPIRegion("inner", {0: region(*inner, event_metadata=notes)}),
    })


def calls(results):
    return {each.name: {rank: each[rank].num_calls for rank in each} for each in results}


def test_the_first_calls_are_left_out(run):
    late = run.skip_first(2)
    assert calls(late) == {"step": {0: 2}, "inner": {0: 6}}
    assert late["step"].total_duration_ns == 70
    assert late.default_title().endswith("; without the first 2 of each region")
    assert calls(run.skip_first(0)) == calls(run)


def test_the_first_steps_of_each_rank_are_left_out(run):
    # On rank 0 steps 6 and 9 begin at the same time, 7 and 8 next.
    late = run.skip_first(2, "step")
    assert late["main"].num_calls == 2 and late["step"].ranks == [0]
    assert late["step"][0].durations_ns.tolist() == [20, 30] and late["inner"].num_calls == 4
    assert [row["step"] for row in late["inner"][0].event_metadata] == [8, 8, 7, 7]
    assert late.step_series("step")[0].steps.tolist() == [7, 8]


def test_what_cannot_be(run):
    with pytest.raises(KeyError, match="no call has metadata 'stp'"):
        run.skip_first(1, "stp")
    for wrong in (-1, 1.5, True):
        with pytest.raises((TypeError, ValueError), match="count takes an int"):
            run.skip_first(wrong)
    counted = ProfilingResults({"f": MPIRegion("f", {0: Region(statistics=AGGREGATES)})})
    for asked in (lambda: counted.step_series("f"), lambda: counted.skip_first(1)):
        with pytest.raises(EventDataUnavailableError):
            asked()
