"""Results: what is derived from the columns, and from aggregates where there are none."""

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scope_profiler.results import BLOCK, MPIRegion, ProfilingResults, Region, exclusive_totals

SECOND = 10**9

# However slow the machine is at the moment.
patient = settings(deadline=None, suppress_health_check=list(HealthCheck))
AGGREGATES = {"count": 4, "total": 100, "minimum": 10, "maximum": 40, "std": 11.0, "p50": 24.5}


def region(*calls, **facts):
    """A region of calls given as (start, end) in ns."""
    starts = [start for start, _ in calls]
    return Region(
        start_times_ns=starts, durations_ns=[end - start for start, end in calls], **facts
    )


def results(metadata=None, **regions):
    """Results of one rank, by name."""
    named = {name: MPIRegion(name, {0: one}) for name, one in regions.items()}
    return ProfilingResults(named, metadata)


# -- one rank ------------------------------------------------------------------


def test_scalars_of_a_region():
    one = region((1 * SECOND, 3 * SECOND), (5 * SECOND, 6 * SECOND), (9 * SECOND, 13 * SECOND))
    assert one.get_summary() == {
        "num_calls": 3,
        "total_duration": 7.0,
        "inclusive_duration": 7.0,
        "exclusive_duration": None,
        "average_duration": 7 / 3,
        "min_duration": 1.0,
        "max_duration": 4.0,
        "first_duration": 2.0,
        "last_duration": 4.0,
        "std_duration": pytest.approx(np.std([2, 1, 4])),
    }
    assert (one.p50_duration, one.p95_duration) == (2.0, pytest.approx(3.8))
    assert (one.first_start_time, one.last_end_time) == (1.0, 13.0)
    assert one.start_times.tolist() == [1.0, 5.0, 9.0]
    assert one.end_times.tolist() == [3.0, 6.0, 13.0]
    assert one.end_times_ns.dtype == np.int64
    assert one.durations.tolist() == [2.0, 1.0, 4.0]
    assert one.has_event_data and one.has_timing and not one.has_source


def test_a_region_never_called():
    one = Region()
    assert set(one.get_summary().values()) == {0, None}
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
    assert one.first_start_time_ns is None


def test_fewer_intervals_than_calls():
    one = region((100, 110), (200, 240), statistics=AGGREGATES)
    assert (one.num_calls, one.num_events) == (4, 2)
    assert one.has_event_data
    assert (one.total_duration_ns, one.std_duration_ns, one.p50_duration) == (100, 11.0, 24.5e-9)
    assert one.inclusive_duration_ns == 100
    assert one.statistics == AGGREGATES


def test_intervals_of_all_calls_are_the_better_source():
    known = {"count": 2, "total": 50, "minimum": 10, "maximum": 40, "std": 1.0, "p50": 1.0}
    one = region((100, 110), (200, 240), statistics=known)
    assert (one.std_duration_ns, one.p50_duration) == (15.0, 25e-9)
    assert one.statistics is None
    assert (one.total_duration_ns, one.min_duration_ns, one.max_duration_ns) == (50, 10, 40)


def test_recursion_counts_by_its_outermost_call():
    one = region((0, 100), (10, 90), (20, 80), (200, 300))
    assert one.total_duration_ns == 100 + 80 + 60 + 100
    assert one.inclusive_duration_ns == 200


def test_threads_do_not_cover_each_other():
    calls = [(0, 100), (10, 90), (150, 160)]
    assert region(*calls, thread_ids=[0, 1, 1]).inclusive_duration_ns == 190
    assert region(*calls).inclusive_duration_ns == 110


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
        ({"errors": -1}, ValueError, "errors must be at least 0; got -1"),
        ({"errors": None}, TypeError, "errors must be an int; got None"),
        ({"exclusive_total_ns": 1.5}, TypeError, "exclusive_total_ns must be an int"),
        ({"tags": "ab"}, TypeError, "tags.*'ab'"),
        ({"tags": [1]}, TypeError, "tags must be str; got 1"),
        ({"event_metadata": [{}]}, ValueError, "event_metadata.*0; got 1"),
    ],
)
def test_bad_arguments_are_named(arguments, error, text):
    with pytest.raises(error, match=text):
        Region(**arguments)


def test_a_percentile_must_be_one():
    with pytest.raises(ValueError, match="percentile must be in 0..100; got 101"):
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
    with pytest.raises(ValueError, match="rank must be at least 0; got -1"):
        MPIRegion("x", {-1: Region()})
    with pytest.raises(TypeError, match="name must be a str; got 5"):
        MPIRegion(5, {})


# -- a run -----------------------------------------------------------------------


@pytest.fixture
def run():
    return results(
        {
            "start_time_ns": 1 * SECOND,
            "finalize_time_ns": 30 * SECOND,
            "mpi_size": 2,
            "label": "night",
        },
        solve=region((5 * SECOND, 6 * SECOND), exclusive_total_ns=5, errors=1),
        setup=region((2 * SECOND, 4 * SECOND), event_metadata=[{"step": 3}]),
        silent=Region(statistics=AGGREGATES),
    )


def test_times_of_a_run(run):
    assert (run.minimum_start_time, run.maximum_end_time, run.time_span) == (2.0, 6.0, 4.0)
    assert (run.run_start_time, run.finalize_time, run.total_time) == (1.0, 30.0, 29.0)
    assert (run.time_origin, run.startup_time) == (1.0, 1.0)
    assert (run.num_ranks, run.num_nodes, run.has_event_data) == (2, None, False)


def test_times_of_nothing():
    nothing = ProfilingResults({})
    assert (nothing.minimum_start_time, nothing.time_span, nothing.startup_time) == (0, 0, 0)
    assert (nothing.run_start_time, nothing.total_time, nothing.time_origin) == (None, None, 0.0)
    assert (nothing.num_ranks, nothing.file_path, nothing.display_label) == (0, None, "")
    # Of aggregates, no start is known: that is not a startup of minus the uptime.
    assert results({"start_time_ns": SECOND}, a=Region(statistics=AGGREGATES)).startup_time == 0.0


def test_a_run_is_a_mapping(run):
    assert run.region_names == ["solve", "setup", "silent"]
    assert [region.name for region in run] == run.region_names
    assert len(run) == 3 and "solve" in run and "x" not in run
    assert run["solve"] is run.get_region("solve")


def test_an_unknown_name_is_answered_with_close_ones(run):
    with pytest.raises(KeyError, match="no region named 'solver'; did you mean 'solve'"):
        run["solver"]
    with pytest.raises(KeyError, match="there are 'solve', 'setup', 'silent'"):
        run["?"]
    with pytest.raises(KeyError, match="there are no regions"):
        ProfilingResults({})["a"]
    many = results(**{f"n{i}": Region() for i in range(30)})
    with pytest.raises(KeyError, match="and 10 more"):
        many["?"]


def test_regions_are_chosen_by_expressions_and_sorted_by_start(run):
    def names(*choice):
        return [region.name for region in run.get_regions(*choice)]

    assert names() == ["setup", "solve", "silent"]
    assert names("s.l") == ["solve", "silent"]
    assert names(["se", "solve$"]) == ["setup", "solve"]
    assert names(None, "se") == ["solve", "silent"]
    assert names([], None) == []
    with pytest.raises(ValueError, match=r"include must be regular expressions; got '\('"):
        names("(")


def test_summary(run):
    first, second, third = run.summary()
    assert [row["name"] for row in (first, second, third)] == ["setup", "solve", "silent"]
    # Those of 0.7.5 in its order, then ours.
    assert list(first) == (
        "name num_ranks num_calls total_duration inclusive_duration exclusive_duration "
        "average_duration min_duration max_duration first_duration last_duration std_duration "
        "tags p50_duration p95_duration p99_duration rank_imbalance rank_imbalance_pct "
        "p50 p95 p99 imbalance p90_duration p999_duration errors".split()
    )
    assert (second["errors"], second["p50"], third["p95"]) == (1, 1.0, None)


def test_events(run):
    setup, solve = run.events()
    assert setup == {
        "name": "setup",
        "rank": 0,
        "call_index": 0,
        "start": 1.0,
        "end": 3.0,
        "duration": 2.0,
        "metadata": {"step": 3},
    }
    assert solve["start"] == 4.0
    assert run.events("setup", relative=False)[0]["start"] == 2.0
    assert run.events("setup", origin=2.0)[0]["start"] == 0.0
    assert run.events(ranks=1) == run.events(ranks=[3]) == []
    assert run.events(ranks=iter([0])) == run.events()
    ids = region((1, 2), call_ids=[4], parent_ids=[-1], thread_ids=[2]).events()[0]
    assert (ids["call_id"], ids["parent_id"], ids["thread"]) == (4, -1, 2)


def test_data_frames(run):
    pytest.importorskip("pandas")
    assert run.to_dataframe().name.tolist() == ["setup", "solve", "silent"]
    assert run.to_dataframe(per_rank=True)["rank"].tolist() == [0, 0, 0]
    assert run.to_events_dataframe().duration.tolist() == [2.0, 1.0]


def test_label(run):
    assert (run.label, run.display_label) == ("night", "night")
    run.label = "day"
    assert run.metadata["label"] == run.label == "day"
    run.label = None
    assert (run.label, "label" in run.metadata) == (None, False)
    assert ProfilingResults({}, file_path="a/b.h5").display_label == "b"
    with pytest.raises(TypeError, match="label must be a str or None; got 3"):
        run.label = 3


def test_metadata_is_what_every_format_can_carry():
    given = {
        "a": 1, "b": 1.5, "c": "x", "d": True, "e": ("x", "y"), "f": None, "g": {"k": 1},
        "h": np.int64(3), "i": 2**70, "j": [1, 2],
    }  # fmt: skip
    assert ProfilingResults({}, given).metadata == {
        "a": 1, "b": 1.5, "c": "x", "d": True, "e": ["x", "y"], "g": '{"k": 1}',
        "h": 3, "i": str(2**70), "j": "[1, 2]",
    }  # fmt: skip


def test_line_profile_is_checked():
    lines = {
        "region": "a", "filename": "f.py", "function": "f", "first_lineno": 1,
        "line_numbers": [2, 3], "hits": [5, 6], "times": [1, 2.5], "unit": 1e-9,
    }  # fmt: skip
    kept = ProfilingResults({}, line_profile={0: [lines]}).line_profile[0][0]
    assert kept["hits"].dtype == kept["line_numbers"].dtype == np.int64
    assert kept["times"].tolist() == [1.0, 2.5]
    with pytest.raises(ValueError, match="line_profile entries need hits"):
        ProfilingResults({}, line_profile={0: [{k: v for k, v in lines.items() if k != "hits"}]})
    with pytest.raises(ValueError, match="hits must have one value per call, 2; got 1"):
        ProfilingResults({}, line_profile={0: [{**lines, "hits": [1]}]})


def test_regions_go_by_their_own_name():
    with pytest.raises(TypeError, match="'a' has <MPIRegion 'b'"):
        ProfilingResults({"a": MPIRegion("b", {})})


# -- exclusive time from nesting ---------------------------------------------------


@st.composite
def nested_calls(draw):
    """Calls as (region, start, end, thread), properly nested, and their exclusive times."""
    calls, exclusive = [], [0, 0, 0]

    def fill(start, end, thread, depth):
        """Put calls between start and end; what they take in total."""
        now = start
        taken = 0
        while now <= end and depth < 5 and draw(st.booleans()):
            begin = draw(st.integers(now, end))
            stop = draw(st.integers(begin, end))
            if depth and (begin, stop) == (start, end):
                break  # which of two equal intervals is the outer one, nobody can tell
            owner = draw(st.integers(0, 2))
            calls.append((owner, begin, stop, thread))
            inside = fill(begin, stop, thread, depth + 1)
            exclusive[owner] += stop - begin - inside
            taken += stop - begin
            now = stop + (stop == begin)
        return taken

    for thread in range(draw(st.integers(1, 2))):
        fill(0, 40, thread, 0)
    return calls, exclusive


@patient
@given(nested_calls())
def test_exclusive_times_follow_from_nesting(drawn):
    calls, exclusive = drawn
    regions = []
    for owner in range(3):
        own = sorted((call for call in calls if call[0] == owner), key=lambda call: call[1])
        regions.append(
            Region(
                start_times_ns=[start for _, start, _, _ in own],
                durations_ns=[end - start for _, start, end, _ in own],
                thread_ids=[thread for _, _, _, thread in own],
            )
        )
    assert exclusive_totals(regions) == exclusive


def test_exclusive_times_of_overlapping_calls_are_unknown():
    assert exclusive_totals([region((0, 10)), region((5, 15))]) == [None, None]
    assert exclusive_totals([region((0, 10)), Region(statistics=AGGREGATES)]) == [None, None]
    assert exclusive_totals([Region()]) == [0]
    assert exclusive_totals([]) == []
    assert exclusive_totals([region((0, 5), (5, 5)), region((5, 10))]) == [5, 5]


def test_calls_of_an_unknown_thread_nest_among_themselves():
    known = region((0, 10), (12, 20), thread_ids=[0, 1])
    assert exclusive_totals([known, region((5, 15)), region((6, 8))]) == [18, 8, 2]
