"""Metadata of single calls: what was noted, and that equal notes are kept once."""

import math
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results_support import patient, region

from scope_profiler.results import EventMetadata, Region

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.floats(), st.text("ab", max_size=2),
    st.lists(st.integers(0, 1), max_size=2),
)  # fmt: skip
ENTRIES = st.lists(st.dictionaries(st.sampled_from("xyz"), VALUES, max_size=2), max_size=12)


def plain(entries):
    """Entries in a form that is equal if and only if they are the same, types and all."""
    return [repr(entry) for entry in entries]


@patient
@given(ENTRIES)
def test_it_is_the_sequence_that_was_given(entries):
    kept = EventMetadata.of(entries)
    assert plain(kept) == plain(entries)
    assert plain(kept[row] for row in range(len(kept))) == plain(entries)
    assert plain(kept[1:4]) == plain(entries[1:4])
    assert plain(pickle.loads(pickle.dumps(kept))) == plain(entries)
    assert (kept.ids >= -1).all() and len(kept.ids) == len(entries)
    assert not any(entry == {} for entry in kept.table)
    rows = [row for row in range(len(entries)) if row % 2]
    assert plain(kept.taken(np.array(rows, int))) == plain(entries[row] for row in rows)


@patient
@given(ENTRIES)
def test_equal_entries_are_kept_once(entries):
    scalars = [e for e in entries if not any(isinstance(v, list) for v in e.values())]
    table = EventMetadata.of(scalars).table
    assert len(table) == len(set(plain(scalars)) - {"{}"})


def test_what_python_takes_for_equal_stays_apart():
    given = [{"a": 1}, {"a": True}, {"a": 1.0}, {"a": 0.0}, {"a": -0.0}, {"a": math.nan}]
    assert plain(EventMetadata.of(given * 2)) == plain(given * 2)
    assert len(EventMetadata.of(given * 2).table) == len(given)


def test_items_are_copies():
    kept = EventMetadata.of([{"a": 1}, {"a": 1}, {}])
    kept[0]["a"] = kept[2]["b"] = 2
    for entry in kept:
        entry["c"] = 3
    assert kept == [{"a": 1}, {"a": 1}, {}]
    assert kept[-1] == {} and kept[-2] == {"a": 1}
    with pytest.raises(IndexError):
        kept[3]
    with pytest.raises(ValueError):
        kept.ids[0] = 0


def test_it_equals_sequences_of_the_same():
    table = [{"a": 1}, {"b": 2}]
    kept = EventMetadata([0, -1, 1], table)
    assert kept == EventMetadata([0, -1, 1], table) == [{"a": 1}, {}, {"b": 2}]
    assert kept == ({"a": 1}, {}, {"b": 2}) and kept == EventMetadata([1, -1, 0], table[::-1])
    assert kept != EventMetadata([0, 1, 1], table)
    assert kept != [{"a": 1}] and kept != "abc" and kept != 3
    assert (kept.ids.tolist(), kept.table, len(kept)) == ([0, -1, 1], table, 3)
    assert repr(kept) == "<EventMetadata of 3 call(s), 2 different>"
    with pytest.raises(TypeError):
        hash(kept)


@pytest.mark.parametrize(
    ("ids", "table", "error", "text"),
    [
        ([0.5], [{}], TypeError, "ids must be integers.*float64"),
        ([0, 2], [{}, {}], ValueError, "ids must be -1 or rows of table, which has 2; got 0 to 2"),
        ([-2], [{}], ValueError, "got -2 to -2"),
        ([0], "x", TypeError, "table must be a sequence of mappings; got 'x'"),
        ([0], {1: {}}, TypeError, "table must be a sequence"),
    ],
)
def test_bad_arguments_are_named(ids, table, error, text):
    with pytest.raises(error, match=text):
        EventMetadata(ids, table)


def test_entries_must_be_mappings():
    with pytest.raises(TypeError, match="event_metadata must be mappings; got 3"):
        region((1, 2), event_metadata=[3])
    with pytest.raises(ValueError, match="event_metadata must have one mapping per call, 1; got 2"):
        region((1, 2), event_metadata=EventMetadata([0, 0], [{"a": 1}]))


def test_a_region_takes_it_as_it_is():
    notes = EventMetadata([0, -1], [{"a": 1}])
    one = region((1, 2), (3, 4), event_metadata=notes)
    assert one.event_metadata is notes and one.has_event_metadata
    for nothing in (None, [{}, {}], EventMetadata([-1, -1], [{"a": 1}])):
        one = region((1, 2), (3, 4), event_metadata=nothing)
        assert one.event_metadata == [{}, {}] and not one.has_event_metadata
    assert Region().event_metadata == []


def test_no_object_is_made_for_a_call():
    count = 1_000_000
    ids = np.arange(count, dtype=np.int32) % 1000
    table = [{"step": step} for step in range(1000)]
    starts = np.arange(count)
    tracemalloc.start()
    one = Region(
        start_times_ns=starts, durations_ns=starts, event_metadata=EventMetadata(ids, table)
    )
    without = Region(start_times_ns=starts, durations_ns=starts)
    assert one.event_metadata[999_999] == {"step": 999}
    assert without.event_metadata[999_999] == {}
    # But for whether the starts are sorted, a byte per call.
    assert tracemalloc.get_traced_memory()[1] < 1.2 * count
    tracemalloc.stop()
