"""Results of a run: its regions by name, its times, what it tells as Python objects."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from results_support import AGGREGATES, SECOND, region, results

from scope_profiler.results import (
    EventDataUnavailableError,
    MPIRegion,
    ProfilingResults,
    Region,
    TaskInfo,
    ThreadInfo,
)

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
    with pytest.raises(ValueError, match=r"include takes regular expressions, got '\('"):
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
    setup, solve = run.events(exclude="silent")
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
    assert run.events("s[eo]", ranks=iter([0])) == [setup, solve]
    with pytest.raises(EventDataUnavailableError, match="of its 4 calls only aggregates"):
        run.events()
    without = ProfilingResults({"solve": run["solve"]}, event_data_available=False)
    for name in ("events", "call_stack", "call_graph"):
        with pytest.raises(EventDataUnavailableError, match=f"{name}.. needs the intervals"):
            getattr(without, name)()
    with pytest.raises(EventDataUnavailableError):
        without.to_events_dataframe()
    assert not without.has_event_data


def test_ranks_are_numbers(run):
    for ranks in (1.5, "0", ["0"]):
        with pytest.raises(TypeError, match="ranks takes an int, got"):
            run.events(ranks=ranks)
    for method in (run.call_stack, run.call_graph, run.thread_summary):
        with pytest.raises(TypeError, match="rank takes an int, got str: '0'"):
            method(rank="0")
    assert run.events("solve", ranks=np.int64(0)) == run.events("solve")


def test_what_an_event_tells_of_its_call():
    one = region(
        (1 * SECOND, 2 * SECOND),
        (3 * SECOND, 4 * SECOND),
        call_ids=[4, 5],
        parent_ids=[-1, 4],
        thread_ids=[2, 2],
        task_ids=[-1, 7],
        await_ns=[0, SECOND // 2],
        event_metadata=[{}, {"step": 1}],
    )
    first, second = one.events()
    assert list(second.items()) == [
        ("call_index", 1),
        ("start", 3.0),
        ("end", 4.0),
        ("duration", 1.0),
        ("call_id", 5),
        ("parent_id", 4),
        ("thread", 2),
        ("task", 7),
        ("await_duration", 0.5),
        ("metadata", {"step": 1}),
    ]
    assert list(first) == list(second)[:-1]
    second["metadata"]["step"] = 2
    assert one.event_metadata == [{}, {"step": 1}]


@pytest.fixture
def pandas(monkeypatch):
    """As much of pandas as is used, for where it is not installed: frames are their arguments."""

    def frame(rows, columns=None):
        keys = dict.fromkeys(key for row in rows for key in row)
        return SimpleNamespace(rows=rows, columns=columns or list(keys))

    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=frame))


def test_data_frames(run, pandas):
    assert run.to_dataframe("se").rows == run.summary("se")
    per_rank = run.to_dataframe(per_rank=True)
    assert [(row["name"], row["rank"]) for row in per_rank.rows] == [
        ("setup", 0), ("solve", 0), ("silent", 0),
    ]  # fmt: skip
    assert per_rank.columns == (
        "name rank num_calls total_duration inclusive_duration exclusive_duration "
        "average_duration min_duration max_duration first_duration last_duration std_duration "
        "p50_duration p90_duration p95_duration p99_duration p999_duration errors".split()
    )
    assert run.likwid_to_dataframe().rows == []


def test_data_frames_without_pandas(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"to_dataframe\(\) needs pandas.*pip install pandas"):
        run.to_dataframe()


def test_data_frames_of_pandas_itself(run):
    frames = pytest.importorskip("pandas")
    assert run.to_dataframe().name.tolist() == ["setup", "solve", "silent"]
    assert run.to_dataframe(per_rank=True)["rank"].tolist() == [0, 0, 0]
    assert run.to_events_dataframe("s[eo]").duration.tolist() == [2.0, 1.0]
    nothing = run.to_events_dataframe("none").columns.tolist()
    assert nothing == ["name", "rank", "call_index", "start", "end", "duration"]
    assert isinstance(run.likwid_to_dataframe(), frames.DataFrame)


def test_label(run):
    assert (run.label, run.display_label) == ("night", "night")
    run.label = "day"
    assert run.metadata["label"] == run.label == "day"
    run.label = None
    assert (run.label, "label" in run.metadata) == (None, False)
    assert ProfilingResults({}, file_path="a/b.h5").display_label == "b"
    with pytest.raises(TypeError, match="label takes a str or None, got int: 3"):
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


def test_a_run_is_told_what_0_7_5_is_told():
    one = MPIRegion("a", {0: region((0, 10)), 1: region((0, 10))})
    thread = ThreadInfo(0, 1, "MainThread", 1, 2, False, 0, None, 5)
    task = TaskInfo(0, 1, "task", "Task-1", "main", 0, 0, 3, 2, 1, 1)
    run = ProfilingResults(
        {"a": one}, {"label": "x"}, 7, None, {}, {}, "", False, {"a": {1: 4}}, True,
        {1: [thread]}, {1: [task]},
    )  # fmt: skip
    assert (run.num_ranks, run.is_root, run.file_path) == (7, False, None)
    assert (run["a"][0].exclusive_duration_ns, run["a"][1].exclusive_duration_ns) == (10, 4)
    assert (run.threads, run.tasks) == ({1: [thread]}, {1: [task]})
    assert one[1].exclusive_duration_ns == 10


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"num_ranks": -1}, ValueError, "num_ranks takes an int of at least 0, got -1"),
        ({"likwid": {0: {"a": 1}}}, ValueError, "likwid must be None.*got {0"),
        ({"perf_events": {0: {"a": 1}}}, ValueError, "perf_events must be None"),
        ({"threads": {0: ["x"]}}, TypeError, "threads must be lists of ThreadInfo; rank 0 has 'x'"),
        ({"tasks": {0: ["x"]}}, TypeError, "tasks must be lists of TaskInfo; rank 0 has 'x'"),
        ({"threads": {-1: []}}, ValueError, "threads takes an int of at least 0, got -1"),
        ({"exclusive_totals": {"a": {0: 0.5}}}, TypeError, "exclusive_totals takes an int"),
    ],
)
def test_bad_arguments_of_a_run_are_named(arguments, error, text):
    with pytest.raises(error, match=text):
        ProfilingResults({"a": MPIRegion("a", {0: Region()})}, **arguments)


def test_there_are_no_hardware_counters(run):
    assert (run.has_likwid, run.likwid_ranks, run.has_perf_events) == (False, [], False)
    assert run.get_likwid_regions() == run.get_likwid_regions(0) == {}
    assert run.get_perf_events() == run.get_perf_events(0) == {}
    with pytest.raises(KeyError, match="no LIKWID results of region 'a' on rank 2"):
        run.get_likwid_region("a", 2)
    stream = io.StringIO()
    run.print_likwid_summary(stream)
    assert stream.getvalue() == "There are no LIKWID results.\n"


def test_default_title(run):
    assert run.default_title() == "night - in memory (2 ranks)"
    one = ProfilingResults({}, num_ranks=1, file_path="a/b.h5")
    assert one.default_title() == "a/b.h5 (1 rank)"


def test_num_nodes():
    assert results({"num_nodes": 3}).num_nodes == 3
    assert results(a=Region()).num_nodes == 1
    assert ProfilingResults({}, num_ranks=2).num_nodes is None


def test_a_colour_stays_with_the_region(run):
    assert run["solve"].color is None
    run["solve"].color = "red"
    assert [one.color for one in run if one.color] == ["red"]
    assert ProfilingResults({"solve": run["solve"]})["solve"].color == "red"


def test_regions_go_by_their_own_name():
    with pytest.raises(TypeError, match="'a' has <MPIRegion 'b'"):
        ProfilingResults({"a": MPIRegion("b", {})})
