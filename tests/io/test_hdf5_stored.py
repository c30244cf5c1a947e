"""hdf5_stored.py: columns of calls that are read when they are asked for."""

import copy
import gc
import io
import os
import pickle

import numpy as np
import pytest
from conftest import examples
from h5py_needed import h5py
from hdf5_support import aggregates, assert_same_calls, columns, contents, example, run
from hypothesis import HealthCheck, given, settings
from io_strategies import results as any_results

import scope_profiler as sp
from scope_profiler._model import node_table
from scope_profiler._model.recorded import Node
from scope_profiler.io import hdf5_datasets, hdf5_reader, hdf5_stored, load, write_profile
from scope_profiler.io.recent_columns import RecentColumns


@pytest.fixture(autouse=True)
def all_stored(monkeypatch):
    """Files of few calls are read as those of many."""
    monkeypatch.setattr(hdf5_reader, "SMALL", -1)


@pytest.fixture
def reads(monkeypatch):
    """The names of the columns of calls that were read."""
    names = []
    read = hdf5_datasets.Dataset.read

    def noted(self, *arguments):
        if self.name.startswith("/events/"):
            names.append(self.name.removeprefix("/events/"))
        return read(self, *arguments)

    monkeypatch.setattr(hdf5_datasets.Dataset, "read", noted)
    return names


def recorded(path, calls=50):
    """A file of a run that was recorded, with metadata and recursion."""
    manager = sp.ProfileManager()
    manager.setup(file_path=str(path), verbose=False)

    def f(depth):
        with manager.region("rec"):
            if depth:
                f(depth - 1)

    for step in range(calls):
        with manager.metadata(step=step % 3), manager.region("outer"):
            f(2)
    return manager.finalize(return_results=True)


def test_opening_and_printing_the_summary_reads_no_calls(tmp_path, reads):
    made = recorded(tmp_path / "x.h5")
    results = load(tmp_path / "x.h5")
    stream = io.StringIO()
    results.print_summary(stream=stream)
    assert "rec" in stream.getvalue()
    expected = io.StringIO()
    made.print_summary(stream=expected)
    assert stream.getvalue() == expected.getvalue()
    assert results.summary() == made.summary()
    assert results.time_span == made.time_span and results.has_event_data
    assert repr(results["rec"][0]) == repr(made["rec"][0])
    sp.merge_results(results, label="merged").print_summary(stream=io.StringIO())
    results.for_rank(0).print_summary(stream=io.StringIO())
    assert reads == []


def test_a_region_has_what_its_constructor_gives_it(tmp_path, monkeypatch):
    recorded(tmp_path / "x.h5")
    stored = load(tmp_path / "x.h5")
    monkeypatch.setattr(hdf5_reader, "SMALL", 1 << 16)
    whole = load(tmp_path / "x.h5")
    for region in whole:
        its, ours = vars(region[0]), vars(stored[region.name][0])
        assert its.keys() == ours.keys()
        for name, value in its.items():
            if name not in ("_stored_starts", "_stored_durations", "_of_calls"):
                assert type(ours[name]) is type(value)
                assert not isinstance(value, (int, str, type(None))) or ours[name] == value


def test_a_column_is_read_once_and_alone(tmp_path, reads):
    made = recorded(tmp_path / "x.h5")
    results = load(tmp_path / "x.h5")
    for _ in range(2):
        np.testing.assert_array_equal(results["rec"][0].durations_ns, made["rec"][0].durations_ns)
        assert not results["rec"][0].durations_ns.flags.writeable
    assert len(results["outer"][0].durations_ns) == 50
    assert reads == ["durations"]
    results["outer"][0].start_times_ns
    assert reads == ["durations", "start_deltas"]
    assert_same_calls(results, made)
    assert sorted(reads) == ["durations", "metadata_ids", "node_ids", "start_deltas"]
    assert results.call_stack() == made.call_stack()
    assert len(reads) == 4


@pytest.mark.parametrize("make", [example, aggregates])
def test_what_is_read_is_what_was_written(make, tmp_path):
    assert contents(load(write_profile(make(), tmp_path / "x.h5"))) == contents(make())


@settings(max_examples=examples(30), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_results())
def test_results_of_every_kind_are_read_as_they_were_written(tmp_path, results):
    assert contents(load(write_profile(results, tmp_path / "x.h5"))) == contents(results)


def test_the_file_may_be_replaced_or_removed_meanwhile(tmp_path):
    path = tmp_path / "x.h5"
    recorded(path, 5)
    results, known = load(path), contents(load(path))
    write_profile(aggregates(), path)
    path.unlink()
    assert contents(results) == known


def test_results_can_be_written_to_their_own_file(tmp_path):
    made = recorded(tmp_path / "x.h5", 5)
    write_profile(load(tmp_path / "x.h5"), tmp_path / "x.h5")
    assert_same_calls(load(tmp_path / "x.h5"), made)


def test_copies_and_pickles_hold_the_calls(tmp_path):
    made = recorded(tmp_path / "x.h5", 5)
    read = load(tmp_path / "x.h5")
    again = copy.copy(read["rec"][0])
    np.testing.assert_array_equal(again.durations_ns, made["rec"][0].durations_ns)
    results = load(tmp_path / "x.h5")
    for one in (made, results, results.where(step=0)):
        other = pickle.loads(pickle.dumps(one))
        assert contents(other) == contents(one)
        assert other.recorded == dict(one.recorded)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_reads_beside_its_parent(tmp_path):
    made = recorded(tmp_path / "x.h5")
    read = load(tmp_path / "x.h5")
    pid = os.fork()
    same = all(
        np.array_equal(getattr(read[name][0], column), getattr(made[name][0], column))
        for _ in range(20) for name in ("rec", "outer")
        for column in ("start_times_ns", "durations_ns", "node_ids")
    )
    if pid == 0:
        os._exit(not same)
    assert same and os.waitpid(pid, 0)[1] == 0


def test_the_file_is_closed_with_the_results(tmp_path):
    recorded(tmp_path / "x.h5", 5)
    before = len(os.listdir("/proc/self/fd"))
    results = [load(tmp_path / "x.h5") for _ in range(5)]
    assert len(os.listdir("/proc/self/fd")) == before + 5
    del results
    assert len(os.listdir("/proc/self/fd")) == before


def damaged(path, name, value):
    with h5py.File(path, "r+") as file:
        file[f"events/{name}"][2] = value


@pytest.mark.parametrize(
    ("name", "value", "column", "text"),
    [
        ("start_deltas", -5, "start_times_ns", "not sorted"),
        ("durations", -5, "durations_ns", "negative duration"),
        ("node_ids", 1, "node_ids", "at nodes of others"),
        ("node_ids", 30000, "node_ids", "at nodes of others"),
        ("node_ids", -1, "node_ids", "at nodes of others"),
    ],
)
def test_damage_is_found_when_a_column_is_read(name, value, column, text, tmp_path):
    recorded(tmp_path / "x.h5", 5)
    damaged(tmp_path / "x.h5", name, value)
    results = load(tmp_path / "x.h5")
    for _ in range(2):
        with pytest.raises(sp.CorruptProfileError, match=text) as caught:
            getattr(results["outer"][0], column)
        assert "x.h5" in str(caught.value)


def test_notes_that_are_in_no_table_are_found(tmp_path):
    recorded(tmp_path / "x.h5", 5)
    damaged(tmp_path / "x.h5", "metadata_ids", 99)
    with pytest.raises(sp.CorruptProfileError, match="not in the table"):
        load(tmp_path / "x.h5")["outer"][0].event_metadata.ids


def test_regions_and_nodes_are_made_when_they_are_looked_at(tmp_path, monkeypatch):
    made = recorded(tmp_path / "x.h5")
    regions, nodes = [], []
    monkeypatch.setattr(hdf5_reader, "Region", lambda **known: regions.append(known) or sp.Region(**known))
    monkeypatch.setattr(node_table, "Node", lambda *known: nodes.append(known) or Node(*known))
    results = load(tmp_path / "x.h5")
    assert results.region_names == made.region_names and "rec" in results and len(results) == 2
    assert not regions and not nodes
    assert results["rec"].num_calls == made["rec"].num_calls and results["rec"] is results["rec"]
    assert results["rec"].p50_duration == made["rec"].p50_duration
    assert results["rec"].exclusive_duration_ns == made["rec"].exclusive_duration_ns
    assert len(regions) <= 2 and len(nodes) <= 2
    assert results.recorded == made.recorded
    assert contents(results) == contents(pickle.loads(pickle.dumps(results)))


@pytest.mark.parametrize(
    ("table", "field", "value"),
    [
        ("extended_statistics", "errors", -5),
        ("recorded_statistics", "count", 1),
        ("recorded_statistics", "total", -(1 << 63)),
        ("region_ids", None, 7),
        ("region_ids", None, 0),
        ("tags", None, '["a", 1]'),
        ("tags", None, "{"),
    ],
)
def test_damage_of_the_index_is_found_when_the_file_is_opened(table, field, value, tmp_path):
    """Regions are made later, where nobody expects an error."""
    recorded(tmp_path / "x.h5", 5)
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        values = file[f"rank_region_index/{table}"][()]
        (values if field is None else values[field])[1] = value
        file[f"rank_region_index/{table}"][...] = values
    with pytest.raises(sp.CorruptProfileError):
        load(tmp_path / "x.h5")


def test_lengths_are_checked_when_the_file_is_opened(tmp_path):
    recorded(tmp_path / "x.h5", 5)
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        del file["events/durations"]
        file.create_dataset("events/durations", (1 << 40,), "<i8", chunks=(1024,), compression="gzip")
        del file["events/start_deltas"], file["events/node_ids"], file["events/metadata_ids"]
        file.create_dataset("events/start_deltas", (1 << 40,), "<i8", chunks=(1024,))
    with pytest.raises(sp.CorruptProfileError):
        load(tmp_path / "x.h5")


def test_runs_of_unknown_trees_and_of_no_calls(tmp_path):
    results = run({"a": {0: columns([1, 2], [3, 4])}, "b": {0: columns([], []), 7: columns([1], [1])}})
    read = load(write_profile(results, tmp_path / "x.h5"))
    assert contents(read) == contents(results)


@pytest.mark.parametrize("room", [0, 1500, 1 << 29])
def test_columns_stay_in_memory_as_far_as_there_is_room(room, tmp_path, monkeypatch):
    """Of what finds none, the calls of a region on a rank are read by themselves."""
    monkeypatch.setattr(hdf5_stored, "KEPT", hdf5_stored._kept + room)
    monkeypatch.setattr(hdf5_stored, "_recent", RecentColumns(0))
    before = hdf5_stored._kept
    made = recorded(tmp_path / "x.h5")
    results = load(tmp_path / "x.h5")
    assert contents(results) == contents(load(write_profile(made, tmp_path / "y.json")))
    assert 0 <= hdf5_stored._kept - before <= max(room, 0)
    assert results["rec"][0].durations_ns is not results["rec"][0].durations_ns or room
    part = results.where(step=1).between(0)
    assert part["outer"].num_calls == 17 and part["rec"].num_calls == 51
    np.testing.assert_array_equal(
        part["rec"][0].exclusive_durations_ns, made.where(step=1)["rec"][0].exclusive_durations_ns)
    del results, part
    gc.collect()
    assert hdf5_stored._kept == before


def test_where_there_is_little_room_calls_are_read_once_and_the_file_is_opened_once(tmp_path, monkeypatch):
    """A report asks for the calls of a region on a rank a dozen times."""
    made = recorded(tmp_path / "x.h5")
    monkeypatch.setattr(hdf5_stored, "KEPT", 0)
    results = load(tmp_path / "x.h5")
    opened, read = [], []
    open_file, read_rows = h5py.File, hdf5_datasets.Dataset.read_rows
    monkeypatch.setattr(h5py, "File", lambda *known: opened.append(known) or open_file(*known))
    monkeypatch.setattr(hdf5_datasets.Dataset, "read_rows",
                        lambda self, rows: read.append((self.name, rows.start)) or read_rows(self, rows))
    for _ in range(2):
        assert_same_calls(results, made)
    assert len(opened) == 1
    assert len(read) == len({*read}) == 4 * len(made)  # starts, durations, nodes, notes
    before = len(os.listdir("/proc/self/fd"))
    del results
    assert len(os.listdir("/proc/self/fd")) == before - 1


def test_nodes_are_checked_rank_by_rank(tmp_path, monkeypatch):
    """Each against the tree of its own rank, wherever that lies among all."""
    monkeypatch.setattr(hdf5_stored, "KEPT", 0)
    results = sp.merge_results(*(recorded(tmp_path / f"{rank}.h5", 5) for rank in range(3)), ranks=True)
    path = write_profile(results, tmp_path / "all.h5")
    assert contents(load(path)) == contents(results)
    with h5py.File(path, "r+") as file:
        rows = zip(file["rank_region_index/ranks"], file["rank_region_index/event_offsets"])
        offset = max(int(offset) for rank, offset in rows if rank == 1)
        file["events/node_ids"][offset] = 1 - file["events/node_ids"][offset]
    read = load(path)
    wrong = []
    for region in read:
        for rank in region:
            try:
                assert region[rank].node_ids is not None
            except sp.CorruptProfileError as error:
                wrong.append(rank)
                assert "at nodes of others" in str(error)
    assert wrong == [1]


@pytest.mark.parametrize("small", [-1, 1 << 16])
@pytest.mark.parametrize("table, column", [("rank_region_index/recorded_statistics", "std"),
                                           ("recorded/nodes", "deviation")])
def test_a_deviation_longer_than_any_call_is_an_error(table, column, small, tmp_path, monkeypatch):
    """Its square would be no number."""
    monkeypatch.setattr(hdf5_reader, "SMALL", small)
    recorded(tmp_path / "x.h5", 5)
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        rows = file[table][()]
        rows[column][-1] = 1e300
        file[table][...] = rows
    with pytest.raises(sp.CorruptProfileError, match="deviation|std"):
        load(tmp_path / "x.h5").summary()
