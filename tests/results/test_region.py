"""Regions of results: what follows from the columns, and from aggregates where there are none."""

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results_support import AGGREGATES, SECOND, patient, region, results

from scope_profiler.results import BLOCK, MPIRegion, Region

# -- one rank ------------------------------------------------------------------


def test_scalars_of_a_region():
    one = region((1 * SECOND, 3 * SECOND), (5 * SECOND, 6 * SECOND), (9 * SECOND, 13 * SECOND))
    assert one.get_summary() == {
        "num_calls": 3,
        "total_duration": 7.0,
        "inclusive_duration": 7.0,
        "exclusive_duration": 7.0,
        "average_duration": 7 / 3,
        "min_duration": 1.0,
        "max_duration": 4.0,
        "first_duration": 2.0,
        "last_duration": 4.0,
        "std_duration": pytest.approx(np.std([2, 1, 4])),
    }
    assert (one.p50_duration, one.p95_duration) == (2.0, pytest.approx(3.8))
    assert (one.p90_duration, one.p999_duration) == (pytest.approx(3.6), pytest.approx(3.996))
    assert (one.first_start_time, one.last_end_time) == (1.0, 13.0)
    assert one.start_times.tolist() == [1.0, 5.0, 9.0]
    assert one.end_times.tolist() == [3.0, 6.0, 13.0]
    assert one.end_times_ns.dtype == np.int64
    assert one.durations.tolist() == [2.0, 1.0, 4.0]
    assert one.has_event_data and one.has_timing and not one.has_source


def test_a_region_never_called():
    one = Region()
    assert set(one.get_summary().values()) == {0}
    assert (one.p50_duration, one.first_start_time, one.first_start_time_ns) == (0.0, 0.0, None)
    assert one.has_event_data and not one.has_timing
    assert one.start_times_ns.dtype == np.int64


def test_only_aggregates():
    one = Region(statistics=AGGREGATES, exclusive_total_ns=70, inclusive_total_ns=90, errors=2)
    assert (one.num_calls, one.num_events, one.errors) == (4, 0, 2)
    assert not one.has_event_data
    assert (one.total_duration_ns, one.inclusive_duration_ns, one.exclusive_duration_ns) == (
        100,
        90,
        70,
    )
    assert (one.min_duration_ns, one.max_duration_ns, one.std_duration_ns) == (10, 40, 11.0)
    assert one.average_duration == 25e-9
    assert (one.p50_duration, one.p95_duration) == (24.5e-9, None)
    assert (one.p999_duration, one.percentile_duration(99.9)) == (39e-9, 39e-9)
    assert (one.percentile_duration(5), one.percentile_duration(9.5)) == (None, None)
    assert one.stored_summary == {**AGGREGATES, "exclusive": 70}
    assert one.first_start_time_ns is None


def test_fewer_intervals_than_calls():
    one = region((100, 110), (200, 240), statistics=AGGREGATES)
    assert (one.num_calls, one.num_events) == (4, 2)
    assert one.has_event_data
    assert (one.total_duration_ns, one.std_duration_ns, one.p50_duration) == (100, 11.0, 24.5e-9)
    assert one.inclusive_duration_ns == 100
    assert one.statistics == AGGREGATES


def test_what_was_recorded_counts_for_more_than_the_rounded_calls():
    known = {"count": 2, "total": 51, "minimum": 10, "maximum": 41, "std": 15.5, "p50": 25.0}
    one = region((100, 110), (200, 240), statistics=known)
    assert (one.total_duration_ns, one.min_duration_ns, one.max_duration_ns) == (51, 10, 41)
    assert (one.std_duration_ns, one.p50_duration) == (15.5, 25e-9)
    assert (one.statistics, one.stored_summary) == (known, None)
    assert one.p90_duration == 37e-9  # of the calls, where nothing else is known


def test_recursion_counts_by_its_outermost_call():
    one = region((0, 100), (10, 90), (20, 80), (200, 300))
    assert one.total_duration_ns == 100 + 80 + 60 + 100
    assert one.inclusive_duration_ns == 200


def test_threads_do_not_cover_each_other():
    calls = [(0, 100), (10, 90), (150, 160)]
    assert region(*calls, thread_ids=[0, 1, 1]).inclusive_duration_ns == 190
    assert region(*calls).inclusive_duration_ns == 110


def test_what_measuring_took_can_be_left_out():
    one = region((0, 100), corrected_exclusive_ns=60, corrected_total_ns=80)
    assert (one.corrected_exclusive_ns, one.corrected_total_ns) == (60, 80)
    both = MPIRegion("x", {0: one, 1: one})
    assert (both.corrected_exclusive_ns, both.corrected_total_ns) == (120, 160)
    unknown = MPIRegion("x", {0: one, 1: region((0, 1))})
    assert (unknown.corrected_exclusive_ns, unknown.corrected_total_ns) == (None, None)
    assert region().corrected_total_ns is None


def test_what_this_version_does_not_measure():
    for one in (region((0, 1)), MPIRegion("x", {0: region((0, 1))})):
        assert not one.has_gpu_timing
        assert one.gpu_durations is one.gpu_total_duration is one.gpu_average_duration is None


def test_columns_of_threads_and_tasks():
    one = region(
        (0, 4), (1, 3), (5, 9), thread_ids=[3, 1, 3], task_ids=[-1, 0, 2], await_ns=[0, 1, 2]
    )
    assert (one.has_thread_data, one.threads) == (True, [1, 3])
    assert one.task_ids.tolist() == [-1, 0, 2]
    assert one.await_ns.tolist() == one.await_times_ns.tolist() == [0, 1, 2]
    assert one.await_times.tolist() == [0, 1e-9, 2e-9]
    assert one.total_await_duration == 3e-9
    none = region((0, 1))
    assert (none.has_thread_data, none.threads) == (False, [])
    assert none.task_ids is none.await_times is none.total_await_duration is None


def test_the_calls_of_one_thread_are_a_region():
    one = region(
        (0, 4),
        (1, 3),
        (5, 9),
        thread_ids=[3, 1, 3],
        await_ns=[0, 1, 2],
        event_metadata=[{}, {"a": 1}, {"b": 2}],
        tags=["t"],
        source_file="f.py",
        source_lineno=3,
        errors=1,
    )
    third = one.for_thread(3)
    assert third.start_times_ns.tolist() == [0, 5]
    assert (third.num_calls, third.total_duration_ns, third.inclusive_duration_ns) == (2, 8, 8)
    assert third.event_metadata == [{}, {"b": 2}]
    assert third.await_ns.tolist() == [0, 2]
    assert (third.tags, third.source_file, third.source_lineno) == (("t",), "f.py", 3)
    assert one.for_thread(2).num_calls == 0
    # What another region took of the calls is known in a run.
    run = results(one=one, inner=region((6, 9), thread_ids=[3]))
    assert run["one"][0].for_thread(3).exclusive_duration_ns == 5
    partly = region((0, 4), thread_ids=[3], statistics=AGGREGATES)
    assert partly.for_thread(3).total_duration_ns == 4
    with pytest.raises(ValueError, match="for_thread.. needs the thread of each call"):
        region((0, 1)).for_thread(0)
    with pytest.raises(TypeError, match="thread_index takes an int, got str: 'x'"):
        one.for_thread("x")


def test_union_over_blocks():
    count = 2 * BLOCK + 7
    starts = np.arange(count) * 10
    one = Region(start_times_ns=starts, durations_ns=np.full(count, 25))
    assert one.inclusive_duration_ns == starts[-1] + 25
    assert one.last_end_time_ns == starts[-1] + 25
    assert one.std_duration_ns == 0


@patient
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(0, 2)), max_size=30))
def test_union_is_what_counting_every_tick_gives(calls):
    calls.sort()
    one = Region(
        start_times_ns=[start for start, _, _ in calls],
        durations_ns=[length for _, length, _ in calls],
        thread_ids=[thread for _, _, thread in calls],
    )
    ticks = {
        (thread, tick) for start, length, thread in calls for tick in range(start, start + length)
    }
    assert one.inclusive_duration_ns == len(ticks)


@patient
@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=40),
    st.floats(0, 100) | st.sampled_from([0, 50, 95, 99, 100]),
)
def test_percentiles_are_those_of_numpy(durations, percentile):
    one = Region(start_times_ns=range(len(durations)), durations_ns=durations)
    expected = float(np.percentile(durations, percentile)) / 1e9
    assert one.percentile_duration(percentile) == pytest.approx(expected, rel=1e-12, abs=1e-18)


def test_columns_are_views_that_cannot_be_written():
    starts = np.arange(3)
    one = Region(start_times_ns=starts, durations_ns=starts, thread_ids=starts)
    for column in (one.start_times_ns, one.durations_ns, one.thread_ids, one.durations):
        with pytest.raises(ValueError):
            column[0] = 1
    assert np.shares_memory(starts, one.start_times_ns)
    starts[0] = 0


def test_no_temporaries_of_the_size_of_the_columns():
    count = 1_000_000
    one = Region(
        start_times_ns=np.arange(count), durations_ns=np.arange(count), exclusive_total_ns=0
    )

    def peak(attribute):
        tracemalloc.start()
        getattr(one, attribute)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / count

    for attribute in ("inclusive_duration_ns", "std_duration_ns", "last_end_time_ns"):
        # Some blocks; the larger the column, the less they are per call.
        assert peak(attribute) < 40 * BLOCK / count + 0.1
    assert peak("p99_duration") < 8.1


def test_a_region_can_be_sent_to_another_process():
    for one in (
        Region(statistics=AGGREGATES, tags=["a"]),
        region((1, 2), event_metadata=[{"step": 1}]),
    ):
        other = pickle.loads(pickle.dumps(one))
        assert other.get_summary() == one.get_summary()
        assert other.event_metadata == one.event_metadata


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"start_times_ns": [1]}, ValueError, "given together"),
        ({"start_times_ns": [1.5], "durations_ns": [1]}, TypeError, "start_times_ns.*float64"),
        ({"start_times_ns": [[1]], "durations_ns": [1]}, TypeError, r"start_times_ns.*\(1, 1\)"),
        ({"start_times_ns": [1], "durations_ns": [1, 2]}, ValueError, "durations_ns.*1; got 2"),
        ({"start_times_ns": [2, 1], "durations_ns": [1, 1]}, ValueError, "sorted"),
        (
            {"start_times_ns": [1], "durations_ns": [1], "thread_ids": []},
            ValueError,
            "thread_ids.*got 0",
        ),
        (
            {"start_times_ns": [1], "durations_ns": [1], "parent_ids": [1]},
            ValueError,
            "call_ids and parent_ids must be given together",
        ),
        ({"statistics": {"sum": 1}}, ValueError, "statistics takes count.*'sum'"),
        ({"statistics": {"count": 1}}, ValueError, "count and total"),
        ({"statistics": {"count": 1.0, "total": 1}}, TypeError, r"statistics\['count'\].*1.0"),
        ({"errors": -1}, ValueError, "errors takes an int of at least 0, got -1"),
        ({"errors": 1.5}, TypeError, "errors takes an int, got float: 1.5"),
        ({"exclusive_total_ns": 1.5}, TypeError, "exclusive_total_ns takes an int"),
        ({"tags": "ab"}, TypeError, "tags.*'ab'"),
        ({"tags": [1]}, TypeError, "tags must be str; got 1"),
        ({"event_metadata": [{}]}, ValueError, "event_metadata.*0; got 1"),
    ],
)
def test_bad_arguments_are_named(arguments, error, text):
    with pytest.raises(error, match=text):
        Region(**arguments)


def test_a_percentile_must_be_one():
    with pytest.raises(ValueError, match="percentile takes 0 to 100, got 101"):
        region((1, 2)).percentile_duration(101)


# -- several ranks ---------------------------------------------------------------


@pytest.fixture
def two_ranks():
    return MPIRegion(
        "x",
        {
            1: region((2, 12), (20, 21), errors=1, exclusive_total_ns=11, tags=["b"]),
            0: region(
                (3, 5),
                (7, 8),
                (9, 13),
                exclusive_total_ns=7,
                source_file="f.py",
                source_lineno=3,
            ),
        },
    )


def test_scalars_over_ranks(two_ranks):
    durations = [2, 1, 4, 10, 1]
    assert two_ranks.ranks == list(two_ranks) == [0, 1]
    assert two_ranks.durations_ns.tolist() == durations
    assert (two_ranks.num_calls, two_ranks.errors) == (5, 1)
    assert two_ranks.total_duration_ns == 18
    assert two_ranks.exclusive_duration_ns == 18
    assert two_ranks.average_duration == pytest.approx(3.6e-9)
    assert two_ranks.std_duration == pytest.approx(np.std(durations) / 1e9)
    assert (two_ranks.min_duration, two_ranks.max_duration) == (1e-9, 10e-9)
    assert two_ranks.p95_duration == pytest.approx(8.8e-9)
    assert two_ranks.percentile_duration(10) == pytest.approx(1e-9)
    assert (two_ranks.first_start_time_ns, two_ranks.last_end_time_ns) == (2, 21)
    assert (two_ranks.first_duration, two_ranks.last_duration) == (10e-9, 1e-9)
    assert two_ranks.num_calls_per_rank() == {0: 3, 1: 2}
    assert two_ranks.average_durations()[1] == 5.5e-9
    assert two_ranks.total_durations() == {0: 7e-9, 1: 11e-9}
    assert two_ranks.min_durations() == {0: 1e-9, 1: 1e-9}
    assert two_ranks.max_durations() == {0: 4e-9, 1: 10e-9}
    assert two_ranks.rank_imbalance == pytest.approx(11 / 9)
    assert two_ranks.rank_imbalance_pct == pytest.approx(200 / 9)


def test_facts_come_from_the_first_rank_that_knows(two_ranks):
    assert (two_ranks.source_file, two_ranks.source_lineno, two_ranks.source_text) == (
        "f.py",
        3,
        None,
    )
    assert two_ranks.tags == ("b",)
    uncalled = MPIRegion("y", {0: Region(source_file="g.py", source_lineno=1)})
    assert (uncalled.source_file, uncalled.source_lineno) == ("g.py", 1)
    assert MPIRegion("z", {0: Region()}).source_file is None


def test_unknown_over_ranks():
    aggregates = Region(statistics=AGGREGATES)
    both = MPIRegion("x", {0: aggregates, 1: aggregates})
    assert both.p50_duration is None
    assert both.exclusive_duration is None
    assert both.std_duration == pytest.approx(11e-9)
    assert both.first_duration == both.last_duration == both.first_start_time == 0.0
    assert not both.has_event_data
    assert MPIRegion("x", {0: aggregates, 1: Region()}).p50_duration == 24.5e-9


def test_no_ranks():
    nobody = MPIRegion("x", {})
    assert (nobody.num_calls, nobody.total_duration, nobody.p50_duration) == (0, 0.0, 0.0)
    assert (nobody.std_duration, nobody.average_duration, nobody.rank_imbalance) == (0, 0, 0)
    assert nobody.durations_ns.dtype == np.int64


def test_ranks_are_a_mapping(two_ranks):
    assert len(two_ranks) == 2 and 1 in two_ranks and 7 not in two_ranks
    with pytest.raises(KeyError, match=r"'x' has no rank 7; it has \[0, 1\]"):
        two_ranks[7]
    with pytest.raises(TypeError, match="rank 0 has 3"):
        MPIRegion("x", {0: 3})
    with pytest.raises(ValueError, match="rank takes an int of at least 0, got -1"):
        MPIRegion("x", {-1: Region()})
    with pytest.raises(TypeError, match="name takes a str, got int: 5"):
        MPIRegion(5, {})
