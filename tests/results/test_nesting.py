"""Nesting: parents, depths and exclusive times, against what looking at every pair gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results_support import AGGREGATES, patient, region

from scope_profiler.results import (
    BLOCK,
    EventDataUnavailableError,
    MPIRegion,
    NestingError,
    ProfilingResults,
    Region,
    exclusive_totals,
)
from scope_profiler.results import columns, nesting
from scope_profiler.results.call_stack import tree_of_calls
from scope_profiler.results.rank_regions import RankRegions

# (region, start, length, thread, task)
ANY_CALLS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 12),
        st.integers(0, 8),
        st.integers(-1, 1),
        st.integers(-1, 1),
    ),
    max_size=14,
)


def regions_of(calls, number=3, **columns):
    """Regions from calls as above, each with its columns in the order of the calls' starts."""
    made = []
    for wanted in range(number):
        rows = [row for row, call in enumerate(calls) if call[0] == wanted]
        rows.sort(key=lambda row: calls[row][1])
        own = [calls[row] for row in rows]
        made.append(
            Region(
                start_times_ns=[start for _, start, *_ in own],
                durations_ns=[length for _, _, length, *_ in own],
                **{name: [values[row] for row in rows] for name, values in columns.items()},
            )
        )
    return made


def by_pairs(calls):
    """The plain answer for calls (start, end, lane) in order: parents, depths, exclusive times."""
    parents = []
    for row, (start, end, lane) in enumerate(calls):
        around = [
            other
            for other, (begin, stop, its_lane) in enumerate(calls[:row])
            if its_lane == lane
            and begin <= start
            and end <= stop
            # What starts where another ends is not in it, unless that is a moment itself.
            and (start < stop or begin == stop)
        ]
        parents.append(around[-1] if around else -1)
    depths = [0 if parent < 0 else None for parent in parents]
    exclusive = []
    for row, (start, end, _) in enumerate(calls):
        if depths[row] is None:
            depths[row] = depths[parents[row]] + 1
        covered = {
            tick
            for other, (begin, stop, _) in enumerate(calls)
            if parents[other] == row
            for tick in range(begin, stop)
        }
        exclusive.append(len(set(range(start, end)) - covered))
    return parents, depths, exclusive


@pytest.mark.parametrize(
    "columns", [(), ("thread_ids",), ("task_ids",), ("thread_ids", "task_ids")]
)
@patient
@given(ANY_CALLS)
def test_whatever_calls_there_are_they_nest_as_every_pair_says(columns, calls):
    threads, tasks = [call[3] for call in calls], [call[4] for call in calls]
    known = {"thread_ids": threads, "task_ids": tasks}
    regions = regions_of(calls, **{name: known[name] for name in columns})
    nest = RankRegions(regions).nested_calls()

    def lane(thread, task):
        if "task_ids" in columns and task >= 0:
            return task
        return -2 - thread if "thread_ids" in columns and thread >= 0 else -1

    expected = sorted(
        (
            (start, start + length, lane(thread, task), number)
            for number, start, length, thread, task in calls
        ),
        key=lambda call: (call[0], -call[1]),
    )
    got = list(zip(nest.start_ns.tolist(), nest.end_ns.tolist()))
    assert got == [call[:2] for call in expected]
    lanes = [-1] * len(calls) if nest.track is None else nest.track.tolist()
    rows = [(start, end, lane) for (start, end), lane in zip(got, lanes)]
    assert sorted(rows) == sorted(call[:3] for call in expected)
    assert (nest.track is None) == (not columns or not calls)
    parents, depths, exclusive = by_pairs(rows)
    assert nest.parent.tolist() == parents
    assert nest.depth.tolist() == depths
    assert nest.exclusive_ns.tolist() == exclusive
    for row, (number, index) in enumerate(zip(nest.region_index, nest.call_index)):
        assert regions[number].start_times_ns[index] == nest.start_ns[row]
        assert regions[number].end_times_ns[index] == nest.end_ns[row]


@st.composite
def numbered_calls(draw):
    """Calls with numbers and those of their parents, of whatever length; and some regions."""
    count = draw(st.integers(1, 12))
    ids = draw(st.permutations(range(count)))
    starts = sorted(draw(st.lists(st.integers(0, 20), min_size=count, max_size=count)))
    parents = [draw(st.integers(-1, row - 1)) for row in range(count)]
    calls = [
        (draw(st.integers(0, 2)), start, draw(st.integers(0, 9)), 0, 0) for start in starts
    ]
    chosen = draw(st.lists(st.integers(0, 2), unique=True))
    return calls, ids, parents, chosen


@patient
@given(numbered_calls())
def test_numbers_decide_whatever_the_intervals_say(drawn):
    calls, ids, parents, chosen = drawn
    parent_ids = [-1 if parent < 0 else ids[parent] for parent in parents]
    regions = regions_of(calls, call_ids=ids, parent_ids=parent_ids)
    nest = RankRegions(regions).nested_calls(chosen)
    expected = {}
    for row, call in enumerate(calls):
        if call[0] in chosen:
            above = parents[row]
            while above >= 0 and calls[above][0] not in chosen:
                above = parents[above]
            expected[ids[row]] = None if above < 0 else ids[above]
    got = {
        call: None if parent < 0 else nest.call_id[parent]
        for call, parent in zip(nest.call_id.tolist(), nest.parent.tolist())
    }
    assert got == expected
    assert all(parent < row for row, parent in enumerate(nest.parent.tolist()))
    for row, parent in enumerate(nest.parent.tolist()):
        assert nest.depth[row] == (0 if parent < 0 else nest.depth[parent] + 1)
    for row, (number, index) in enumerate(zip(nest.region_index, nest.call_index)):
        assert regions[chosen[number]].call_ids[index] == nest.call_id[row]


def test_a_child_takes_of_its_parent_what_lies_within_it():
    # By numbers: it may begin in its parent and outlast it.
    outer = region((0, 10), call_ids=[0], parent_ids=[-1])
    inner = region((5, 30), (6, 8), (20, 40), call_ids=[1, 2, 3], parent_ids=[0, 0, 0])
    assert RankRegions([outer, inner]).nested_calls().exclusive_ns.tolist() == [5, 25, 2, 20]


def test_calls_around_some_without_number_nest_by_their_intervals():
    numbered = region((0, 10), call_ids=[0], parent_ids=[-1])
    some = region((2, 4), call_ids=[-1], parent_ids=[-1])
    for other in (some, region((2, 4)), region((2, 4), thread_ids=[-1])):
        assert RankRegions([numbered, other]).nested_calls().parent.tolist() == [-1, 0]
    # Of what was never called, no number is missed.
    apart = region((2, 4), call_ids=[1], parent_ids=[-1])
    assert RankRegions([numbered, apart, Region()]).nested_calls().parent.tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("calls", "text"),
    [
        (region((10, 5)), "a call ends 5 ns before it starts"),
        (region((0, 9), (1, 2), call_ids=[4, 4], parent_ids=[-1, -1]), "two calls .* number 4"),
        (region((0, 9), call_ids=[4], parent_ids=[4]), "their own ancestors"),
        (region((0, 9), (0, 5), call_ids=[4, 5], parent_ids=[5, 4]), "their own ancestors"),
        (region((0, 9), (1, 5), call_ids=[4, 5], parent_ids=[5, -1]), "starts before its parent"),
    ],
)
def test_what_are_no_calls(calls, text):
    with pytest.raises(NestingError, match=text):
        calls.exclusive_durations_ns
    assert calls.exclusive_duration_ns is None
    assert exclusive_totals([calls, Region()]) == [None, None]


def test_a_circle_among_what_is_left_out():
    out = region((0, 9), (0, 9), call_ids=[1, 2], parent_ids=[2, 1])
    kept = region((1, 2), call_ids=[3], parent_ids=[1])
    with pytest.raises(NestingError, match="their own ancestors"):
        RankRegions([out, kept]).nested_calls([1])


def test_recursion_as_deep_as_it_gets():
    depth, rounds = 5_000, 3
    level = np.arange(depth)
    starts = np.concatenate([round * 3 * depth + level for round in range(rounds)])
    one = Region(start_times_ns=starts, durations_ns=np.tile(3 * depth - 2 - 2 * level, rounds))
    nest = RankRegions([one]).nested_calls()
    assert nest.depth.tolist() == level.tolist() * rounds
    assert set(one.exclusive_durations_ns[:-1].tolist()) <= {2, depth}
    assert one.exclusive_duration_ns == one.inclusive_duration_ns == rounds * (3 * depth - 2)


def test_over_blocks():
    count = BLOCK + 10
    outer = region((0, 10 * count))
    inner = Region(
        start_times_ns=np.arange(count) * 10,
        durations_ns=np.full(count, 4),
        thread_ids=np.zeros(count, np.int32),
    )
    assert exclusive_totals([outer, inner]) == [10 * count, 4 * count]
    alike = Region(start_times_ns=inner.start_times_ns, durations_ns=inner.durations_ns)
    assert exclusive_totals([outer, alike]) == [6 * count, 4 * count]


# -- in pieces -------------------------------------------------------------------


@pytest.fixture(params=[4, BLOCK], ids=["small blocks", "large blocks"])
def block(request, monkeypatch):
    """How many rows are worked on at a time."""
    monkeypatch.setattr(columns, "BLOCK", request.param)
    monkeypatch.setattr(columns, "_SAMPLES", min(request.param, columns._SAMPLES))
    monkeypatch.setattr(nesting, "_ROWS", request.param)
    return request.param


@st.composite
def programs(draw):
    """Calls of a program: (region, start, length, thread, parent), each longer than those in it; the
    parent is a place in the list or -1."""
    calls = []

    def call(parent, thread, now, depth):
        place, start = len(calls), now
        calls.append(None)
        number, now = draw(st.integers(0, 2)), now + 1
        while depth < 5 and len(calls) < 25 and draw(st.booleans()):
            now = call(place, thread, now, depth + 1)
        # No two calls begin together: which of them is first, nobody can tell.
        calls[place] = number, 2 * start + thread, 2 * (now - start), thread, parent
        return now + 1

    for thread in range(draw(st.integers(1, 2))):
        now = 0
        while len(calls) < 25 and draw(st.booleans()):
            now = call(-1, thread, now, 0) + draw(st.integers(0, 3))
    return calls


@pytest.mark.parametrize("has_threads", [True, False])
@patient
@given(programs())
def test_a_tree_says_what_looking_at_every_call_says(block, has_threads, program):
    program = [call for call in program if has_threads or not call[3]]
    names = ["a", "b", "c"]
    facts = {"thread_ids": [call[3] for call in program]} if has_threads else {}
    regions = regions_of(program, **facts)
    without = ProfilingResults(
        {name: MPIRegion(name, {0: one}) for name, one in zip(names, regions)}
    )
    tree, node_ids = tree_of_calls(without, 0)
    numbers = np.empty(len(program), np.int64)
    for wanted, name in enumerate(names):
        rows = [row for row, call in enumerate(program) if call[0] == wanted]
        numbers[sorted(rows, key=lambda row: program[row][1])] = node_ids[name]
    placed = regions_of(program, node_ids=numbers.tolist(), **facts)
    run = ProfilingResults(
        {name: MPIRegion(name, {0: one}) for name, one in zip(names, placed)}, recorded={0: tree}
    )
    order = sorted(range(len(program)), key=lambda row: program[row][1])
    graph = run.call_graph()
    assert graph == without.call_graph()
    assert [names.index(call["name"]) for call in graph] == [program[row][0] for row in order]
    if not has_threads:
        parents = [program[row][4] for row in order]
        assert [call["parent_id"] for call in graph] == [
            None if parent < 0 else order.index(parent) for parent in parents
        ]
    assert run.call_stack() == without.call_stack()
    for chosen in (["a"], ["a", "c"]):
        assert run.call_graph(include=chosen) == without.call_graph(include=chosen)


# -- exclusive times -------------------------------------------------------------


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
            calls.append((owner, begin, stop - begin, thread))
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
    regions = regions_of(calls, thread_ids=[call[3] for call in calls])
    assert exclusive_totals(regions) == exclusive


def test_exclusive_times_of_overlapping_calls():
    assert exclusive_totals([region((0, 10)), region((5, 15))]) == [10, 10]
    # What two children share counts once.
    assert exclusive_totals([region((0, 20)), region((2, 10)), region((5, 12))]) == [10, 8, 7]
    assert exclusive_totals([region((0, 5), (5, 5)), region((5, 10))]) == [5, 5]
    assert exclusive_totals([Region()]) == [0]
    assert exclusive_totals([]) == []


def test_exclusive_times_without_all_intervals():
    partly = region((0, 10), statistics=AGGREGATES)
    assert exclusive_totals([region((0, 10)), partly]) == [None, None]
    with pytest.raises(EventDataUnavailableError, match="of one region, 1 of 4 calls have theirs"):
        partly.exclusive_durations


def test_calls_of_an_unknown_thread_nest_among_themselves():
    known = region((0, 10), (12, 20), thread_ids=[0, 1])
    assert exclusive_totals([known, region((5, 15)), region((6, 8))]) == [18, 8, 2]


def test_a_region_alone_knows_its_recursion_only():
    outer, inner = region((0, 10), (2, 8)), region((3, 5), exclusive_total_ns=7)
    assert outer.exclusive_durations_ns.tolist() == [4, 6]
    run = ProfilingResults({"o": MPIRegion("o", {3: outer}), "i": MPIRegion("i", {3: inner})})
    assert run["o"][3].exclusive_durations_ns.tolist() == [4, 4]
    assert run["o"].exclusive_durations.tolist() == [4e-9, 4e-9]
    assert (run["o"].exclusive_duration_ns, run["i"].total_exclusive_duration) == (8, 7e-9)
    # The region itself, and another run with it, are not changed by that.
    assert outer.exclusive_durations_ns.tolist() == [4, 6]
    other = ProfilingResults({"o": run["o"]})
    assert other["o"][3].exclusive_durations.tolist() == [4e-9, 6e-9]
    with pytest.raises(ValueError):
        run["o"][3].exclusive_durations_ns[0] = 1
    assert MPIRegion("x", {}).exclusive_durations.tolist() == []
    assert run["o"].inclusive_durations.tolist() == [1e-8, 6e-9]


@pytest.mark.parametrize("known", [{}, {"thread_ids": [0, 1, 0]}])
def test_a_call_that_ends_later_than_can_be_told_is_an_error(known):
    region = Region(start_times_ns=[10, 20, 30], durations_ns=[2**63 - 1, 4, 3], **known)
    with pytest.raises(NestingError, match="64 bits"):
        region.exclusive_durations_ns
    assert region.exclusive_duration_ns is None
