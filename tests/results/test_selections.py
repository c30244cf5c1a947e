"""selections.py and selected_trees.py: some of the calls of a run, as results."""

import io
import random

import numpy as np
import pytest

import scope_profiler as sp
from scope_profiler._model.sketch import Sketch
from scope_profiler.results import MPIRegion, ProfilingResults, Region, ThreadInfo

S = 1_000_000_000


def recorded(**settings):
    """A run that was recorded: recursion, an error, metadata by step."""
    manager = sp.ProfileManager()
    manager.setup(output=None, verbose=False, **settings)

    def f(depth):
        with manager.region("rec"):
            if depth:
                f(depth - 1)

    for step in range(30):
        with manager.metadata(step=step % 3, odd=bool(step % 2)), manager.region("outer"):
            f(step % 4)
    try:
        with manager.region("fails"):
            raise KeyError
    except KeyError:
        pass
    with manager.region("fails"):
        pass
    return manager.finalize(return_results=True)


@pytest.fixture(scope="module")
def run():
    return recorded()


def rows(results, name, rank=0):
    region = results[name][rank]
    return [*zip(region.start_times_ns.tolist(), region.durations_ns.tolist())]


def middle(results):
    """When the middle call began, seconds after the setup."""
    starts = results["outer"][0].start_times
    return float(starts[len(starts) // 2]) - results.time_origin


def text(results, **how):
    stream = io.StringIO()
    results.print_summary(stream=stream, **how)
    return stream.getvalue()


def by_hand(results, wanted):
    """The calls for whose event `wanted` holds, by name."""
    return {
        region.name: [
            (start, duration) for (start, duration), event in
            zip(rows(results, region.name), results[region.name].events()) if wanted(event)
        ]
        for region in results
    }


def test_windows_side_by_side_have_each_call_once(run):
    ends = np.linspace(0, run.total_time, 6).tolist()
    parts = [run.between(a, b) for a, b in zip(ends, ends[1:])]
    for name in run.region_names:
        found = [row for part in parts if name in part for row in rows(part, name)]
        assert found == rows(run, name)
    everything = run.between()
    assert [region.num_calls for region in everything] == [region.num_calls for region in run]
    assert len(run.between(end=0)) == len(run.between(run.total_time + 1)) == 0
    assert len(run.between(2, 1)) == 0


def test_between_counts_from_the_setup_or_is_absolute(run):
    begin = run.run_start_time
    relative = run.between(0.0, middle(run))
    absolute = run.between(begin, begin + middle(run), relative=False)
    assert abs(relative["outer"].num_calls - absolute["outer"].num_calls) <= 1
    region = Region(start_times_ns=[5 * S, 6 * S, 7 * S], durations_ns=[1, 2, 3])
    one = ProfilingResults({"a": MPIRegion("a", {0: region})}, {"start_time_ns": 5 * S})
    assert rows(one.between(1, 2), "a") == [(6 * S, 2)]
    assert rows(one.between(6, 7, relative=False), "a") == [(6 * S, 2)]
    with pytest.raises(TypeError, match="begin takes a number"):
        run.between("1")
    with pytest.raises(ValueError, match="end takes a finite number"):
        run.between(1, float("inf"))


@pytest.mark.parametrize("wanted", [{"step": 1}, {"step": 0, "odd": True}, {"none": 1}, {}])
def test_where_takes_calls_with_all_these_values(run, wanted):
    def has(event):
        return all(event.get("metadata", {}).get(key, ...) == value for key, value in wanted.items())

    expected = by_hand(run, has)
    found = run.where(**wanted)
    assert {region.name: rows(found, region.name) for region in found} == {
        name: calls for name, calls in expected.items() if calls
    }


def test_statistics_are_those_of_the_calls_selected(run):
    found = run.where(step=2)
    region, durations = found["rec"][0], [duration for _, duration in rows(found, "rec")]
    assert region.num_calls == len(durations) < run["rec"].num_calls
    assert region.total_duration_ns == sum(durations)
    assert (region.min_duration_ns, region.max_duration_ns) == (min(durations), max(durations))
    assert region.p50_duration == pytest.approx(np.percentile(durations, 50) / 1e9)
    [row] = [row for row in found.summary() if row["name"] == "rec"]
    assert row["num_calls"] == len(durations)
    nodes = {node.name: node.statistics for node in found.recorded[0].nodes}
    assert [*nodes] == ["outer", "rec"]
    assert nodes["rec"].num_calls == len(durations)
    assert nodes["rec"].sum_ns == sum(durations)
    assert nodes["rec"].total_ns == region.inclusive_duration_ns < sum(durations)
    assert nodes["rec"].corrected_total_ns is None
    assert nodes["outer"].total_ns == found["outer"].total_duration_ns


def test_everything_selected_is_what_was_recorded(run):
    found = run.where()
    for name in run.region_names:
        for attribute in ("num_calls", "errors", "min_duration_ns", "max_duration_ns"):
            assert getattr(found[name], attribute) == getattr(run[name], attribute)
        for attribute in ("inclusive_duration_ns", "exclusive_duration_ns", "total_duration_ns"):
            # Each call is rounded by itself.
            assert getattr(found[name], attribute) == pytest.approx(
                getattr(run[name], attribute), abs=run[name].num_calls
            )
    assert found.call_stack() == run.call_stack()
    for mine, theirs in zip(found.recorded[0].nodes, run.recorded[0].nodes):
        assert (mine.name, mine.parent) == (theirs.name, theirs.parent)
        assert mine.first_ns == pytest.approx(theirs.first_ns, abs=1e5)  # when it was entered
        assert mine.statistics.total_ns == pytest.approx(theirs.statistics.total_ns, abs=200)
        assert mine.statistics.exclusive_ns == pytest.approx(theirs.statistics.exclusive_ns, abs=200)
        assert mine.statistics.std_ns == pytest.approx(theirs.statistics.std_ns, abs=2)
        assert mine.statistics.p90_ns == pytest.approx(theirs.statistics.p90_ns, rel=0.01)


def test_own_time_stays_when_what_is_inside_is_left_out(run):
    whole = run["outer"][0]
    found = run.between(0, run.total_time)
    only = ProfilingResults({"outer": MPIRegion("outer", {0: whole.taken(slice(3, 9))})})["outer"][0]
    np.testing.assert_array_equal(only.exclusive_durations_ns, whole.exclusive_durations_ns[3:9])
    assert only.exclusive_duration_ns == whole.exclusive_durations_ns[3:9].sum()
    assert found["outer"].exclusive_duration_ns < found["outer"].total_duration_ns
    stack = run.where(step=1).call_stack()
    outer = [call for call in stack if call["name"] == "outer"]
    expected = [own / 1e9 for own, note in zip(whole.exclusive_durations_ns, whole.event_metadata)
                if note["step"] == 1]
    assert [call["exclusive_duration"] for call in outer] == pytest.approx(expected)


def test_what_cannot_be_known_is_none(run):
    found = run.between()
    assert found["fails"].errors == 1  # they are all of its calls
    first = run["fails"][0].start_times[1] - run.time_origin
    part = run.between(first - 1e-9)
    assert part["fails"].errors is None
    assert part.summary()[0]["errors"] is None
    assert part["fails"][0].corrected_total_ns is None
    assert run.where(step=1)["rec"].errors == 0
    assert part.line_profile == {}
    assert "–" in text(part, columns=["region", "errors"])
    with pytest.raises(ValueError, match="for_thread.*thread of each call"):
        run.for_thread(0)


def test_selections_of_selections(run):
    half = middle(run)
    both = run.where(step=1).between(0, half)
    other = run.between(0, half).where(step=1)
    assert {one.name: rows(both, one.name) for one in both} == {
        one.name: rows(other, one.name) for one in other
    }
    assert text(both).splitlines()[4:] == text(other).splitlines()[4:]
    assert both.call_stack() == other.call_stack()
    assert both.metadata["selection"] == ["where step=1", f"from 0 s to {half:g} s"]
    assert "; where step=1; from 0 s" in both.default_title()
    np.testing.assert_array_equal(both["outer"][0].exclusive_durations_ns,
                                  other["outer"][0].exclusive_durations_ns)


def test_columns_are_taken_when_they_are_asked_for(run):
    found = run.between(0, middle(run))
    region = found["rec"][0]
    assert not region._stored_durations.is_read
    # A slice of the column, not a copy of it.
    assert np.shares_memory(region.durations_ns, run["rec"][0].durations_ns)


def test_what_is_left_out_leaves_no_node(run):
    found = run.where(step=0)
    assert [node.name for node in found.recorded[0].nodes] == ["outer", "rec"]
    assert "fails" not in text(found)
    for name in ("outer", "rec"):
        for place in set(found[name][0].node_ids.tolist()):
            assert found.recorded[0].nodes[place].name == name


def test_threads(run):
    thread = [ThreadInfo(index, 0, f"t{index}", 1, 2, False, 0, None, 5) for index in (0, 1, 2)]
    made = [Region(start_times_ns=[S, 2 * S, 3 * S], durations_ns=[1, 2, 3], thread_ids=[0, 1, 2]),
            Region(start_times_ns=[S], durations_ns=[1], thread_ids=[1])]
    one = ProfilingResults(
        {name: MPIRegion(name, {0: region}) for name, region in zip("ab", made)},
        threads={0: thread},
    )
    assert rows(one.for_thread(2), "a") == [(3 * S, 3)]
    assert one.for_thread(2).region_names == ["a"]
    assert one.for_thread([1, 2]).region_names == ["a", "b"]
    assert one.for_thread([1, 2]).threads == {0: thread[1:]}
    assert [row["num_calls"] for row in one.for_thread(1).thread_summary()] == [2]
    with pytest.raises(ValueError, match="thread_index takes an int of at least 0, got -1"):
        one.for_thread(-1)


def test_ranks():
    lines = {"region": "a", "filename": "f", "function": "f", "first_lineno": 1, "line_numbers": [1],
             "hits": [1], "times": [1], "unit": 1e-9}
    made = {rank: Region(start_times_ns=[S * rank], durations_ns=[rank]) for rank in (0, 1, 2)}
    counted = Region(statistics={"count": 3, "total": 4})
    one = ProfilingResults({"a": MPIRegion("a", made), "b": MPIRegion("b", {1: counted})},
                           line_profile={0: [lines], 2: [lines]}, num_ranks=3)
    found = one.for_rank([0, 2])
    assert (found.region_names, found["a"].ranks, found.num_ranks) == (["a"], [0, 2], 3)
    assert [*found.line_profile] == [0, 2]
    assert one.for_rank(1)["b"].num_calls == 3
    with pytest.raises(sp.EventDataUnavailableError, match="of its 3 calls only aggregates"):
        one.where(x=1)
    assert rows(one.for_rank(2).between(), "a", 2) == [(2 * S, 2)]


def test_calls_without_start_and_end_are_said_to_be_left_out():
    region = Region(start_times_ns=[S], durations_ns=[5], statistics={"count": 4, "total": 50})
    found = ProfilingResults({"a": MPIRegion("a", {0: region})}).between()
    assert found["a"].num_calls == 1
    assert found.metadata["selection"] == ["all calls (3 calls without start and end are left out)"]


@pytest.mark.parametrize("suffix", [".h5", ".json"])
def test_files_of_selections_say_what_they_hold(run, suffix, tmp_path):
    found = run.where(step=1)
    read = sp.load(sp.write_profile(found, tmp_path / f"x{suffix}"))
    assert read.metadata["selection"] == ["where step=1"]
    assert text(read).splitlines()[3:] == text(found).splitlines()[3:]
    for region in found:
        assert read[region.name].exclusive_duration_ns == region.exclusive_duration_ns
        assert rows(read, region.name) == rows(found, region.name)


def test_entries_that_are_no_plain_values_do_not_match():
    notes = [{"x": np.array([1, 2])}, {"x": 1}, {}]
    region = Region(start_times_ns=[1, 2, 3], durations_ns=[1, 1, 1], event_metadata=notes)
    found = ProfilingResults({"a": MPIRegion("a", {0: region})}).where(x=1)
    assert rows(found, "a") == [(2, 1)]


def test_sketches_of_durations_are_as_the_recorder_makes_them():
    generator = random.Random(7)
    values = [0, 1, 63, 64, 65, 127, 128, 129, 2**40 - 1, 2**40, 2**53 + 1, 2**62 + 12345]
    values += [generator.randrange(1 << generator.randrange(1, 50)) for _ in range(2000)]
    for value in values:
        [middle] = Sketch.of_durations(np.array([value])).values
        assert abs(middle - value) <= value / 127
        if value < 128:
            assert middle == value
    sketch = Sketch.of_durations(np.array(sorted(values)))
    assert sketch.counts.sum() == len(values) and (np.diff(sketch.values) > 0).all()
    assert Sketch.of_durations(np.empty(0, np.int64)).counts.sum() == 0
