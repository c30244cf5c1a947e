"""Timelines: the calls of each rank in lanes, in each of which they lie within each other.

A lane is what a viewer draws as one track: a thread, a task, or, of calls of a track that overlap,
a part of them. Where no calls were kept, the tree is laid out in their place: every node once, as long
as all of its calls together.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._base.arguments import name_filter
from .._model.recorded import Node
from ..results import BLOCK, EventMetadata, NestingError, ProfilingResults, Region, blocks
from ..results.call_stack import nested_calls
from ..results.functions import ranks_of, sums_of, trees_by_rank
from ..results.nesting import nest
from ..results.rank_regions import NestedCalls
from .weights import preorder, weights_of


@dataclass(frozen=True)
class Lane:
    """Calls that lie within each other, in the order in which they began.

    number: In its rank, from 1 on. name: What it is called.
    rows: int64 [n]: of its calls, in the columns of the timeline. depth: Integers [n]: how many
        calls each is inside of.
    """

    number: int
    name: str
    rows: np.ndarray
    depth: np.ndarray


@dataclass(frozen=True)
class Timeline:
    """The calls of one rank as columns.

    name: What the process is called. process_id: None when unknown.
    regions: The name of each region and what is known of it; None for what groups others.
    region, start_ns, end_ns: Integers [calls]: which of them was called, and when.
    call_index: Integers [calls]: the number of the call in its region.
    parent: Integers [calls], -1 for none; None where calls are only inside those of their own lane.
    nested: How the calls lie within each other; None of a layout.
    is_layout: Whether these are no single calls, but nodes laid out by how long their calls took;
        `call_index` is how many calls each had then.
    """

    rank: int
    name: str
    process_id: int | None
    regions: Sequence[tuple[str, Region | None]]
    region: np.ndarray
    call_index: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    parent: np.ndarray | None
    lanes: Sequence[Lane]
    is_layout: bool
    nested: NestedCalls | None = None

    @cached_property
    def _first(self) -> np.ndarray:
        counts = [0 if region is None else region.num_events for _, region in self.regions]
        return np.cumsum([0, *counts])

    def of_calls(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """One column in the order of the calls, made of one for each region."""
        return np.concatenate(columns)[self._first[self.region] + self.call_index]

    @cached_property
    def notes(self) -> tuple[np.ndarray, list[Any]] | None:
        """Of each call its row in a table of notes, -1 for none, and that table; None without any."""
        known = [region.event_metadata for _, region in self.regions if region is not None]
        if self.is_layout or not any(len(notes.table) for notes in known):
            return None
        table: list[Any] = []
        begins: dict[int, int] = {}
        columns = []
        for notes in known:
            begin = begins.get(id(notes.table))
            if begin is None:
                begin = begins[id(notes.table)] = len(table)
                table.extend(notes.table)
            columns.append(_shifted(notes, begin))
        return self.of_calls(columns), table

    @cached_property
    def await_ns(self) -> np.ndarray | None:
        """int64 [calls]: how long each waited; None where that is not known of any."""
        known = [region for _, region in self.regions if region is not None]
        if self.is_layout or all(region.await_ns is None for region in known):
            return None
        return self.of_calls([
            np.zeros(region.num_events, np.int64) if region.await_ns is None else region.await_ns
            for region in known
        ])


def _shifted(notes: EventMetadata, by: int) -> np.ndarray:
    return np.where(notes.ids >= 0, notes.ids + by, -1)


def timelines(
    results: ProfilingResults,
    ranks: int | Iterable[int] | None,
    include: str | Iterable[str] | None,
    exclude: str | Iterable[str] | None,
) -> Iterator[Timeline]:
    """The timeline of each rank, one after the other, as what one takes of memory is large."""
    wanted = name_filter(include, exclude)
    # In their own order: how all calls of a rank lie within each other is known without a search.
    chosen = [region for region in results if wanted(region.name)]
    tree_of = trees_by_rank(results, include, exclude)
    for rank in ranks_of(results, ranks):
        regions = [region for region in chosen if rank in region and region[rank].num_events]
        called = sum(region[rank].num_calls > 0 for region in chosen if rank in region)
        if regions and len(regions) == called:
            try:
                calls = nested_calls(regions, rank)
            except NestingError:
                pass
            else:
                known = [(region.name, region[rank]) for region in regions]
                yield _of_calls(results, rank, known, calls)
                continue
        nodes = tree_of(rank)
        if nodes:
            yield _laid_out(results, rank, nodes)


def process_name(results: ProfilingResults, rank: int) -> str:
    """What the process of a rank is called."""
    names = results.metadata.get("process_names", ())
    if isinstance(names, (list, tuple)) and rank < len(names):
        return f"rank {rank}: {names[rank]}" if names[rank] else f"rank {rank}"
    label = results.display_label
    return f"rank {rank}" if results.num_ranks > 1 or not label else label


def _process_id(results: ProfilingResults, rank: int) -> int | None:
    facts = results.metadata
    ids = facts.get("process_ids", ())
    try:
        return int(ids[rank] if ids else facts["process_id"])
    except (LookupError, ValueError, TypeError):
        return None


def _of_calls(
    results: ProfilingResults, rank: int, regions: Sequence[tuple[str, Region]], calls: NestedCalls
) -> Timeline:
    tracks = calls.track
    numbers = [-1] if tracks is None else np.unique(tracks).tolist()
    lanes: list[Lane] = []
    if tracks is not None:
        order = np.argsort(tracks, kind="stable")
        of_tracks = np.split(order, np.flatnonzero(np.diff(tracks[order])) + 1)
    else:
        of_tracks = [np.arange(len(calls.start_ns))]
    # The main thread first, as it has been there the longest.
    for track, rows in sorted(zip(numbers, of_tracks), key=lambda one: int(calls.start_ns[one[1][0]])):
        name = "calls" if tracks is None else results.lane_label(track, rank)
        depth = calls.depth[rows] if calls.is_proper else _depth_of(calls, rows)
        if depth is not None:
            lanes.append(Lane(len(lanes) + 1, name, rows, depth))
            continue
        for number, (part, depth) in enumerate(_apart(calls, rows)):
            part_name = f"{name}, at the same time ({number + 1})" if number else name
            lanes.append(Lane(len(lanes) + 1, part_name, part, depth))
    return Timeline(
        rank, process_name(results, rank), _process_id(results, rank), regions,
        calls.region_index, calls.call_index, calls.start_ns, calls.end_ns,
        None if calls.is_proper else calls.parent, lanes, False, calls,
    )


def _depth_of(calls: NestedCalls, rows: np.ndarray) -> np.ndarray | None:
    """How many of the calls of a track each is inside of; None where some overlap in part."""
    found = nest(calls.start_ns[rows], calls.end_ns[rows], None, _no_parents)
    return found.depth if found.is_proper else None


def _no_parents(starts: np.ndarray, ends: np.ndarray, nodes: object) -> np.ndarray:
    return np.full(len(starts), -1, np.int32)


def _apart(calls: NestedCalls, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The calls of a track in lanes in which none overlaps another in part: rows and depths of each.

    A call goes to the lane of its parent, where that is free, or else to the one free for longest.
    """
    lane_of: dict[int, int] = {}
    stacks: list[list[int]] = []  # of each lane, the ends of what is open
    found: list[tuple[list[int], list[int]]] = []
    free: list[tuple[int, int]] = []  # (until when something is open, lane): at least so early
    for part in blocks(len(rows)):
        block = rows[part]
        columns = (block, calls.start_ns[block], calls.end_ns[block], calls.parent[block])
        for row, start, end, parent in zip(*(column.tolist() for column in columns)):
            lane = lane_of.get(parent, -1)
            if lane < 0 or not _fits(stacks[lane], start, end):
                lane = _free_lane(free, stacks, start)
            stack = stacks[lane]
            if lane == len(found):
                found.append(([], []))
            lane_of[row] = lane
            found[lane][0].append(row)
            found[lane][1].append(len(stack))
            if not stack:
                heapq.heappush(free, (end, lane))
            stack.append(end)
    for taken, depth in found:
        yield np.array(taken, np.int64), np.array(depth, np.int32)


def _fits(stack: list[int], start: int, end: int) -> bool:
    while stack and stack[-1] <= start:
        stack.pop()
    return not stack or end <= stack[-1]


def _free_lane(free: list[tuple[int, int]], stacks: list[list[int]], start: int) -> int:
    while free and free[0][0] <= start:
        lane = heapq.heappop(free)[1]
        stack = stacks[lane]
        while stack and stack[-1] <= start:
            stack.pop()
        if not stack:
            return lane
    stacks.append([])
    return len(stacks) - 1


def _laid_out(results: ProfilingResults, rank: int, nodes: Sequence[Node]) -> Timeline:
    """Every node as one call, as long as all of its calls and what was inside them."""
    places = {name: place for place, name in enumerate(dict.fromkeys(node.name for node in nodes))}
    weights = weights_of(nodes)
    starts, depth = np.zeros(len(nodes), np.int64), np.zeros(len(nodes), np.int32)
    ends_so_far = [0] * (len(nodes) + 1)  # where the next child begins; the last is for roots
    for place, node in enumerate(nodes):
        begin = ends_so_far[node.parent]
        starts[place] = ends_so_far[place] = begin
        ends_so_far[node.parent] = begin + weights[place]
        depth[place] = depth[node.parent] + 1 if node.parent >= 0 else 0
    order = np.array(preorder(nodes), np.int64)
    lane = Lane(1, "all calls, by the time they took together", order, depth[order])
    regions = [
        (name, results[name][rank] if name in results and rank in results[name] else None)
        for name in places
    ]
    return Timeline(
        rank, process_name(results, rank), _process_id(results, rank), regions,
        np.array([places[node.name] for node in nodes], np.int32),
        np.array([sums_of(node).calls for node in nodes], np.int64),
        starts, starts + np.array(weights, np.int64), None, [lane], True,
    )


def counter_values(
    results: ProfilingResults, timeline: Timeline
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Of each counter of the rank its name, and times from the origin on, ns, with the values there.
    Formats have neither NaN nor infinities: such values are left out, as are those before the origin."""
    origin = _start_ns(results) if timeline.is_layout else origin_ns(results, timeline)
    for name, of_ranks in results.counters(timeline.rank).items():
        known = of_ranks[timeline.rank]
        rows = np.isfinite(known.values) & (known.times_ns >= origin)
        yield name, known.times_ns[rows] - origin, known.values[rows]


def _start_ns(results: ProfilingResults) -> int:
    return round(results.time_origin * 1e9) if results.run_start_time is None else int(
        results.metadata["start_time_ns"])


def origin_ns(results: ProfilingResults, timeline: Timeline) -> int:
    """What times are shown from, ns: when the run was set up, or else the first start."""
    if timeline.is_layout:
        return 0
    start = _start_ns(results)
    first = int(timeline.start_ns.min()) if len(timeline.start_ns) else start
    return min(start, first)


def opens_and_closes(depth: np.ndarray) -> Iterator[np.ndarray]:
    """In which order calls that lie within each other begin and end: int64 arrays, the place of each
    call where it begins, and -1 less its place where it ends.

    depth: Integers [n], of the calls in the order in which they began.
    """
    stack: list[int] = []
    for rows in blocks(len(depth), BLOCK // 4):
        found: list[int] = []
        for place, level in zip(range(rows.start, rows.stop), depth[rows].tolist()):
            while len(stack) > level:
                found.append(~stack.pop())
            found.append(place)
            stack.append(place)
        yield np.array(found, np.int64)
    yield np.array([~place for place in reversed(stack)], np.int64)
