"""data_frames.py and event_columns.py: calls and summaries as frames of pandas, polars and Arrow."""

import json
import sys

import pytest

from scope_profiler.results import EventMetadata, MPIRegion, ProfilingResults, Region

S = 1_000_000_000


@pytest.fixture
def run():
    """Two regions, of which one has threads and waits, one metadata, on two ranks."""
    noted = EventMetadata([0, -1, 1], [{"x": 1}, {"y": "z"}])
    a = Region(start_times_ns=[S, 2 * S, 3 * S], durations_ns=[S // 2, 1, 2], event_metadata=noted,
               tags=["t"])
    b = Region(start_times_ns=[S, 4 * S], durations_ns=[1, 2], thread_ids=[0, 1], await_ns=[S, 0])
    return ProfilingResults(
        {"a": MPIRegion("a", {0: a}), "b": MPIRegion("b", {0: b, 3: b})}, {"start_time_ns": S}
    )


def rows(events):
    """Events with every key that any of them has."""
    keys = dict.fromkeys(key for event in events for key in event)
    return [{key: event.get(key) for key in keys} for event in events]


def test_events_are_made_when_they_are_asked_for(run):
    events = run.events()
    assert len(events) == 7 and events[6] == events[-1]
    assert events[0] == {"name": "a", "rank": 0, "call_index": 0, "start": 0.0, "end": 0.5,
                         "duration": 0.5, "metadata": {"x": 1}}
    assert events[3:5] == [
        {"name": "b", "rank": 0, "call_index": 0, "start": 0.0, "end": (S + 1) / 1e9 - 1,
         "duration": 1e-9, "thread": 0, "await_duration": 1.0},
        {"name": "b", "rank": 0, "call_index": 1, "start": 3.0, "end": (4 * S + 2) / 1e9 - 1,
         "duration": 2e-9, "thread": 1, "await_duration": 0.0},
    ]
    assert list(events) == [*events] == events
    assert [event["rank"] for event in run["b"].events()] == [0, 0, 3, 3]
    assert run["b"].events(3) == run.events("b", ranks=3, relative=False)
    assert [event["call_index"] for event in run["a"][0].events()] == [0, 1, 2]
    assert run.events("none") == []


def test_columns_say_what_events_say(run):
    columns = run.events().columns
    assert (columns.regions, columns.name.tolist()) == (["a", "b"], [0, 0, 0, 1, 1, 1, 1])
    for key, values in columns.times().items():
        assert values.tolist() == [event[key] for event in run.events()]
    assert columns.missing["thread"].tolist() == [True] * 3 + [False] * 4
    assert columns.optional["thread"][3:].tolist() == [0, 1, 0, 1]
    assert columns.notes.tolist() == [0, -1, 1, -1, -1, -1, -1]
    one = run["b"][0].events().columns
    assert one.missing == {} and one.notes is None


def test_pandas(run):
    pandas = pytest.importorskip("pandas")
    frame = run.to_events_dataframe()
    assert frame.columns.tolist() == ["name", "rank", "call_index", "start", "end", "duration", "thread",
                                      "await_duration", "metadata"]
    found = [{key: None if value is not None and value != value else value
              for key, value in row.items()} for row in frame.to_dict("records")]
    assert found == [{key: event.get(key) for key in frame.columns} for event in run.events()]
    assert isinstance(frame.name.dtype, pandas.CategoricalDtype)
    assert (frame.name == "b").sum() == 4


def test_arrow(run):
    pytest.importorskip("pyarrow")
    table = run.to_events_arrow(relative=False)
    found = table.to_pylist()
    expected = rows(run.events(relative=False))
    for event in expected:
        event["metadata"] = event["metadata"] and json.dumps(event["metadata"])
    assert found == [{key: event[key] for key in table.column_names} for event in expected]
    summary = run.to_arrow()
    assert summary.column("name").to_pylist() == ["a", "b"]
    assert summary.column("tags").to_pylist() == [["t"], []]
    assert summary.column("p50").to_pylist() == [row["p50"] for row in run.summary()]
    assert run.to_arrow(per_rank=True).column("rank").to_pylist() == [0, 0, 3]
    assert run.to_events_arrow("none").num_rows == run.to_arrow("none").num_rows == 0


def test_polars(run):
    polars = pytest.importorskip("polars")
    frame = run.to_events_polars()
    assert frame.filter(polars.col("name") == "b")["duration"].to_list() == [1e-9, 2e-9] * 2
    assert run.to_polars()["num_calls"].to_list() == [3, 4]
    assert run.to_polars(per_rank=True).height == 3


def test_selections_are_what_frames_show(run):
    pytest.importorskip("pyarrow")
    assert run.where(x=1).to_events_arrow().column("metadata").to_pylist() == [json.dumps({"x": 1})]
    assert run.between(2).to_events_arrow().num_rows == 3


@pytest.mark.parametrize(
    ("method", "package"),
    [("to_dataframe", "pandas"), ("to_events_dataframe", "pandas"), ("to_arrow", "pyarrow"),
     ("to_events_arrow", "pyarrow"), ("to_events_polars", "polars")],
)
def test_what_is_not_installed_is_said(run, method, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"{method}\(\) needs {package}.*pip install {package}"):
        getattr(run, method)()


def test_texts_that_are_not_utf8(run):
    pytest.importorskip("pyarrow")
    odd = ProfilingResults({"\udc80": MPIRegion("\udc80", {0: run["a"][0]})})
    assert odd.to_events_arrow().column("name").to_pylist()[0] == "\\udc80"
    assert odd.to_arrow().column("name").to_pylist() == ["\\udc80"]
